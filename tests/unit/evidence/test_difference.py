"""Where two JSON values differ first."""

import copy

import pytest
from hypothesis import given

from kis.evidence.difference import first_difference

from .packages import any_json


@pytest.mark.parametrize(
    ("a", "b", "path"),
    [
        (1, 1.0, None),
        (0, -0.0, None),
        (1, True, "$"),
        (0, False, "$"),
        (None, False, "$"),
        ("1", 1, "$"),
        ([], {}, "$"),
        ([1], (1,), None),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, "$.a"),
        ({"a": None}, {}, "$.a"),
        ({}, {"a": None}, "$.a"),
        ([1, 2], [1], "$[1]"),
        ([1], [1, None], "$[1]"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "$.a[0].b"),
        ({'"': 1}, {'"': 2}, '$["\\""]'),
        ({"": 1}, {}, '$[""]'),
        ({"a\n": 1}, {}, '$["a\\n"]'),
    ],
)
def test_first_difference(a: object, b: object, path: str | None) -> None:
    assert first_difference(a, b) == path
    assert first_difference(b, a) == path


def test_first_difference_starts_at_the_root_given() -> None:
    assert first_difference({"a": 1}, {"a": 2}, "$.statement") == "$.statement.a"


@given(any_json.filter(lambda value: "nan" not in repr(value)))
def test_a_value_does_not_differ_from_its_copy(value: object) -> None:
    assert first_difference(value, copy.deepcopy(value)) is None
