"""Reads what a page sends."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.requests import Request

from kis.errors import ErrorCode, Text, refusal

MAX_FIELDS = 200
MAX_DIGITS = 10


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; of two with one name the last.

    Raises:
        DomainError: INVALID_REQUEST, it is no form of ours.

    """
    try:
        fields = parse_qsl(
            (await request.body()).decode(),
            keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict",
        )  # fmt: skip
        refuse_nul(value for _, value in fields)
    except (UnicodeDecodeError, ValueError) as error:
        raise refusal(
            ErrorCode.INVALID_REQUEST,
            Text("양식을 읽을 수 없습니다.", "The form cannot be read."),
            Text("페이지를 다시 열고 하십시오.", "Open the page again."),
        ) from error
    return dict(fields)


def refuse_nul(values: Iterable[str]) -> None:
    """Refuse what no text of ours holds, and none in PostgreSQL can.

    Raises:
        DomainError: INVALID_REQUEST.

    """
    if any("\x00" in value for value in values):
        raise refusal(
            ErrorCode.INVALID_REQUEST,
            Text("NUL 문자가 있습니다.", "There is a NUL character."),
            Text("그 문자를 빼십시오.", "Leave it out."),
        )


def number_or_text(text: str) -> int | str | None:
    """Return what a field for a whole number holds; None for an empty one.

    Any other text stays what it is, for whoever checks the form to refuse.
    """
    text = text.strip()
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number else text
