"""How an observation is shown: one line, columns that stand below each other."""

from rich.cells import cell_len

from kis.cli.health_check import MARK_WIDTH, MARKS, line_of
from kis.ops.watch.observations import Observation, State


def test_each_state_has_a_mark_that_fits() -> None:
    assert set(MARKS) == set(State)
    assert all(cell_len(mark) < MARK_WIDTH for mark in MARKS.values())


def test_line() -> None:
    found = Observation("disk", State.WARNING, "91% 사용", "91% used")
    assert line_of(found) == "경고 WARN   disk       91% 사용 / 91% used"
