"""Answers over a real connection: whole, in their order, and no more held back than a turn."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from kis.cli.one_write import MOST_BYTES, OneWrite

Send = Callable[[dict[str, Any]], Awaitable[None]]
REQUEST = b"GET /%b HTTP/1.1\r\nHost: kis\r\n%b\r\n"
PART = b"x" * MOST_BYTES
PARTS = 300


class Application:
    """Answers by path; the slow one says the second part once it may."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Send) -> None:
        match scope["path"]:
            case "/short":
                await self._start(send, 5)
                await send({"type": "http.response.body", "body": b"short"})
            case "/slow":
                await self._start(send, 9)
                await send({"type": "http.response.body", "body": b"slow", "more_body": True})
                await self.may_end.wait()
                await send({"type": "http.response.body", "body": b" ends"})
            case "/large":
                await self._start(send, PARTS * len(PART) + 3)
                self.has_begun.set()
                for _ in range(PARTS):
                    await send({"type": "http.response.body", "body": PART, "more_body": True})
                    self.sent += 1
                await send({"type": "http.response.body", "body": b"END"})

    async def _start(self, send: Send, length: int) -> None:
        headers = [(b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


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
        async with asyncio.timeout(10):
            while not b"".join(self.pieces[-2:]).endswith(end):
                self._came.clear()
                await self._came.wait()
        return b"".join(self.pieces)


def serve(test: Callable[[Application, Client, asyncio.Transport], Awaitable[None]]) -> None:
    """Run `test` with a client that is connected to a server."""

    async def run() -> None:
        application = Application()
        config = uvicorn.Config(application, http=OneWrite, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            loop = asyncio.get_running_loop()
            transport, client = await loop.create_connection(Client, *listener.getsockname())
            try:
                await test(application, client, transport)
            finally:
                transport.abort()
                application.may_end.set()
                server.should_exit = True
                await serving

    asyncio.run(run())


def test_head_and_body_come_in_one_piece() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        for _number in range(3):
            client.pieces.clear()
            transport.write(REQUEST % (b"short", b""))
            received = await client.until(b"\r\n\r\nshort")
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
            assert len(client.pieces) == 1

    serve(test)


def test_first_part_does_not_wait_for_the_last() -> None:
    async def test(application: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(REQUEST % (b"slow", b""))
        await client.until(b"\r\n\r\nslow")
        application.may_end.set()
        await client.until(b"\r\n\r\nslow ends")

    serve(test)


def test_answer_is_whole_before_the_connection_closes() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(REQUEST % (b"short", b"Connection: close\r\n"))
        await client.until(b"\r\n\r\nshort")
        await asyncio.wait_for(client.is_lost.wait(), 10)

    serve(test)


def test_who_does_not_read_stops_the_sending() -> None:
    async def test(application: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.pause_reading()
        transport.write(REQUEST % (b"large", b""))
        await asyncio.wait_for(application.has_begun.wait(), 10)
        await asyncio.sleep(0.2)
        assert application.sent < PARTS
        transport.resume_reading()
        received = await client.until(b"END")
        assert received.partition(b"\r\n\r\n")[2] == PART * PARTS + b"END"

    serve(test)
