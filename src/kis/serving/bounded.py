"""What a connection may take of the server before anybody has looked at its key.

The parser keeps what it has of a header, or of a trailer, until that ends, and copies
it for each piece that comes: without a limit one connection takes all memory and all
of a core. And a connection is an open file, of which there are only so many: whoever
has one asks something in time.
"""

import asyncio
import fcntl
import termios
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from kis.api.errors import PROBLEM_TYPE, problem_body, silence, status_of
from kis.api.metrics import COUNT_REFUSED
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.telemetry import log_access, new_request_id

MOST_OUTSIDE_BYTES = 64 * 1024
"""Of a head, and of what comes after it without any of the body: trailers above all."""
HEAD_WITHIN_S = 10.0
"""Of the first one, from when the connection begins; of the next, from its first byte."""
LEAVES_AFTER_S = 0.1
SILENT_S = 30.0
"""Between two pieces of a body, until its answer begins: what answers meanwhile, a batch, knows
itself whom it waits for."""


class Bounded(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with bounds for what is no body."""

    def __init__(
        self, *arguments: Any, head_within_s: float = HEAD_WITHIN_S, silent_s: float = SILENT_S,
        **more: Any,
    ) -> None:  # fmt: skip
        """Take what uvicorn gives a connection, and how long it may take whom."""
        super().__init__(*arguments, **more)
        self._outside = 0
        self._head_within_s = head_within_s
        self._silent_s = silent_s
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait(self._head_within_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse as much as may come without a head's end or a byte of a body, then look again."""
        while data and not self.transport.is_closing():
            room = MOST_OUTSIDE_BYTES - self._outside
            if not room:
                self._refuse()
                return
            piece, data = data[:room], data[room:]
            self._outside += len(piece)
            super().data_received(piece)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            # Half a head, or a body that has its answer. Where nothing comes at all, the
            # time of uvicorn's own runs, `timeout_keep_alive`.
            if self._deadline is None:
                self._wait(self._head_within_s)
            return
        self._forget_deadline()
        if self._is_awaited(cycle):
            self._wait(self._silent_s)

    def on_headers_complete(self) -> None:
        """Begin a request; its body may take some time."""
        self._outside = 0
        self._forget_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which others bound."""
        self._outside = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Have what comes next take its own time."""
        self._forget_deadline()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Begin to end, as the server does."""
        super().shutdown()
        if self.scheme == "https":
            self._leave()

    def _leave(self) -> None:
        """End once the client has all that was sent: under TLS it would have to say goodbye too.

        Who keeps a connection and does not read would hold up the end.
        """
        if self not in self.connections:
            return
        if self.transport.is_closing() and self._has_arrived():
            self.transport.abort()
        else:
            self.loop.call_later(LEAVES_AFTER_S, self._leave)

    def _has_arrived(self) -> bool:
        """Whether the system has nothing more to send on this connection."""
        descriptor = self.transport.get_extra_info("socket").fileno()
        try:
            unsent = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            return False  # closed, or another system, which does not tell
        return not any(unsent)

    def _wait(self, time_s: float) -> None:
        self._deadline = self.loop.call_later(time_s, self._end_wait)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_wait(self) -> None:
        self._deadline = None
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.close()
        elif self.flow.read_paused:
            self._wait(self._silent_s)  # it is not the client who takes so long
        elif self._is_awaited(cycle):
            self._answer(silence(self._silent_s))
            self.transport.close()

    def _refuse(self) -> None:
        """Close the connection, and say why where an answer of ours is the next to come."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or self._is_awaited(cycle):
            self._answer(_too_large())
        self.transport.close()

    def _is_awaited(self, cycle: RequestResponseCycle) -> bool:
        """Whether a request is not here as a whole, nor any of its answer sent."""
        return cycle.more_body and not cycle.response_started

    def _answer(self, error: DomainError) -> None:
        request_id = new_request_id()
        body = problem_body(error, request_id)
        headers = (
            f"content-type: {PROBLEM_TYPE}\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[status_of(error)] + headers.encode() + body)
        # Of a head nobody can say what it was to be; a request whose body ends so is
        # logged as well, as one that the client has left.
        # A proxy's client is known once the application has begun.
        cycle = self.cycle
        asked = self.client if cycle is None or cycle.response_complete else cycle.scope["client"]
        client = asked[0] if asked else "-"
        log_access(client, "-", "-", status_of(error), 0.0, "", request_id)
        if (count := self.app_state.get(COUNT_REFUSED)) is not None:
            count(status_of(error))


def _too_large() -> DomainError:
    return refusal(
        ErrorCode.HEADERS_TOO_LARGE,
        Text(
            f"헤더나 트레일러가 {MOST_OUTSIDE_BYTES}바이트를 넘습니다.",
            f"Headers or trailers are over {MOST_OUTSIDE_BYTES} bytes.",
        ),
        Text("헤더를 줄이십시오.", "Send fewer or shorter headers."),
    )
