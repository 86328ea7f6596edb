"""Answers that are the last on their connection, so that clients are spread anew."""

import asyncio

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from kis.api import reconnecting
from kis.api.reconnecting import Reconnecting


async def greet(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]})
    await send({"type": "http.response.body", "body": b"hello"})


def closing_among(requests: int) -> int:
    """Return after how many of so many answers the connection is closed."""

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Reconnecting(greet))
        async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
            return [await http.get("/") for _ in range(requests)]

    answers = asyncio.run(run())
    assert {(answer.text, answer.headers["x-a"]) for answer in answers} == {("hello", "b")}
    return sum(answer.headers.get("connection") == "close" for answer in answers)


@pytest.mark.parametrize(("last_of", "expected"), [(1, 20), (10**9, 0)])
def test_one_answer_in_so_many_is_the_last(
    monkeypatch: pytest.MonkeyPatch, last_of: int, expected: int
) -> None:
    monkeypatch.setattr(reconnecting, "LAST_OF", last_of)
    assert closing_among(20) == expected


def test_what_is_no_request_is_passed_on() -> None:
    seen: list[str] = []

    async def inside(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing() -> Message:
        return {}

    async def ignore(_message: Message) -> None:
        return

    asyncio.run(Reconnecting(inside)({"type": "lifespan"}, nothing, ignore))
    assert seen == ["lifespan"]
