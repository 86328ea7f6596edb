"""Keys that may be spelled in two ways."""

from kis.knowledge.problems import Problems
from kis.knowledge.spellings import check_spelled_once, spelled, with_spellings


def test_keys_with_their_other_spellings() -> None:
    assert with_spellings(["model", "widthMm", "thicknessMm"]) == [
        "model", "widthMm", "thicknessMm", "width_mm", "thickness_mm",
    ]  # fmt: skip


def test_key_as_a_row_has_it() -> None:
    assert spelled("widthMm", {"width_mm": 1}) == "width_mm"
    assert spelled("widthMm", {"widthMm": 1}) == "widthMm"
    assert spelled("widthMm", {}) == "widthMm"
    assert spelled("model", {"model": "x"}) == "model"


def test_both_spellings_at_once() -> None:
    problems = Problems()
    check_spelled_once({"width_mm": 1, "heightMm": 2}, "$.x[0]", problems)
    assert problems.total == 0
    check_spelled_once({"width_mm": 1, "widthMm": 1, "heightMm": 2}, "$.x[0]", problems)
    assert problems.total == 1
