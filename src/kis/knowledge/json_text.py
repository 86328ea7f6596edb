"""JSON as KIS accepts it: no repeated keys, and values that RFC 8785 can encode."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

from kis.errors import Text
from kis.knowledge.problems import MAX_SAFE_INTEGER, CellError, Reason, not_allowed, shown
from kis.strict_json import fault_in_korean

MAX_DEPTH = 10
MIN_FRACTION = 1e-4
"""Fast encoders and RFC 8785 write smaller numbers differently."""

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_JSON = Text("JSON 형식의 텍스트", "JSON text")
_TEXT = Text("제어 문자가 없는 문자열", "text without control characters")
_KEY = Text(
    "제어 문자와 이모지가 없는 100자 이하의 키",
    "a key of at most 100 characters, without control characters or emoji",
)
_NUMBER = Text(
    f"0이거나 크기가 {MIN_FRACTION:g} 이상 {MAX_SAFE_INTEGER} 이하인 수",
    f"a number that is 0 or of magnitude {MIN_FRACTION:g} to {MAX_SAFE_INTEGER}",
)
_DEPTH = Text(f"{MAX_DEPTH}단계까지의 중첩", f"nesting of at most {MAX_DEPTH} levels")
_VALUE = Text("JSON 값", "a JSON value")
_ONCE = Text("객체 안에서 한 번만 쓰는 키", "each key once in an object")
_MAX_KEY_CHARACTERS = 100

# The way to a value, innermost first: what holds it, and its key or index there.
_Step: TypeAlias = "tuple[_Step, object] | None"


class _Repeating(dict[str, object]):
    """A decoded object whose text gave a key more than once."""

    repeated: tuple[str, ...] = ()


def load_json(text: str) -> tuple[object, tuple[Reason, ...]]:
    """Return the decoded value and a reason for every repeated key.

    NaN and Infinity come back as floats, for the reader of the field to refuse.

    Raises:
        CellError: `text` is not JSON, or is nested too deep to decode.

    """
    found_repeated = False

    def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal found_repeated
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        found_repeated = True
        times = Counter(key for key, _ in pairs)
        repeating = _Repeating(plain)
        repeating.repeated = tuple(key for key in plain if times[key] > 1)
        return repeating

    try:
        value: object = json.loads(text, object_pairs_hook=as_object)
    except json.JSONDecodeError as error:
        raise CellError(_not_json(text, error.msg, error.pos + 1)) from error
    except RecursionError as error:
        raise CellError(not_allowed("{...}", _DEPTH)) from error
    except ValueError as error:  # an integer of thousands of digits
        raise CellError(_not_json(text, "an integer with too many digits")) from error
    return value, tuple(_repeated_keys(value)) if found_repeated else ()


def canonical_object(value: dict[Any, object]) -> dict[str, object]:
    """Return `value` with whole floats as ints, fit for a canonical encoding.

    Raises:
        CellError: with a reason for every part that RFC 8785 cannot encode, or
            that fast encoders write in another way.

    """
    reasons: list[Reason] = []
    plain = _plain_object(value, None, 0, reasons)
    if reasons:
        raise CellError(*reasons)
    return plain


def inside_key(key: object) -> str:
    """Return the path step to `key`: `.key`, quoted where it is no plain word."""
    text = str(key)
    return f".{text}" if text.isidentifier() else f"[{text[:_MAX_KEY_CHARACTERS]!a}]"


def _not_json(text: str, why: str, character: int = 0) -> Reason:
    """Return the reason against `text`; `character` is counted from 1, 0 says nothing."""
    plain = not_allowed(text, _JSON)
    at = Text(f"{character}번째 글자: ", f", character {character}") if character else Text("", "")
    message = Text(
        f"{plain.message.ko} {at.ko}{fault_in_korean(why)}", f"{plain.message.en} ({why}{at.en})"
    )
    return plain._replace(message=message)


def _repeated_keys(root: object) -> Iterator[Reason]:
    # A stack of its own: the text may be nested deeper than Python may recurse.
    stack: list[tuple[str, object]] = [("", root)]
    while stack:
        inside, value = stack.pop()
        if isinstance(value, _Repeating):
            for key in value.repeated:
                message = Text(
                    f"한 객체에 '{shown(key)}' 키가 두 번 이상 있습니다.",
                    f"The key '{shown(key)}' is given more than once in one object.",
                )
                yield Reason(key, message, _ONCE, inside + inside_key(key))
        if isinstance(value, dict):
            steps = [(inside + inside_key(key), part) for key, part in value.items()]
            stack.extend(reversed(steps))
        elif isinstance(value, list):
            steps = [(f"{inside}[{index}]", part) for index, part in enumerate(value)]
            stack.extend(reversed(steps))


def _plain(value: object, step: _Step, depth: int, reasons: list[Reason]) -> object:
    if depth > MAX_DEPTH:
        reasons.append(not_allowed(value, _DEPTH, _path(step)))
    elif isinstance(value, str):
        if _UNWANTED.search(value):
            reasons.append(not_allowed(value, _TEXT, _path(step)))
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int | float):
        # Comparing also refuses NaN and infinities, and bears any integer.
        if value == 0 or MIN_FRACTION <= abs(value) <= MAX_SAFE_INTEGER:
            whole = int(value)
            return whole if whole == value else value
        reasons.append(not_allowed(value, _NUMBER, _path(step)))
    elif isinstance(value, list):
        return [_plain(part, (step, index), depth + 1, reasons) for index, part in enumerate(value)]
    elif isinstance(value, dict):
        return _plain_object(value, step, depth, reasons)
    else:
        reasons.append(not_allowed(value, _VALUE, _path(step)))
    return value


def _plain_object(
    value: dict[Any, object], step: _Step, depth: int, reasons: list[Reason]
) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, part in value.items():
        if not _is_key(key):
            reasons.append(not_allowed(str(key), _KEY, _path((step, key))))
        plain[str(key)] = _plain(part, (step, key), depth + 1, reasons)
    return plain


def _is_key(key: object) -> bool:
    # RFC 8785 sorts keys by UTF-16 units, fast encoders by code points: the two
    # orders agree as long as no key leaves the basic plane.
    return (
        isinstance(key, str)
        and len(key) <= _MAX_KEY_CHARACTERS
        and key.isprintable()
        and (key.isascii() or max(key) <= "\uffff")
    )


def _path(step: _Step) -> str:
    """Write out a path: only refused values need theirs, so all others skip the text."""
    path = ""
    while step is not None:
        step, key = step
        path = (f"[{key}]" if isinstance(key, int) else inside_key(key)) + path
    return path
