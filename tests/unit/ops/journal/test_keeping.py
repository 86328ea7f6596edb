"""What is needed no more: each moment of the last days stays within reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops.journal.keeping import BaseAt, Expired, Kept, expired

BASES = (BaseAt("a", 10, 1), BaseAt("b", 20, 3), BaseAt("c", 30, 5))
FILES = (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("horizon", "gone"),
    [
        (5, []),
        (10, []),
        (19, []),
        (20, [Expired("x", False, ("a",), (1, 2))]),
        (99, [Expired("x", False, ("a", "b"), (1, 2, 3, 4))]),
    ],
)
def test_of_the_current_chain_what_is_before_the_last_base_that_is_needed(
    horizon: int, gone: list[Expired]
) -> None:
    assert expired([Kept("x", True, 99, BASES, FILES)], horizon) == gone


@pytest.mark.parametrize(
    ("chain", "is_gone"),
    [
        (Kept("x", False, 99, BASES, FILES), False),
        (Kept("x", False, 49, BASES, FILES), True),
        (Kept("x", False, 99, (), FILES), True),
        (Kept("x", True, 49, BASES, FILES), False),
        (Kept("x", True, 49, (), ()), False),
    ],
)
def test_a_chain_that_ended_goes_as_a_whole(chain: Kept, is_gone: bool) -> None:
    assert (Expired("x", True) in expired([chain], 50)) is is_gone


@given(st.lists(st.integers(1, 100), min_size=1, unique=True), st.integers(0, 120))
def test_each_moment_from_the_horizon_on_stays(goods: list[int], horizon: int) -> None:
    bases = [BaseAt(str(good), good, number) for number, good in enumerate(sorted(goods), 1)]
    files = range(1, len(bases) + 1)
    (gone,) = expired([Kept("x", True, 200, bases, files)], horizon) or [Expired("x", False)]
    left = [base for base in bases if base.name not in gone.bases]
    # The earliest of all moments that could be restored, and none before the horizon is needed.
    needed = max((base.good_from_ns for base in bases if base.good_from_ns <= horizon), default=0)
    assert [base for base in bases if base.good_from_ns >= needed] == left
    assert list(gone.files) == [number for number in files if number < left[0].file]
