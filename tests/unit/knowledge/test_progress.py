"""How far long work is: told at first, then about a hundred times."""

import pytest

from kis.knowledge.progress import Progress, each_told


@pytest.mark.parametrize(("count", "expected"), [(0, 1), (3, 4), (100, 101), (1_000, 101)])
def test_told_about_a_hundred_times(count: int, expected: int) -> None:
    told: list[Progress] = []
    assert list(each_told(range(count), "rows", count, told.append)) == list(range(count))
    assert len(told) == expected
    assert told[0] == Progress("rows", 0, count)
    assert told[-1] == Progress("rows", count, count)


def test_no_more_is_done_than_there_is() -> None:
    told: list[Progress] = []
    list(each_told(range(5), "rows", 2, told.append))
    assert told[-1] == Progress("rows", 2, 2)
