"""Tenths of a millimetre and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.units import from_mm, round_up, to_mm


@given(st.integers(-(10**12), 10**12))
def test_there_and_back(dmm: int) -> None:
    mm = to_mm(dmm)
    assert from_mm(mm) == dmm
    assert isinstance(mm, int) == (dmm % 10 == 0)


@pytest.mark.parametrize(
    ("mm", "dmm"),
    [(17.8, 178), (Decimal("17.8"), 178), (Decimal("1E+2"), 1000), (0.1, 1), (-5, -50)],
)
def test_what_people_write(mm: int | float | Decimal, dmm: int) -> None:
    assert from_mm(mm) == dmm


@pytest.mark.parametrize(
    "mm", [17.85, Decimal("0.01"), float("nan"), float("inf"), Decimal("-Infinity"), 1e-300]
)
def test_finer_than_a_tenth_is_refused(mm: float | Decimal) -> None:
    with pytest.raises(ValueError, match="not a whole number of tenths"):
        from_mm(mm)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4))
def test_round_up_is_the_least_multiple(dmm: int, step_dmm: int) -> None:
    rounded = round_up(dmm, step_dmm)
    assert rounded % step_dmm == 0
    assert rounded - step_dmm < dmm <= rounded
