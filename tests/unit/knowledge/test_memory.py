"""What follows from a snapshot is worked out once, and forgotten in time."""

from collections.abc import Callable

import pytest

from kis.knowledge.memory import remembered
from kis.knowledge.snapshot import Snapshot

from .rows import seed_tables

MOST_ROWS = 10
Recall = Callable[[Snapshot, int], tuple[str, ...]]


@pytest.fixture
def snapshot() -> Snapshot:
    return Snapshot(seed_tables(), label="seed")


@pytest.fixture
def asked() -> list[int]:
    """What really had to be worked out."""
    return []


@pytest.fixture
def rows(asked: list[int]) -> Recall:
    """As many rows as asked for, each with the label of the snapshot."""

    @remembered(MOST_ROWS)
    def rows(snapshot: Snapshot, count: int) -> tuple[str, ...]:
        asked.append(count)
        return (snapshot.label,) * count

    return rows


def test_same_question_is_worked_out_once(
    snapshot: Snapshot, rows: Recall, asked: list[int]
) -> None:
    assert rows(snapshot, 2) == ("seed", "seed")
    assert rows(snapshot, 2) is rows(snapshot, 2)
    assert asked == [2]


def test_nothing_is_a_result_too(snapshot: Snapshot, rows: Recall, asked: list[int]) -> None:
    assert rows(snapshot, 0) == rows(snapshot, 0) == ()
    assert asked == [0]


def test_snapshots_know_nothing_of_each_other(snapshot: Snapshot, rows: Recall) -> None:
    other = Snapshot(seed_tables(), label="other")
    assert rows(snapshot, 1) == ("seed",)
    assert rows(other, 1) == ("other",)


def test_functions_know_nothing_of_each_other(snapshot: Snapshot, rows: Recall) -> None:
    @remembered(MOST_ROWS)
    def numbers(_: Snapshot, count: int) -> tuple[int, ...]:
        return tuple(range(count))

    assert rows(snapshot, 2) == ("seed", "seed")
    assert numbers(snapshot, 2) == (0, 1)


@pytest.mark.parametrize(
    ("questions", "worked_out"),
    [
        ([3, 4, 3, 4], [3, 4]),  # 4 and 5: with itself each counts one more
        ([3, 4, 0, 3], [3, 4, 0]),
        ([3, 4, 1, 4, 3], [3, 4, 1, 4, 3]),  # the room for 2 is not there: all is forgotten
        ([9, 9], [9]),
        ([10, 10], [10, 10]),  # never kept
        ([2, 10, 2], [2, 10]),
    ],
)
def test_full_it_begins_anew(
    questions: list[int],
    worked_out: list[int],
    snapshot: Snapshot,
    rows: Recall,
    asked: list[int],
) -> None:
    for count in questions:
        assert len(rows(snapshot, count)) == count
    assert asked == worked_out


def test_empty_results_count_too(snapshot: Snapshot, asked: list[int]) -> None:
    @remembered(MOST_ROWS)
    def nothing(_: Snapshot, number: int) -> tuple[int, ...]:
        asked.append(number)
        return ()

    for number in (*range(MOST_ROWS + 1), 0):
        nothing(snapshot, number)
    assert asked == [*range(MOST_ROWS + 1), 0]


def test_what_fails_is_not_kept(snapshot: Snapshot, asked: list[int]) -> None:
    @remembered(MOST_ROWS)
    def fails_at_first(_: Snapshot, number: int) -> tuple[int, ...]:
        asked.append(number)
        if len(asked) == 1:
            raise ValueError
        return (number,)

    with pytest.raises(ValueError, match=r"^$"):
        fails_at_first(snapshot, 7)
    assert fails_at_first(snapshot, 7) == (7,)
