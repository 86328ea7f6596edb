"""The `meta` column: a JSON object with the kind of a breaker and more."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from kis.errors import Text
from kis.knowledge.cells import choice
from kis.knowledge.json_text import canonical_object, inside_key, load_json
from kis.knowledge.model import BreakerType, Confidence, Grade
from kis.knowledge.problems import CellError, Reason, not_allowed

MAX_TEXT_CHARACTERS = 1_000
MAX_RATED_CURRENT_A = 10_000
MAX_BREAKING_CAPACITY_KA = 1_000

_TYPES: dict[str, BreakerType] = {name: name for name in get_args(BreakerType)}
_GRADES: dict[str, Grade] = {name: name for name in get_args(Grade)}
_CONFIDENCES: dict[str, Confidence] = {name: name for name in get_args(Confidence)}

_OBJECT = Text('JSON 객체, 예: {"type":"MCCB"}', 'a JSON object, such as {"type":"MCCB"}')
_CURRENTS = Text(
    f"1~{MAX_RATED_CURRENT_A} A 정수의 배열",
    f"a list of whole numbers from 1 to {MAX_RATED_CURRENT_A} A",
)
_CAPACITY = Text(
    f"0보다 크고 {MAX_BREAKING_CAPACITY_KA} 이하인 수(kA)",
    f"a number above 0, at most {MAX_BREAKING_CAPACITY_KA} kA",
)
_LINE = Text(
    f"{MAX_TEXT_CHARACTERS}자 이하의 문자열", f"text of at most {MAX_TEXT_CHARACTERS} characters"
)


class Meta(NamedTuple):
    """What the meta of one row says. `extra` holds the keys that KIS does not read."""

    type: BreakerType
    grade: Grade | None
    rated_currents_a: tuple[int, ...]
    breaking_capacity_ka: int | float | None
    breaking_capacity_basis: str
    confidence: Confidence | None
    warning: str
    extra: dict[str, object] | None


def read_meta_text(text: str) -> Meta:
    """Return the meta of a CSV cell.

    Raises:
        CellError: it is not JSON, repeats a key, or `read_meta` refuses it.

    """
    if not text.strip():
        raise CellError(not_allowed("", _OBJECT))
    value, repeated = load_json(text)
    if repeated:
        raise CellError(*repeated)
    return read_meta(value)


def read_meta(value: object) -> Meta:
    """Return the meta of a decoded JSON object; null counts as not stated.

    Raises:
        CellError: with a reason for every value that is not allowed.

    """
    if not isinstance(value, dict):
        raise CellError(not_allowed(value, _OBJECT))
    plain = canonical_object(value)
    read: dict[str, Any] = {}
    reasons: list[Reason] = []
    for key, (field, convert, default) in _READERS.items():
        value = plain.get(key)
        try:
            read[field] = default if value is None and key != "type" else convert(value)
        except CellError as error:
            step = inside_key(key)
            reasons += [reason._replace(inside=step + reason.inside) for reason in error.reasons]
    if reasons:
        raise CellError(*reasons)
    extra = {key: value for key, value in plain.items() if key not in _READERS}
    return Meta(**read, extra=extra or None)


def without_series(extra: Mapping[str, object] | None, series: str) -> dict[str, object] | None:
    """Return `extra` without a `series` that only repeats the row's own; None if empty."""
    if extra is None:
        return None
    rest = {key: value for key, value in extra.items() if key != "series" or value != series}
    return rest or None


def _read_type(value: object) -> BreakerType:
    return choice(value, _TYPES)


def _read_grade(value: object) -> Grade:
    return choice(value, _GRADES)


def _read_confidence(value: object) -> Confidence:
    return choice(value, _CONFIDENCES)


def _read_currents(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise CellError(not_allowed(value, _CURRENTS))
    reasons = [
        not_allowed(current, _CURRENTS, f"[{index}]")
        for index, current in enumerate(value)
        if type(current) is not int or not 1 <= current <= MAX_RATED_CURRENT_A
    ]
    if reasons:
        raise CellError(*reasons)
    return tuple(value)


def _read_capacity(value: object) -> int | float:
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value <= MAX_BREAKING_CAPACITY_KA
    ):
        return value
    raise CellError(not_allowed(value, _CAPACITY))


def _read_line(value: object) -> str:
    if isinstance(value, str) and len(value) <= MAX_TEXT_CHARACTERS:
        # Thousands of rows share these words: keep them once.
        return sys.intern(value)
    raise CellError(not_allowed(value, _LINE))


_READERS: dict[str, tuple[str, Callable[[object], object], object]] = {
    "type": ("type", _read_type, None),
    "grade": ("grade", _read_grade, None),
    "at": ("rated_currents_a", _read_currents, ()),
    "icu_ka": ("breaking_capacity_ka", _read_capacity, None),
    "icu_basis": ("breaking_capacity_basis", _read_line, ""),
    "confidence": ("confidence", _read_confidence, None),
    "warning": ("warning", _read_line, ""),
}
