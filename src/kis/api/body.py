"""Reads request bodies: strict JSON, or the bytes of a table."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from kis import strict_json
from kis.errors import ErrorCode, Text, refusal
from kis.estimate.request import parse_body
from kis.ops.apart import run_apart

MAX_SHOWN_CHARACTERS = 80
LARGE_BYTES = 256 * 1024
"""What takes longer than a millisecond to read is read in a thread."""
HUGE_BYTES = 2 << 20
"""What takes ten times as long in a process of its own: the parser holds the interpreter."""

Body = TypeVar("Body", bound=BaseModel)


async def read_json(request: Request) -> object:
    """Return the decoded JSON body.

    Raises:
        DomainError: UNSUPPORTED_MEDIA_TYPE, MALFORMED_JSON.

    """
    return await parse_json(await read_json_text(request))


async def read_json_text(request: Request) -> bytes:
    """Return the body, unread, of a request that says that it is JSON.

    Raises:
        DomainError: UNSUPPORTED_MEDIA_TYPE.

    """
    content_type = media_type(request)
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise unsupported_media_type(content_type, "application/json")
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise unsupported_coding(coding)
    return await request.body()


async def parse_json(raw: bytes) -> object:
    """Return the JSON value in `raw`; a large one is parsed beside the event loop.

    Raises:
        DomainError: MALFORMED_JSON.

    """
    try:
        if len(raw) > HUGE_BYTES:
            return await run_apart(strict_json.loads, raw)
        if len(raw) > LARGE_BYTES:
            return await asyncio.to_thread(strict_json.loads, raw)
        return strict_json.loads(raw)
    except strict_json.StrictJsonError as error:
        raise refusal(
            ErrorCode.MALFORMED_JSON,
            error.text,
            Text("올바른 JSON을 보내십시오.", "Send valid JSON."),
        ) from None


async def read_model(request: Request, model: type[Body]) -> Body:
    """Return the JSON body as a `model`.

    Raises:
        DomainError: as `read_json`; INVALID_REQUEST with all findings.

    """
    return parse_body(model, await read_json(request))


def media_type(request: Request) -> str:
    """Return the media type of the body, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported_media_type(found: str, wanted: str) -> Exception:
    """Return the error that a body is of another kind than `wanted`."""
    shown = found[:MAX_SHOWN_CHARACTERS]
    return refusal(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        Text(
            f"Content-Type이 {shown}입니다." if shown else "Content-Type이 없습니다.",
            f"The Content-Type is {shown or 'missing'}.",
        ),
        Text(
            f"다음 Content-Type으로 보내십시오: {wanted}",
            f"Send it with a Content-Type of {wanted}.",
        ),
    )


def unsupported_coding(found: str) -> Exception:
    """Return the error that a body is compressed: a small one could hold any amount."""
    shown = found[:MAX_SHOWN_CHARACTERS]
    return refusal(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        Text(f"Content-Encoding이 {shown}입니다.", f"The Content-Encoding is {shown}."),
        Text("압축하지 않고 보내십시오.", "Send it uncompressed."),
    )
