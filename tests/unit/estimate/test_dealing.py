"""Rows dealt to busbars, checked against brute force."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.busbars import Row
from kis.estimate.dealing import deal

from .boards import rows_of

many = settings(max_examples=60, deadline=None)
heights = st.one_of(st.integers(1, 3000), st.sampled_from([330, 500, 750, 1000, 1050, 1400, 2800]))


def tallest(dealt: list[list[Row]]) -> int:
    return max(sum(row.height_dmm for row in bar) for bar in dealt)


def least_tallest(sizes: list[int], busbars: int) -> int:
    """Try every way of dealing."""
    return min(
        max(sum(s for s, b in zip(sizes, bars, strict=True) if b == bar) for bar in range(busbars))
        for bars in product(range(busbars), repeat=len(sizes))
    )


def test_one_busbar_takes_all_in_order() -> None:
    rows = rows_of(3, 1, 2)
    assert deal(rows, 1) == [list(rows)]


@many
@given(sizes=st.lists(heights, min_size=1, max_size=9))
def test_two_busbars_are_dealt_as_low_as_can_be(sizes: list[int]) -> None:
    assert tallest(deal(rows_of(*sizes), 2)) == least_tallest(sizes, 2)


@many
@given(sizes=st.lists(heights, min_size=1, max_size=30), busbars=st.integers(1, 6))
def test_every_row_is_dealt_once(sizes: list[int], busbars: int) -> None:
    rows = rows_of(*sizes)
    dealt = deal(rows, busbars)
    assert len(dealt) == busbars
    assert sorted(row.left.row.model for bar in dealt for row in bar) == sorted(
        row.left.row.model for row in rows
    )


@many
@given(sizes=st.lists(heights, min_size=1, max_size=8))
def test_three_busbars_are_dealt_as_low_as_can_be(sizes: list[int]) -> None:
    assert tallest(deal(rows_of(*sizes), 3)) == least_tallest(sizes, 3)


def test_many_tall_rows_are_dealt_without_searching_for_ever() -> None:
    rows = rows_of(*(5000 + 37 * index % 4999 for index in range(300)))
    assert sum(len(bar) for bar in deal(rows, 120)) == 300


@pytest.mark.parametrize(
    ("sizes", "busbars", "least"),
    [
        ([4, 6, 6, 10, 10, 10], 3, 16),
        ([5, 5, 4, 4, 3, 3], 2, 12),
        ([5, 5, 4, 4, 3, 3], 3, 8),
        ([7, 1, 1, 1], 2, 7),
        ([178, 178, 178, 750], 2, 750),
        ([4, 4, 4, 4], 4, 4),
    ],
)
def test_dealt_height(sizes: list[int], busbars: int, least: int) -> None:
    assert tallest(deal(rows_of(*sizes), busbars)) == least
