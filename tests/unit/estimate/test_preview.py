"""A preview is the estimate, or everything that is wrong with the board."""

import pytest
from hypothesis import given, settings

from kis.errors import DomainError
from kis.estimate.checking import check_board
from kis.estimate.gates import normalise
from kis.estimate.model import BoardDraft
from kis.estimate.preview import preview_board
from kis.knowledge.snapshot import Snapshot

from .boards import any_drafts, draft, line, run


def test_preview_is_what_the_engine_answers(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", line("SIE-32", 8), line("SES-54", 2), accessories=[("METER-3PH", 1)])
    preview = preview_board(board, seed_snapshot, allow_mixed=False)
    result = run(board, seed_snapshot).estimate
    assert preview.enclosure == result.enclosure
    assert preview.required == result.required
    assert preview.layout == result.layout
    assert preview.bill_of_materials == result.bill_of_materials
    assert preview.rejected == result.rejected
    assert preview.warnings == result.warnings
    assert preview.request == normalise(board, seed_snapshot.rules)[0]
    assert preview.knowledge_version == "seed"
    assert preview.rules_version == seed_snapshot.rules.version
    assert preview.rows["B1"] == "branches[1]"


@settings(max_examples=200, deadline=None)
@given(board=any_drafts)
def test_board_is_previewed_or_told_all_that_is_wrong(
    seed_snapshot: Snapshot, board: BoardDraft
) -> None:
    findings = check_board(board, seed_snapshot, allow_mixed=True)
    if not findings:
        preview = preview_board(board, seed_snapshot, allow_mixed=True)
        assert preview.rows.keys() == {place.device for place in preview.layout.placements}
        return
    with pytest.raises(DomainError) as refused:
        preview_board(board, seed_snapshot, allow_mixed=True)
    assert list(refused.value.findings) == findings
