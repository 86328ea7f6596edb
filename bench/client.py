"""A small HTTP/1.1 client: keep-alive, one request at a time, as little CPU as can be.

The load generator shares the machine with the server that it measures, so it
reads only what it needs of an answer: the status and the length.
"""

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple, cast

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
LAST = b"\r\nconnection: close"


class End(Enum):
    """How a connection ended: nothing more to ask, its last answer was given, or it broke."""

    DONE = auto()
    CLOSED = auto()
    BROKEN = auto()


class Taken(NamedTuple):
    """One answer: when it was asked for (monotonic s), how long it took, and what came."""

    began: float
    seconds: float
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """Sends what `next_request` gives until that is None; reports each answer."""

    def __init__(
        self, next_request: Callable[[], bytes | None], report: Callable[[Taken], None]
    ) -> None:
        """Prepare; begins once connected. `closed` becomes how it ended."""
        self.closed: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._next_request = next_request
        self._report = report
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transports are asyncio's in all but their base class.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Report the answer when it is whole, and send the next request."""
        received = self._received + data if self._received else data
        head_end = received.find(HEAD_END)
        if head_end >= 0:
            at = received.find(LENGTH, 0, head_end) + len(LENGTH)
            length = int(received[at : received.find(b"\r\n", at)])
            body_at = head_end + len(HEAD_END)
            if len(received) >= body_at + length:
                self._received = b""
                seconds = time.monotonic() - self._began
                self._report(Taken(self._began, seconds, int(received[9:12]), received[body_at:]))
                if received.find(LAST, 0, head_end) >= 0:
                    self._end(End.CLOSED)
                else:
                    self._send()
                return
        self._received = received

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note an end that nobody asked for."""
        if not self.closed.done():
            self.closed.set_result(End.BROKEN)

    def _send(self) -> None:
        request = self._next_request()
        if self._transport is None:
            return
        if request is None:
            self._end(End.DONE)
            return
        self._began = time.monotonic()
        self._transport.write(request)

    def _end(self, how: End) -> None:
        self.closed.set_result(how)
        if self._transport is not None:
            self._transport.close()


async def drive(
    port: int, connections: int, next_request: Callable[[], bytes | None],
    report: Callable[[Taken], None],
) -> int:  # fmt: skip
    """Ask on that many connections until `next_request` has nothing; return how many broke."""
    loop = asyncio.get_running_loop()

    async def open_one() -> Connection:
        made = await loop.create_connection(
            lambda: Connection(next_request, report), "127.0.0.1", port
        )
        return made[1]

    async def ask(connection: Connection) -> End:
        while await connection.closed is End.CLOSED:
            connection = await open_one()
        return await connection.closed

    opened = [await open_one() for _ in range(connections)]
    ended = await asyncio.gather(*(ask(connection) for connection in opened))
    return ended.count(End.BROKEN)
