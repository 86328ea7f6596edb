"""A stored estimate beside what it would be under another version: both drawn. Pure."""

from typing import Any, NamedTuple

import msgspec

from kis.errors import DomainError, Finding, Language
from kis.estimate.drawing.sheet import Drawn, draw
from kis.estimate.preview import preview_board
from kis.estimate.request import parse_board
from kis.estimate.stored import decode_stored
from kis.knowledge.snapshot import Snapshot


class Picture(NamedTuple):
    """A board drawn: the SVG, the enclosure and what it is made of."""

    drawing: str
    drawn: Drawn


class Redrawn(NamedTuple):
    """A board as it was answered, and as it would be; `refusals` say why it would not."""

    before: Picture
    after: Picture | None
    refusals: tuple[Finding, ...] = ()


class _Asked(msgspec.Struct):
    """What was asked, of a stored answer."""

    request: dict[str, Any]


def request_of(answer: bytes) -> dict[str, Any]:
    """Return the request that a stored answer was given to.

    Raises:
        DomainError: as `decode_stored`.

    """
    return decode_stored(answer, _Asked).request


def redraw(answer: bytes, snapshot: Snapshot, language: Language) -> Redrawn:
    """Return the board of a stored `answer` as it is, and as it would be under `snapshot`.

    Brands may be mixed: whether that is allowed was decided when it was asked.

    Raises:
        DomainError: as `decode_stored`.

    """
    before = _picture(decode_stored(answer, Drawn), language)
    try:
        draft = parse_board(request_of(answer))
        after = preview_board(draft, snapshot, allow_mixed=True)
    except DomainError as error:
        return Redrawn(before, None, error.findings)
    return Redrawn(before, _picture(after, language))


def _picture(drawn: Drawn, language: Language) -> Picture:
    return Picture(draw(drawn, language, views_only=True), drawn)
