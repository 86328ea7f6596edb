"""Batches for tests: bodies of lines, and a client that sends and reads as slowly as it likes."""

import json
import socket
from collections.abc import Iterable
from typing import Any, Self

from tests.integration.lifecycle import Sender
from tests.services import API_KEY, Server

BATCH = "/v1/estimate/batch"
NDJSON = "application/x-ndjson"
TIMEOUT_S = 30


def body_of(lines: Iterable[Any]) -> bytes:
    """Return `lines` as NDJSON; bytes are lines as they are."""
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )


def send_batch(to: Sender, *lines: Any) -> list[Any]:
    """Send one batch and return its answers."""
    response = to.request(
        "POST", BATCH, content=body_of(lines), headers={"Content-Type": NDJSON}
    )  # fmt: skip
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == NDJSON
    return [json.loads(line) for line in response.content.splitlines()]


class Wire:
    """A batch on a connection of its own, sent in chunks and read as it comes."""

    def __init__(self, server: Server, *, buffer_bytes: int = 0) -> None:
        """Send the head; `buffer_bytes` keeps small what the system reads ahead for us."""
        self._socket = socket.socket()
        if buffer_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(("127.0.0.1", server.port))
        self._socket.sendall(
            f"POST {BATCH} HTTP/1.1\r\nHost: kis\r\nX-API-Key: {API_KEY}\r\n"
            f"Content-Type: {NDJSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        self._received = b""
        self._answers: list[Any] = []
        self._is_open = True

    def send(self, *lines: Any) -> None:
        """Send lines, as one chunk."""
        self.send_raw(body_of(lines))

    def send_raw(self, raw: bytes) -> None:
        """Send bytes, as one chunk."""
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(raw), raw))

    def fill(self, lines: bytes, most: int) -> int:
        """Send `lines` again and again until nothing is taken for 2 s; return how many bytes."""
        self._socket.settimeout(2)
        frame = b"%x\r\n%b\r\n" % (len(lines), lines)
        sent = 0
        try:
            while sent < most:
                sent += self._socket.send(frame[sent % len(frame) :])
        except TimeoutError:
            pass
        self._socket.settimeout(TIMEOUT_S)
        return sent

    def end(self) -> None:
        """Say that there will be no more lines."""
        self._socket.sendall(b"0\r\n\r\n")

    def read(self, count: int) -> list[Any]:
        """Return the next `count` answers, waiting for them."""
        while len(self._answers) < count:
            assert self._receive(), f"only {len(self._answers)} answers"
        found, self._answers = self._answers[:count], self._answers[count:]
        return found

    def rest(self) -> list[Any]:
        """Return all answers until the connection, or the answer, ends."""
        while self._is_open and self._receive():
            pass
        found, self._answers = self._answers, []
        return found

    def _receive(self) -> bool:
        try:
            received = self._socket.recv(1 << 16)
        except ConnectionError:
            return False
        self._received += received
        if b"0\r\n\r\n" in self._received[-5:]:
            self._is_open = False
        # Lines of JSON begin with a brace, sizes of chunks and headers never do.
        *whole, self._received = self._received.split(b"\n")
        self._answers += [json.loads(line) for line in whole if line.startswith(b"{")]
        return bool(received)

    def hang_up(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.hang_up()
