"""An answer in one write: uvicorn writes head and body apart.

Each write is a system call, a packet, and a client that wakes up to find half an
answer: some 15 us of the 400 that a create takes, and 10 more of its client.
"""

import asyncio
from typing import Any, cast

from kis.serving.bounded import Bounded

MOST_BYTES = 64 * 1024
"""What is held back at most: beyond it the transport is to say when it is full."""


class OneWrite(Bounded):
    """HTTP/1.1 as uvicorn speaks it, but what is written in one turn of the loop goes together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak on `transport`."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))


class _Joined:
    """A transport that joins what is written to it until the turn ends."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._size += len(data)
        if self._size >= MOST_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held = []
        self._size = 0
