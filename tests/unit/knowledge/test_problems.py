"""Findings are short, printable, and safe to send."""

import json

import orjson
import pytest

from kis.errors import DomainError, Text
from kis.knowledge.problems import Problems, csv_place, json_place, not_allowed, required, shown

ALLOWED = Text("무엇", "something")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("폭", "폭"),
        ("a\x00\ud800", "a\\u0000\\ud800"),
        ("x" * 500, "x" * 77 + "..."),
        (float("nan"), "nan"),
        (10**400, "1" + "0" * 76 + "..."),
        ([[]], "[...]"),
        ({}, "{...}"),
        (b"", "bytes"),
    ],
)
def test_values_are_shown_short_and_safe(value: object, expected: object) -> None:
    assert shown(value) == expected
    assert orjson.loads(orjson.dumps(shown(value))) == expected


def test_nothing_wrong_raises_nothing() -> None:
    Problems().raise_if_any()


def test_findings_tell_where_what_and_how_many() -> None:
    problems = Problems()
    problems.add(csv_place(3, "meta"), not_allowed("x", ALLOWED, ".at[2]"))
    problems.add(csv_place(4), not_allowed(None, ALLOWED))
    problems.add(json_place("$.breakers[2].widthMm"), *[not_allowed(0, ALLOWED)] * 200)
    with pytest.raises(DomainError) as caught:
        problems.raise_if_any()
    findings = caught.value.findings
    assert len(findings) == 100
    assert findings[0].path == "line 3, column meta.at[2]"
    assert findings[0].data == {
        "line": 3,
        "column": "meta.at[2]",
        "value": "x",
        "allowed": "something",
        "total": 202,
        "shown": 100,
    }
    assert findings[1].data == {"line": 4, "column": None, "value": None, "allowed": "something"}
    assert findings[1].message.ko.startswith("값이 없습니다")
    assert findings[2].data["column"] == "widthMm"
    assert "'0' is not allowed" in findings[2].message.en
    assert {finding.hint for finding in findings} == {Text("허용: 무엇", "Allowed: something")}
    assert json.dumps([finding.data for finding in findings])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("3P", "'3P'는 쓸 수 없는 값입니다."),
        (75.01, "'75.01'은 쓸 수 없는 값입니다."),
        ("", "값이 없습니다."),
    ],
)
def test_a_refused_value_stands_in_a_korean_sentence(value: object, said: str) -> None:
    assert not_allowed(value, ALLOWED).message.ko == said


def test_a_missing_field_is_named() -> None:
    reason = required("maxFrameSizeA", ALLOWED, ".depth.maxFrameSizeA")
    assert reason.message == Text("필수 항목입니다: maxFrameSizeA", "Required: maxFrameSizeA")
    assert (reason.allowed, reason.inside) == (ALLOWED, ".depth.maxFrameSizeA")
