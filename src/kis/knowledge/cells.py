"""Single values of an upload: each function converts one or raises `CellError`.

CSV gives text, JSON gives typed values; what is allowed is the same.
"""

import re
import sys
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from kis.errors import Text
from kis.knowledge.problems import CellError, not_allowed
from kis.units import from_mm

Value = TypeVar("Value")

MAX_NAME_CHARACTERS = 100
MAX_FRAME_SIZE_A = 10_000

_NAME = Text(
    f"1~{MAX_NAME_CHARACTERS}자의 문자열 (제어 문자와 보이지 않는 문자 제외)",
    f"1 to {MAX_NAME_CHARACTERS} characters, none of them control or invisible characters",
)
_FRAME = Text(f"1~{MAX_FRAME_SIZE_A}의 정수", f"a whole number from 1 to {MAX_FRAME_SIZE_A}")
_WHOLE_TEXT = re.compile(r"[0-9]{1,9}")
_DECIMAL_TEXT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_POLES = {f"{poles}P": poles for poles in range(1, 5)}
_MEMO_ENTRIES = 10_000


class Memo(dict[str, Value], Generic[Value]):
    """Converted values by their text: a table repeats most of its cells."""

    def __init__(self, convert: Callable[[str], Value]) -> None:
        """Convert by `convert` what is not known yet; what it raises is not kept."""
        super().__init__()
        self._convert = convert

    def __missing__(self, text: str) -> Value:
        """Convert and keep. Forgets all when full, to stay small on unique cells."""
        value = self._convert(text)
        if len(self) >= _MEMO_ENTRIES:
            self.clear()
        self[text] = value
        return value


class SizeRange(NamedTuple):
    """What lengths are believable, in mm."""

    least_mm: int | float
    most_mm: int | float

    @property
    def allowed(self) -> Text:
        """The range in words."""
        span = f"{self.least_mm}~{self.most_mm} mm"
        return Text(
            f"{span}의 수 (0.1 mm 단위, 자릿수 쉼표 없이)",
            f"a number from {self.least_mm} to {self.most_mm} mm in steps of 0.1 mm, "
            "without thousands separators",
        )


def choice(value: object, allowed: Mapping[str, Value]) -> Value:
    """Return what `allowed` holds for the text `value`, spelled exactly.

    Raises:
        CellError: it holds nothing for it.

    """
    if isinstance(value, str):
        found = allowed.get(value.strip())
        if found is not None:
            return found
    raise CellError(not_allowed(value, one_of(allowed)))


def one_of(words: Collection[str]) -> Text:
    """Return `words` as what is allowed."""
    listed = ", ".join(words)
    return Text(listed, listed)


def read_name(value: object) -> str:
    """Return the trimmed text of a model, series, code or kind.

    Raises:
        CellError: it is no text, empty, too long or has invisible characters.

    """
    if isinstance(value, str):
        text = value.strip()
        if 0 < len(text) <= MAX_NAME_CHARACTERS and text.isprintable():
            return text
    raise CellError(not_allowed(value, _NAME))


def read_repeated_name(value: object) -> str:
    """Return `read_name` as one object for all rows that share it."""
    return sys.intern(read_name(value))


def read_poles(value: object) -> int:
    """Return the number of poles of `1P` to `4P`.

    Raises:
        CellError: anything else.

    """
    return choice(value, _POLES)


def read_frame_text(text: str) -> int:
    """Return the frame size in A of a CSV cell.

    Raises:
        CellError: it is no whole number from 1 to 10,000.

    """
    plain = text.strip()
    return read_frame(int(plain) if _WHOLE_TEXT.fullmatch(plain) else text)


def read_frame(value: object) -> int:
    """Return the frame size in A of a JSON value.

    Raises:
        CellError: it is no whole number from 1 to 10,000.

    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_FRAME_SIZE_A:
        return value
    raise CellError(not_allowed(value, _FRAME))


def size_text_reader(size: SizeRange) -> Callable[[str], int]:
    """Return a converter from a CSV cell in mm to tenths; it raises `CellError`."""

    def read(text: str) -> int:
        plain = text.strip()
        if not _DECIMAL_TEXT.fullmatch(plain):
            raise CellError(not_allowed(text, size.allowed))
        return _tenths(Decimal(plain), size, text)

    return read


def size_reader(size: SizeRange) -> Callable[[object], int]:
    """Return a converter from a JSON number in mm to tenths; it raises `CellError`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CellError(not_allowed(value, size.allowed))
        return _tenths(value, size, value)

    return read


def _tenths(mm: float | Decimal, size: SizeRange, value: object) -> int:
    # The comparison comes first: it also refuses NaN and infinities.
    if size.least_mm <= mm <= size.most_mm:
        try:
            return from_mm(mm)
        except ValueError:
            pass
    raise CellError(not_allowed(value, size.allowed))
