"""What a stranger's JSON may be, and that every refusal is a clear ValueError."""

import contextlib
import json
import time

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from kis.errors import Text
from kis.strict_json import (
    MAX_INTEGER,
    MAX_NESTING,
    MAX_VALUES,
    StrictJsonError,
    fault_in_korean,
    loads,
)

any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(any_json)
def test_json_comes_back_as_it_went(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False, indent=1).encode()) == value


@given(st.binary(max_size=40) | st.text('[]{}",:0123456789.eE+-\\u dntrfalse', max_size=40))
@example("[" * 2000)
@example("1" * 5000)
def test_anything_else_is_a_strict_json_error(body: bytes | str) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    with contextlib.suppress(StrictJsonError):
        value = loads(raw)
        assert value == json.loads(raw)
        rfc8785.dumps(value)  # type: ignore[arg-type]  # whatever passes has a canonical form


def test_a_refusal_speaks_both_languages() -> None:
    with pytest.raises(StrictJsonError) as refusal:
        loads(b"")
    assert refusal.value.text == Text("본문이 비어 있습니다.", "the body is empty")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the body is empty"),
        (b" \r\n\t", "the body is empty"),
        (b"\xff", "the body is not UTF-8"),
        (b'{"a":"\xea\xb0"}', "the body is not UTF-8"),
        ('{"a":"값"}'.encode("cp949"), "the body is not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "the body is not UTF-8"),
        (b'"\xed\xa0\x80"', "the body is not UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "BOM"),
        (b"NaN", "not valid JSON"),
        (b"[Infinity]", "not valid JSON"),
        (b"[-Infinity]", "not valid JSON"),
        (b"1e400", "not valid JSON"),
        (b"[1] x", "not valid JSON"),
        (b"[1,]", "not valid JSON (line 1, column 3)"),
        (b"{'a':1}", "not valid JSON"),
        (b"[01]", "not valid JSON"),
        (b'"\\x"', "not valid JSON"),
        (b'"\n"', "not valid JSON"),
        (b"\x00", "not valid JSON"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"a":1,"a":1}', 'an object has the key "a" more than once'),
        (b'{"a":1,"\\u0061":1}', 'an object has the key "a" more than once'),
        (b'[{"x":{"":1,"b":2,"":3}}]', 'an object has the key "" more than once'),
        (b'{"a\\n":1,"a\\n":1}', 'an object has the key "a\\n" more than once'),
        (b"9007199254740992", "beyond"),
        (b"[-9007199254740992]", "beyond"),
        (b"1" * 200, "beyond"),
        (b"-" + b"1" * 200, "beyond"),
        (b"1" * 5000, "not valid JSON"),
        (b"[" * 65 + b"]" * 65, "nested more than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested more than 64"),
        (b'[{"a":' * 33 + b"1" + b"}]" * 33, "nested more than 64"),
        (b"[" * 1000 + b"]" * 1000, "nested more than 64"),
        (b"[" * 1_000_000, "nested more than 64"),
        (b'{"a":' * 1_000_000, "nested more than 64"),
    ],
)
def test_refusal(raw: bytes, reason: str) -> None:
    with pytest.raises(StrictJsonError) as refusal:
        loads(raw)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("raw", "korean"),
    [
        (b"\xef\xbb\xbf{}", "파일 앞에 BOM이 있습니다. BOM 없는 UTF-8로 저장하십시오."),
        (b'{"a":1,}', "JSON 형식이 아닙니다 (1행 7열): 마지막 값 뒤에 쉼표가 있습니다."),
        (b"{'a':1}", "JSON 형식이 아닙니다 (1행 2열): 큰따옴표로 감싼 키가 와야 합니다."),
        (b'{\n"a" 1}', "JSON 형식이 아닙니다 (2행 5열): 키 뒤에 콜론(:)이 와야 합니다."),
        (b"[1,2", "JSON 형식이 아닙니다 (1행 5열): 내용이 중간에 끝났습니다."),
    ],
)
def test_parser_is_heard_in_korean(raw: bytes, korean: str) -> None:
    with pytest.raises(StrictJsonError) as refusal:
        loads(raw)
    assert refusal.value.text.ko == korean


# By both parsers: the standard library reads the texts of uploads.
COMPLAINTS = (
    "[1,]", "[1 2]", '{"a":1 "b":2}', "[x]", "{x}", '{"a" 1}', '{"a":"x', '"a\nb"', '"\\x"',
    '"\\u12"', '"\\ud800"', '"\\udc00"', "{} {}", "tru", "[trux]", "[nan]", "01", "[-]", "[1.x]",
    "[1ex]", "+1", "[1e999]", "[", "{", '{"a":', '{"a":1,}', "\ufeff{}",
)  # fmt: skip


@pytest.mark.parametrize("text", COMPLAINTS)
def test_every_complaint_of_the_parsers_has_korean_words(text: str) -> None:
    with pytest.raises(StrictJsonError) as refusal:
        loads(text.encode())
    said = [refusal.value.text.ko]
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        said.append(fault_in_korean(error.msg))
    assert not [korean for korean in said if "JSON으로 읽을 수 없는" in korean]


def test_an_unknown_complaint_is_still_told_in_korean() -> None:
    assert fault_in_korean("the cat sat on it") == "JSON으로 읽을 수 없는 표기가 있습니다."


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b" null ", None),
        (b"9007199254740991", MAX_INTEGER),
        (b"-9007199254740991", -MAX_INTEGER),
        (b"-0", 0),
        (b"1e300", 1e300),
        (b"1E2", 100.0),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\x7f\xe2\x80\xa8"', "\x7f\u2028"),
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
        (b'{"a":{"a":1}}', {"a": {"a": 1}}),
        (b"[[]" + b",[]" * 200 + b"]", [[]] * 201),
        (b'"' + b"[" * 200 + b'"', "[" * 200),
    ],
)
def test_what_is_fine(raw: bytes, value: object) -> None:
    assert loads(raw) == value


def test_sixty_four_levels_are_fine() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        raw = opening * MAX_NESTING + b"1" + closing * MAX_NESTING
        assert loads(raw) == json.loads(raw)


def test_numbers_keep_the_type_they_are_written_in() -> None:
    assert [type(number) for number in json_array(b"[1, 1.0]")] == [int, float]


def json_array(raw: bytes) -> list[object]:
    value = loads(raw)
    assert isinstance(value, list)
    return value


def test_a_duplicate_among_very_many_keys_is_found_at_once() -> None:
    keys = ",".join(f'"k{n}":1' for n in range(80_000))
    started = time.perf_counter()
    with pytest.raises(StrictJsonError, match="k79999"):
        loads(f'{{{keys},"k79999":1}}'.encode())
    assert time.perf_counter() - started < 2, "looking each key up again takes a minute"


def test_a_long_key_is_cut_in_the_message() -> None:
    key = "k" * 10_000
    with pytest.raises(StrictJsonError) as refusal:
        loads(f'{{"{key}":1,"{key}":1}}'.encode())
    assert len(str(refusal.value)) < 100


@pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,"])
def test_more_values_than_any_table_has(unit: bytes) -> None:
    """Fifty megabytes of empty lists hold the interpreter for seconds, and gigabytes."""
    with pytest.raises(StrictJsonError, match=f"over {MAX_VALUES}"):
        loads(b"[" + unit * (MAX_VALUES // (1 + unit.count(b"[") + unit.count(b"{"))) + b"1]")


def test_no_value_is_missed_by_the_count() -> None:
    """Text may hold commas too, but no table holds so many."""
    assert loads(b'"' + b"," * 1_000_000 + b'"') == "," * 1_000_000
