"""Bodies of requests: their media type, strict JSON, and models."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from kis import strict_json
from kis.api.body import LARGE_BYTES, media_type, read_json, read_model, unsupported_media_type
from kis.errors import DomainError, ErrorCode

JSON = "application/json"


class Order(BaseModel):
    """A body of two fields."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: str
    size: int = 10


def request(content_type: str | None, *chunks: bytes) -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return Request({"type": "http", "headers": headers}, receive)


def refused(coroutine: Any) -> tuple[ErrorCode, Sequence[str]]:
    with pytest.raises(DomainError) as error:
        asyncio.run(coroutine)
    return error.value.main.code, [finding.path for finding in error.value.findings]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, ""), ("", ""), (JSON, JSON), ("Application/JSON", JSON),
        (" application/json ; charset=utf-8", JSON), ("text/csv;header=present", "text/csv"),
        (";", ""), ("\xff", "ÿ"),
    ],
)  # fmt: skip
def test_media_type(header: str | None, kind: str) -> None:
    assert media_type(request(header)) == kind


@pytest.mark.parametrize("content_type", [JSON, "application/merge-patch+json"])
def test_json_in_pieces(content_type: str) -> None:
    pieces = (b'{"a', b'": "\xed\x95', b'\x9c"}')
    assert asyncio.run(read_json(request(content_type, *pieces))) == {"a": "한"}


@pytest.mark.parametrize("content_type", [None, "text/json", "application/jsonp", "text/csv"])
def test_other_kinds_are_not_read(content_type: str | None) -> None:
    code, _ = refused(read_json(request(content_type, b"{}")))
    assert code is ErrorCode.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize(
    ("found", "said"),
    [("", "Content-Type이 없습니다."), ("text/csv", "Content-Type이 text/csv입니다.")],
)
def test_other_kind_is_named_and_so_is_none(found: str, said: str) -> None:
    with pytest.raises(DomainError) as error:
        raise unsupported_media_type(found, JSON)
    assert error.value.main.message.ko == said
    assert JSON in error.value.main.hint.ko


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1, "a": 2}', b"NaN", b"\xff"])
def test_what_is_not_json(body: bytes) -> None:
    assert refused(read_json(request(JSON, body))) == (ErrorCode.MALFORMED_JSON, [""])


@pytest.mark.parametrize(("size", "elsewhere"), [(LARGE_BYTES, False), (LARGE_BYTES + 1, True)])
def test_large_body_is_read_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch, size: int, elsewhere: bool
) -> None:
    threads = []
    loads = strict_json.loads

    def note(raw: bytes) -> object:
        threads.append(threading.get_ident())
        return loads(raw)

    monkeypatch.setattr(strict_json, "loads", note)
    assert asyncio.run(read_json(request(JSON, b"{}".ljust(size)))) == {}
    assert (threads != [threading.get_ident()]) is elsewhere


def test_model() -> None:
    order = asyncio.run(read_model(request(JSON, b'{"label": "v-2"}'), Order))
    assert (order.label, order.size) == ("v-2", 10)


def test_all_fields_that_are_wrong() -> None:
    body = b'{"size": "10", "more": 1}'
    code, paths = refused(read_model(request(JSON, body), Order))
    assert (code, set(paths)) == (ErrorCode.INVALID_REQUEST, {"$.label", "$.size", "$.more"})


def test_refusal_shows_the_kind_and_not_all_of_it() -> None:
    error = unsupported_media_type("a" * 10_000, JSON)
    assert isinstance(error, DomainError)
    assert len(error.main.message.en) < 200
    assert JSON in error.main.hint.ko
