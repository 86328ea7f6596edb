"""Answers over a real connection: whole, in their order, and no more held back than a turn."""

import asyncio
from typing import Any

from kis.serving.one_write import MOST_BYTES
from tests.unit.serving.served import Client, Send, serve

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


def test_head_and_body_come_in_one_piece() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        for _number in range(3):
            client.pieces.clear()
            transport.write(REQUEST % (b"short", b""))
            received = await client.until(b"\r\n\r\nshort")
            assert received.startswith(b"HTTP/1.1 200 OK\r\n")
            assert len(client.pieces) == 1

    serve(Application(), test)


def test_first_part_does_not_wait_for_the_last() -> None:
    async def test(application: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(REQUEST % (b"slow", b""))
        await client.until(b"\r\n\r\nslow")
        application.may_end.set()
        await client.until(b"\r\n\r\nslow ends")

    serve(Application(), test)


def test_answer_is_whole_before_the_connection_closes() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(REQUEST % (b"short", b"Connection: close\r\n"))
        await client.until(b"\r\n\r\nshort")
        await asyncio.wait_for(client.is_lost.wait(), 10)

    serve(Application(), test)


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

    serve(Application(), test)
