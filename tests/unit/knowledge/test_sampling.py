"""Sample boards: the changed rows by turns as main and as branch."""

import pytest

from kis.knowledge.model import Breaker
from kis.knowledge.sampling import sample_requests

from .rows import breaker, seed_tables, tables_of

SMALL = breaker("A-53", 3)
MEDIUM = breaker("B-103", 3, frame_size_a=100)
LARGE = breaker("C-203", 3, frame_size_a=200)


def tried(rows: list[Breaker], changed: list[Breaker], size: int) -> list[tuple[str, str, str]]:
    samples = sample_requests(tables_of(*rows), [row.key for row in changed], size)
    return [(sample.row[1], sample.role, sample.request["main"]["model"]) for sample in samples]  # type: ignore[index]


def test_requests_are_those_of_the_runbook() -> None:
    main, branch = sample_requests(tables_of(SMALL, MEDIUM, LARGE), [SMALL.key, MEDIUM.key], 2)
    assert (main.row, main.role) == (SMALL.key, "main")
    assert main.request == {
        "brand": "LS",
        "form": "ECONOMIC",
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": "MCCB"},
        "main": {"model": "A-53", "af": 50, "poles": "3P"},
        "branches": [],
        "accessories": {"enabled": False, "items": []},
    }
    assert (branch.row, branch.role) == (MEDIUM.key, "branch")
    assert branch.request == main.request | {
        "main": {"model": "C-203", "af": 200, "poles": "3P"},
        "branches": [{"model": "B-103", "poles": "3P", "quantity": 4}],
    }


@pytest.mark.parametrize(
    ("others", "main"),
    [
        ([LARGE, MEDIUM], "B-103"),
        ([LARGE, breaker("B-54", 4)], "B-54"),
        # As many poles as the branch, at least.
        ([LARGE, breaker("B-52", 2)], "C-203"),
        # Of the same frame and poles: the first model.
        ([breaker("Z-53", 3), breaker("Y-53", 3), MEDIUM], "Y-53"),
        # Another brand is no main.
        ([breaker("B-53", 3, brand="SANGDO"), MEDIUM], "B-103"),
    ],
)
def test_the_main_of_a_branch_is_the_smallest_that_fits(others: list[Breaker], main: str) -> None:
    first = breaker("0-first", 1)
    rows = [first, SMALL, *others]
    assert tried(rows, [first, SMALL], 2)[1] == ("A-53", "branch", main)


def test_a_row_without_a_main_above_is_tried_as_main() -> None:
    assert tried([SMALL, LARGE], [SMALL, LARGE], 2) == [
        ("A-53", "main", "A-53"),
        ("C-203", "main", "C-203"),
    ]


def test_rows_are_spread_evenly_and_the_same_every_time() -> None:
    rows = [breaker(f"M{number:02}") for number in range(20)]
    found = tried(rows, rows[::-1], 5)
    assert [row for row, _, _ in found] == ["M00", "M04", "M08", "M12", "M16"]
    assert [role for _, role, _ in found] == ["main", "branch", "main", "branch", "main"]
    assert found == tried(rows[::-1], rows, 5)


@pytest.mark.parametrize("size", [0, 1, 10, 108, 500])
def test_as_many_boards_as_wanted(size: int) -> None:
    assert len(sample_requests(seed_tables(), [], size)) == size


def test_one_row_is_tried_in_other_boards_each_time() -> None:
    samples = sample_requests(tables_of(SMALL, LARGE), [SMALL.key], 8)
    assert {sample.row for sample in samples} == {SMALL.key}
    assert [sample.role for sample in samples] == ["main", "branch"] * 4
    assert [sample.request["form"] for sample in samples[:4]] == [
        "ECONOMIC", "ECONOMIC", "STANDARD", "STANDARD",
    ]  # fmt: skip
    boards = [repr(sample.request) for sample in samples]
    assert len(set(boards)) == len(boards)


def test_unknown_keys_are_passed_over() -> None:
    rows = [SMALL, MEDIUM]
    assert tried(rows, [MEDIUM, LARGE], 1) == [("B-103", "main", "B-103")]
    assert {row for row, _, _ in tried(rows, [LARGE], 9)} == {"A-53", "B-103"}
    assert tried([], [], 9) == []
