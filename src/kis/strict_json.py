"""JSON from strangers, without the corners in which parsers disagree.

What RFC 8259 leaves open is refused here, so that a body means the same to us,
to a proxy before us and to whoever verifies our evidence: duplicate keys,
lone surrogates, numbers that a double cannot hold, and bottomless nesting. So is
more than a machine should hold for one body.
"""

import json
from collections import Counter
from typing import Any

import orjson

from kis.errors import Text

MAX_NESTING = 64
MAX_VALUES = 8_000_000
"""An empty list takes three bytes here and sixty in memory: 50 MB of them would take
gigabytes, and seconds in which no other thread runs. 200,000 rows stay far below."""

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 8785, I-JSON)."""

_MAX_INTEGER_CHARACTERS = len(str(-MAX_INTEGER))
_SHOWN_CHARACTERS = 40

_EMPTY = Text("본문이 비어 있습니다.", "the body is empty")
NOT_UTF8 = Text("본문이 UTF-8이 아닙니다.", "the body is not UTF-8")
_TOO_DEEP = Text(
    f"JSON 중첩이 {MAX_NESTING}단계를 넘습니다.",
    f"the JSON is nested more than {MAX_NESTING} levels deep",
)
_TOO_MANY = Text(
    f"값이 {MAX_VALUES}개를 넘습니다.",
    f"it has over {MAX_VALUES} values",
)
_TOO_LARGE = Text(
    f"정수는 ±{MAX_INTEGER} 이내여야 합니다.",
    f"a whole number is beyond ±{MAX_INTEGER}",
)

_BOM_KO = "파일 앞에 BOM이 있습니다. BOM 없는 UTF-8로 저장하십시오."
_FAULTS_KO = {
    "trailing comma": "마지막 값 뒤에 쉼표가 있습니다.",
    "string key": "큰따옴표로 감싼 키가 와야 합니다.",
    "property name": "큰따옴표로 감싼 키가 와야 합니다.",
    "':'": "키 뒤에 콜론(:)이 와야 합니다.",
    "',' or '}'": "쉼표(,)나 닫는 중괄호(})가 와야 합니다.",
    "',' or ']'": "쉼표(,)나 닫는 대괄호(])가 와야 합니다.",
    "',' delimiter": "쉼표(,)나 닫는 괄호가 와야 합니다.",
    "JSON value": "JSON 값이 와야 합니다.",
    "Expecting value": "JSON 값이 와야 합니다.",
    "literal": "true, false, null만 따옴표 없이 소문자로 쓸 수 있습니다.",
    "end of data": "내용이 중간에 끝났습니다.",
    "Unterminated string": "문자열을 닫는 따옴표가 없습니다.",
    "control character": "문자열에 줄바꿈 같은 제어 문자가 있습니다.",
    "escape": "문자열에 '\\'를 쓴 표기가 잘못되었습니다.",
    "surrogate": "문자열에 짝이 없는 유니코드 서로게이트가 있습니다.",
    "after document": "JSON이 끝난 뒤에 다른 내용이 있습니다.",
    "Extra data": "JSON이 끝난 뒤에 다른 내용이 있습니다.",
    "leading zero": "수 앞에 필요 없는 0이 있습니다.",
    "no digit": "수에 숫자가 빠져 있습니다.",
    "infinity": "수가 너무 큽니다.",
    "too many digits": "정수의 자릿수가 너무 많습니다.",
    "BOM": _BOM_KO,
}
"""What the two parsers say, by a part of it. Their place is told beside it."""


class StrictJsonError(ValueError):
    """The bytes are not the JSON that we accept. `text` says why, in both languages."""

    def __init__(self, text: Text) -> None:
        """Keep `text`; the exception's own words are the English ones."""
        super().__init__(text.en)
        self.text = text

    def __reduce__(self) -> tuple[type["StrictJsonError"], tuple[Text]]:
        """Pickle the text, of which the exception's own words are made."""
        return StrictJsonError, (self.text,)


def loads(raw: bytes) -> object:
    """Return the JSON value in `raw`: dict, list, str, int, float, bool or None.

    Raises:
        StrictJsonError: `raw` is empty, not UTF-8, not JSON (a byte order mark,
            NaN and Infinity are not JSON), has a duplicate key or a lone
            surrogate, a whole number beyond 2**53 - 1, a number beyond a double,
            more than 64 levels of nesting, or more than 8,000,000 values.

    """
    if len(raw) > MAX_VALUES and _most_values(raw) > MAX_VALUES:
        raise StrictJsonError(_TOO_MANY)
    # Two parsers, each for what the other lets through. orjson is strict on
    # grammar, UTF-8, surrogates and infinity, and bounds its own recursion;
    # only the standard library shows duplicate keys and digits as written.
    _check(raw)
    return _decode(raw.decode())


def fault_in_korean(complaint: str) -> str:
    """Return in Korean what a JSON parser complains of: orjson's or the standard library's."""
    known = (korean for part, korean in _FAULTS_KO.items() if part in complaint)
    return next(known, "JSON으로 읽을 수 없는 표기가 있습니다.")


def _most_values(raw: bytes) -> int:
    """Return at least how many values `raw` has: text may hold these characters too."""
    return sum(map(raw.count, (b",", b"[", b"{")))


def _check(raw: bytes) -> None:
    """Raise what is wrong; what was parsed is let go, as a second copy is coming."""
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise StrictJsonError(_reason(raw, error)) from None
    if raw.count(b"[") + raw.count(b"{") > MAX_NESTING and _is_too_deep(parsed):
        raise StrictJsonError(_TOO_DEEP)


def _reason(raw: bytes, error: orjson.JSONDecodeError) -> Text:
    """Put orjson's complaint into our words; in English its own are for the rarer ones."""
    if not raw.strip():
        return _EMPTY
    try:
        raw.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    if "depth limit" in error.msg:
        return _TOO_DEEP
    korean = fault_in_korean(error.msg)
    if korean != _BOM_KO:
        korean = f"JSON 형식이 아닙니다 ({error.lineno}행 {error.colno}열): {korean}"
    return Text(korean, f"not valid JSON (line {error.lineno}, column {error.colno}): {error.msg}")


def _is_too_deep(parsed: object) -> bool:
    """Go down level by level: no recursion, so depth costs no stack."""
    level = [parsed]
    for _ in range(MAX_NESTING):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return any(isinstance(value, dict | list) for value in level)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    # Counted in one pass: looking each key up again would take a client's
    # 90,000 keys a minute.
    key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    shown = json.dumps(key[:_SHOWN_CHARACTERS], ensure_ascii=False)
    text = Text(
        f"한 객체에 {shown} 키가 여러 번 있습니다.",
        f"an object has the key {shown} more than once",
    )
    raise StrictJsonError(text)


def _integer(digits: str) -> int:
    # The length first: int() takes quadratic time over a long run of digits.
    if len(digits) <= _MAX_INTEGER_CHARACTERS:
        number = int(digits)
        if -MAX_INTEGER <= number <= MAX_INTEGER:
            return number
    raise StrictJsonError(_TOO_LARGE)


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer).decode
