"""Millimetres outside, tenths inside, and back."""

import pytest

from kis.knowledge.lengths import is_length, lengths_from_mm, lengths_to_mm, outside_key
from kis.knowledge.problems import Reason

OUTSIDE = {
    "widthMm": 17.8,
    "widthMmByPoles": {"1P": 250, "names": ["a", 1, None, True]},
    "Mmeter": 3,
    "comma": 4,
    "rows": [{"depthMm": 5}],
}
INSIDE = {
    "widthDmm": 178,
    "widthDmmByPoles": {"1P": 2500, "names": ["a", 10, None, True]},
    "Mmeter": 3,
    "comma": 4,
    "rows": [{"depthDmm": 50}],
}


def test_there() -> None:
    reasons: list[Reason] = []
    assert lengths_from_mm(OUTSIDE, reasons) == INSIDE
    assert reasons == []


def test_back() -> None:
    assert lengths_to_mm({"widthDmm": 178, "byDmm": 1, "deepDmm": {"a": (10, None)}}) == {
        "widthMm": 17.8,
        "byMm": 0.1,
        "deepMm": {"a": [1, None]},
    }


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"rows": [{"widthMm": 0.25}]}, ".rows[0].widthMm"),
        ({"widthMm": float("nan")}, ".widthMm"),
        ({"widthMm": {"1P": float("inf")}}, ".widthMm['1P']"),
        ({"widthDmm": 5}, ".widthDmm"),
        ({"a": {"widthDmmByPoles": {}}}, ".a.widthDmmByPoles"),
    ],
)
def test_what_is_refused(value: object, path: str) -> None:
    reasons: list[Reason] = []
    lengths_from_mm(value, reasons)
    assert [reason.inside for reason in reasons] == [path]


@pytest.mark.parametrize(
    ("key", "length", "outside"),
    [
        ("widthDmm", True, "widthMm"),
        ("widthDmmByPoles", True, "widthMmByPoles"),
        ("width", False, "width"),
        ("Dmmx", False, "Dmmx"),
    ],
)
def test_keys(key: str, length: bool, outside: str) -> None:
    assert is_length(key) is length
    assert outside_key(key) == outside
