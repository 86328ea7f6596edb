"""What is wrong with an upload: counted whole, shown in part.

A converter that refuses a value raises `CellError` with its reasons; the caller
knows the place and adds them to `Problems`.
"""

import math
from typing import NamedTuple

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.korean import with_particle

MAX_SHOWN = 100
MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8785, RFC 7493)."""

_MAX_VALUE_CHARACTERS = 80


class Place(NamedTuple):
    """Where in the upload: a path for people, line and column for programs."""

    path: str
    line: int | None = None
    column: str | None = None


class Reason(NamedTuple):
    """Why a value is refused. `inside` is the path from its cell, e.g. `.at[2]`."""

    value: object
    message: Text
    allowed: Text
    inside: str = ""


class CellError(Exception):
    """A value that is not allowed, with at least one reason."""

    def __init__(self, *reasons: Reason) -> None:
        """Keep `reasons` in the order they were found."""
        super().__init__("; ".join(reason.message.en for reason in reasons))
        self.reasons = reasons


class Problems:
    """Everything that is wrong with one upload; keeps the first 100 findings."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self.total = 0
        self._findings: list[Finding] = []

    def add(self, place: Place, *reasons: Reason) -> None:
        """Count `reasons` at `place`, and keep them while there is room."""
        self.total += len(reasons)
        for reason in reasons[: MAX_SHOWN - len(self._findings)]:
            column = None if place.column is None else place.column + reason.inside
            detail: dict[str, object] = {
                "line": place.line,
                "column": column,
                "value": shown(reason.value),
                "allowed": reason.allowed.en,
            }
            self._findings.append(
                Finding(
                    ErrorCode.KNOWLEDGE_INVALID,
                    place.path + reason.inside,
                    reason.message,
                    Text(f"허용: {reason.allowed.ko}", f"Allowed: {reason.allowed.en}"),
                    detail,
                )
            )

    def raise_if_any(self) -> None:
        """Raise what was found, if anything.

        Raises:
            DomainError: `KNOWLEDGE_INVALID`; the first finding's data also tells
                how many there are in `total` and how many are `shown`.

        """
        if self._findings:
            self._findings[0].data.update(total=self.total, shown=len(self._findings))
            raise DomainError(*self._findings)


def csv_place(line: int, column: str | None = None) -> Place:
    """Return the place of a CSV cell, or of a whole line."""
    path = f"line {line}" if column is None else f"line {line}, column {column}"
    return Place(path, line, column)


def json_place(path: str) -> Place:
    """Return the place at a JSONPath; its column is the last key."""
    return Place(path, None, path.rpartition(".")[2])


def not_allowed(value: object, allowed: Text, inside: str = "") -> Reason:
    """Return the reason for a value outside `allowed`; None counts as not given."""
    if value is None or value == "":
        message = Text("값이 없습니다.", "No value is given.")
    else:
        quoted = f"'{shown(value)}'"
        message = Text(
            f"{with_particle(quoted, '은/는')} 쓸 수 없는 값입니다.",
            f"{quoted} is not allowed.",
        )
    return Reason(value, message, allowed, inside)


def required(key: str, allowed: Text, inside: str = "") -> Reason:
    """Return the reason for `key`, which must be given and is not; `allowed` is its value."""
    message = Text(f"필수 항목입니다: {key}", f"Required: {key}")
    return Reason(None, message, allowed, inside)


def shown(value: object) -> str | int | float | bool | None:
    """Return `value` short, printable and safe in any JSON encoder."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE_INTEGER else _short(str(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _short(value)
    # A container may be nested too deep to print.
    if isinstance(value, list):
        return "[...]"
    return "{...}" if isinstance(value, dict) else type(value).__name__


def _short(text: str) -> str:
    if len(text) > _MAX_VALUE_CHARACTERS:
        text = text[: _MAX_VALUE_CHARACTERS - 3] + "..."
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
