"""A server in this process, and a client that sees what comes, in the pieces in which it comes."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import uvicorn

from kis.serving.one_write import OneWrite

Send = Callable[[dict[str, Any]], Awaitable[None]]
App = TypeVar("App")
GUARD_S = 10
"""Nothing here takes so long: a test that waits longer has failed."""


class Client(asyncio.Protocol):
    """Keeps what comes in the pieces in which it comes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.is_lost = asyncio.Event()
        self._came = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self._came.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.is_lost.set()

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(GUARD_S):
            while not b"".join(self.pieces[-2:]).endswith(end):
                self._came.clear()
                await self._came.wait()
        return b"".join(self.pieces)

    async def all(self) -> bytes:
        """Return what has come once the server has closed the connection."""
        await asyncio.wait_for(self.is_lost.wait(), GUARD_S)
        return b"".join(self.pieces)


def serve(
    application: App,
    test: Callable[[App, Client, asyncio.Transport], Awaitable[None]],
    http: Any = OneWrite,
    **tls: Any,
) -> None:
    """Run `test` with a client that is connected to a server of `application`.

    `tls`: what `uvicorn.Config` is told of a certificate; it is the test that shakes hands.
    """

    async def run() -> None:
        asgi: Any = application
        config = uvicorn.Config(
            asgi, http=http, lifespan="off", log_config=None, timeout_graceful_shutdown=GUARD_S,
            **tls,
        )  # fmt: skip
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            loop = asyncio.get_running_loop()
            transport, client = await loop.create_connection(Client, *listener.getsockname())
            try:
                await test(application, client, transport)
            finally:
                transport.abort()
                server.should_exit = True
                await serving

    asyncio.run(run())
