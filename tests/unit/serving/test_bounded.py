"""What a connection may take of the server before it has shown a key, over real connections."""

import asyncio
import json
from typing import Any

import pytest

from kis.api.metrics import COUNT_REFUSED
from kis.serving.bounded import MOST_OUTSIDE_BYTES, Bounded
from kis.serving.one_write import OneWrite
from tests.unit.serving.served import GUARD_S, Client, Send, serve

HEAD = b"%b HTTP/1.1\r\nHost: kis\r\n%b"
CHUNKED = HEAD % (b"POST /whole", b"Transfer-Encoding: chunked\r\n\r\n")
SOON_S = 0.01
NEVER_S = 3_600.0
UNREAD = HEAD % (b"POST /unread", b"Transfer-Encoding: chunked\r\n\r\n")


class Application:
    """Tells how long the body was; at /unread it answers without looking at it."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.has_read = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        self.has_begun.set()
        if scope["path"] == "/half":
            await self._answer(send, b"half", more=True)
        size = 0
        more = scope["path"] != "/unread"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            self.has_read.set()
            more = message["more_body"]
        await self._answer(send, b"%d bytes" % size)

    async def _answer(self, send: Send, body: bytes, *, more: bool = False) -> None:
        headers = [] if more else [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": more})


class Made:
    """Makes connections that wait so long; the last one can be looked at."""

    def __init__(self, head_within_s: float, silent_s: float = NEVER_S) -> None:
        self._head_within_s = head_within_s
        self._silent_s = silent_s
        self.counted: list[int] = []
        self.last: Bounded

    def __call__(self, **given: Any) -> OneWrite:
        given["app_state"] = {COUNT_REFUSED: self.counted.append}
        self.last = made = OneWrite(
            head_within_s=self._head_within_s, silent_s=self._silent_s, **given
        )
        return made


def padded(start: bytes, size: int, end: bytes = b"") -> bytes:
    """Return `start`, as much in between as makes it `size` bytes, and `end`."""
    return start + b"a" * (size - len(start) - len(end)) + end


def assert_refused(answer: bytes, status: int = 431, code: str = "HEADERS_TOO_LARGE") -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *headers = head.decode().lower().split("\r\n")
    assert first.startswith(f"http/1.1 {status} ")
    fields = dict(line.split(": ", 1) for line in headers)
    assert fields["content-type"] == "application/problem+json"
    assert fields["connection"] == "close"
    problem = json.loads(body)
    assert len(body) == int(fields["content-length"])
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["requestId"] == fields["x-request-id"]


@pytest.mark.parametrize(
    ("before", "start"),
    [
        (b"", HEAD % (b"GET /", b"X-Endless: ")),
        (b"", b"GET /"),
        (b"", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000),
        (b"", b"\r\n" * 10_000 + b"GET /"),
        (CHUNKED, b"0\r\nX-Endless: "),
        (CHUNKED, b"1;extension="),
    ],
    ids=["header", "address", "many headers", "empty lines", "trailer", "chunk's extension"],
)
def test_what_does_not_end_is_refused(before: bytes, start: bytes) -> None:
    async def test(application: Application, client: Client, transport: asyncio.Transport) -> None:
        if before:
            transport.write(before)
            await asyncio.wait_for(application.has_begun.wait(), GUARD_S)
        sent = padded(start, MOST_OUTSIDE_BYTES + 1)
        for at in range(0, len(sent), 1_000):
            transport.write(sent[at : at + 1_000])
            await asyncio.sleep(0)
        assert_refused(await client.all())

    serve(Application(), test)


@pytest.mark.parametrize(("over", "is_taken"), [(0, True), (1, False)])
def test_limit_of_a_head_is_exact(over: int, *, is_taken: bool) -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        start = HEAD % (b"GET /", b"X-Long: ")
        transport.write(padded(start, MOST_OUTSIDE_BYTES + over, b"\r\n\r\n"))
        if is_taken:
            await client.until(b"\r\n\r\n0 bytes")
        else:
            assert_refused(await client.all())

    serve(Application(), test)


def test_trailer_after_the_answer_is_refused() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(UNREAD + b"0\r\n")
        await client.until(b"\r\n\r\n0 bytes")
        client.pieces.clear()
        transport.write(padded(b"X-Endless: ", MOST_OUTSIDE_BYTES + 1))
        assert_refused(await client.all())

    serve(Application(), test)


def test_no_second_answer_within_one() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(HEAD % (b"POST /half", b"Transfer-Encoding: chunked\r\n\r\n"))
        await client.until(b"half\r\n")
        transport.write(padded(b"0\r\nX-Endless: ", MOST_OUTSIDE_BYTES + 1))
        answer = await client.all()
        assert b"431" not in answer
        assert answer.endswith(b"half\r\n")

    serve(Application(), test)


def test_bodies_are_not_counted() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        size = MOST_OUTSIDE_BYTES * 20
        for _number in range(2):
            transport.write(HEAD % (b"POST /whole", b"Content-Length: %d\r\n\r\n" % size))
            transport.write(b"x" * size)
            await client.until(b"\r\n\r\n%d bytes" % size)

    serve(Application(), test)


def test_sizes_of_many_small_chunks_are_not_counted() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(CHUNKED + b"1\r\nx\r\n" * MOST_OUTSIDE_BYTES + b"0\r\n\r\n")
        await client.until(b"\r\n\r\n%d bytes" % MOST_OUTSIDE_BYTES)

    serve(Application(), test)


def test_many_requests_of_one_connection_are_not_counted_together() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        request = padded(HEAD % (b"GET /", b"X-Long: "), 1_000, b"\r\n\r\n")
        for _number in range(2 * MOST_OUTSIDE_BYTES // len(request)):
            transport.write(request)
            await client.until(b"\r\n\r\n0 bytes")
            client.pieces.clear()

    serve(Application(), test)


async def trickle(client: Client, transport: asyncio.Transport, what: bytes) -> None:
    """Send `what` again and again until the server has closed the connection."""
    async with asyncio.timeout(GUARD_S):
        while not client.is_lost.is_set():
            transport.write(what)
            await asyncio.sleep(SOON_S / 10)


def test_who_asks_nothing_is_left() -> None:
    async def test(_: Application, client: Client, _transport: asyncio.Transport) -> None:
        assert await client.all() == b""

    serve(Application(), test, Made(SOON_S))


def test_a_head_in_small_pieces_has_no_more_time() -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(HEAD % (b"GET /", b"X-Slow: "))
        await trickle(client, transport, b"a")
        assert await client.all() == b""

    serve(Application(), test, Made(SOON_S))


@pytest.mark.parametrize(
    ("first", "more"),
    [(HEAD % (b"GET /", b"\r\n"), b"X"), (UNREAD, b"1\r\nx\r\n")],
    ids=["the next head", "a body that nobody reads"],
)
def test_after_an_answer_there_is_no_more_time_either(first: bytes, more: bytes) -> None:
    made = Made(NEVER_S)

    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(first)
        await client.until(b"\r\n\r\n0 bytes")
        made.last._head_within_s = SOON_S
        await trickle(client, transport, more)

    serve(Application(), test, made)


@pytest.mark.parametrize("begun", [b"", b"1\r\nx\r\n", b"ff\r\nx"])
def test_a_body_that_stops_coming_is_waited_for_no_longer(begun: bytes) -> None:
    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(CHUNKED + begun)
        assert_refused(await client.all(), 408, "REQUEST_TIMEOUT")

    made = Made(NEVER_S, SOON_S)
    serve(Application(), test, made)
    assert made.counted == [408]


def test_whose_answer_has_begun_may_be_silent() -> None:
    """As in a batch: it knows itself whom it waits for."""
    made = Made(NEVER_S)

    async def test(_: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(HEAD % (b"POST /half", b"Transfer-Encoding: chunked\r\n\r\n"))
        await client.until(b"half\r\n")
        made.last._silent_s = SOON_S
        transport.write(b"1\r\nx\r\n")
        await asyncio.sleep(10 * SOON_S)
        assert not client.is_lost.is_set()

    serve(Application(), test, made)


def test_each_piece_of_a_body_has_its_time() -> None:
    made = Made(NEVER_S)

    async def test(application: Application, client: Client, transport: asyncio.Transport) -> None:
        transport.write(CHUNKED[:20])
        await asyncio.sleep(SOON_S)
        assert made.last._deadline is not None
        transport.write(CHUNKED[20:])
        await asyncio.wait_for(application.has_begun.wait(), GUARD_S)
        first = made.last._deadline
        transport.write(b"3\r\nabc\r\n")
        await asyncio.wait_for(application.has_read.wait(), GUARD_S)
        assert made.last._deadline is not first
        assert first is not None
        assert first.cancelled()
        transport.write(b"0\r\n\r\n")
        await client.until(b"\r\n\r\n3 bytes")
        assert made.last._deadline is None

    serve(Application(), test, made)
