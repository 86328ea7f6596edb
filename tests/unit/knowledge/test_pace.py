"""All rows, in their order, and a pause now and then."""

import pytest

from kis.knowledge.pace import ROWS_IN_A_ROW, paced


@pytest.mark.parametrize(
    ("count", "pauses"), [(0, 0), (ROWS_IN_A_ROW - 1, 0), (ROWS_IN_A_ROW, 1), (1_000, 3)]
)
def test_rows_pass_and_others_have_their_turn(count: int, pauses: int) -> None:
    told: list[None] = []
    assert list(paced(range(count), lambda: told.append(None))) == list(range(count))
    assert len(told) == pauses
