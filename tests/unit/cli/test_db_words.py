"""The report of a move, in words: what was moved, and what is not as it was."""

import json

import pytest

from kis.cli.db_words import answer_of, show_move
from kis.ops.comparison import Compared, Difference
from kis.ops.evidence_pool import Fault
from kis.ops.moving import Moved, MovedTable, Verified

EQUAL = Compared(rows=2, digest=7, target_digest=7)
CHANGED = Compared(
    rows=3, digest=7, target_digest=8, different=1,
    told=[Difference("evidence", "id-1", "changed", "rows")],
)  # fmt: skip


def answer(moved: Moved) -> dict[str, object]:
    found = answer_of(moved, "sqlite:///a", "postgresql://kis:***@b/kis")
    json.dumps(found)
    return found


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    moved = Moved([MovedTable("Estimate", 2, 1.25, EQUAL)], [], Verified(2, 0, 0, []), 2.5)
    found = answer(moved)
    assert found["complete"] is True
    show_move(found)
    shown = capsys.readouterr().out
    assert "같음 equal" in shown
    assert "2 of 2 evidence packages are valid" in shown
    assert "다름" not in shown


def test_all_that_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault("id-1", "rows $: x / y", False), Fault("id-2", "key $: x / y", True)]
    moved = Moved(
        [MovedTable("evidence", 0, 0.0, CHANGED)], ["audit_entry"], Verified(3, 2, 1, faults), 1
    )
    found = answer(moved)
    assert found["complete"] is False
    show_move(found)
    shown = capsys.readouterr().out
    for words in (
        "다름 1 differ", "다름 evidence.rows [id-1]", "1건은 원본에서도", "NOT as in the source",
        "(원본과 같음 as in the source)", "다름 audit_entry", "1 of 3 evidence packages",
    ):  # fmt: skip
        assert words in shown
