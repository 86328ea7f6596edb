"""All that is wrong with a board is told at once: by the gates and by the tables."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode, Finding
from kis.estimate.checking import check_board
from kis.estimate.engine import estimate
from kis.estimate.model import MAX_BRANCH_LINES, MAX_DEVICES, BoardDraft, DeviceDraft
from kis.estimate.rerun import admit
from kis.knowledge.snapshot import Snapshot

from .boards import any_drafts, breaker, draft, line, with_tables

NEED, MORE = ErrorCode.NEED_KNOWLEDGE_UPDATE, ErrorCode.REQ_MORE_INFO
BRAND, KIND = ErrorCode.BRAND_CONFLICT, ErrorCode.DEVICE_TYPE_MISMATCH
POLES, LARGE = ErrorCode.POLES_MISMATCH, ErrorCode.BOARD_TOO_LARGE
Told = list[tuple[ErrorCode, str]]

UNKNOWN_MAIN = (NEED, "$.main.model")


def by_frame(af: int, **stated: Any) -> DeviceDraft:
    return DeviceDraft(**{"af": af, "poles": "3P", "type": "MCCB", **stated})


def told(board: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool = False) -> Told:
    findings = check_board(board, snapshot, allow_mixed=allow_mixed)
    return [(finding.code, finding.path) for finding in findings]


def without(board: BoardDraft, *fields: str, **stated: Any) -> BoardDraft:
    return msgspec.structs.replace(board, **dict.fromkeys(fields), **stated)


UNSOUND = {
    "unknown main, no branches": (
        without(draft("NO"), "branches"), [UNKNOWN_MAIN, (MORE, "$.branches")],
    ),
    "unknown main beside a branch that says nothing": (
        draft("NO", line("SIE-32"), DeviceDraft(poles="2P", type="ELCB")),
        [UNKNOWN_MAIN, (MORE, "$.branches[1]")],
    ),
    "no main, unknown branches and accessories": (
        without(draft("NO", line("SIE-32"), line("B"), line("A"), accessories=[("NO", 1)]), "main"),
        [
            (MORE, "$.main"), (NEED, "$.branches[1].model"), (NEED, "$.branches[2].model"),
            (NEED, "$.accessories.items[0].code"),
        ],
    ),
    "no brand: a line by model needs none, a line by frame is left": (
        without(draft("NO", line("SIE-32", poles="3P"), by_frame(49)), "brand"),
        [(MORE, "$.brand"), UNKNOWN_MAIN, (POLES, "$.branches[0].poles")],
    ),
    "no brand of the board, but one of a line": (
        without(draft("SBS-54", by_frame(49, brand="LS")), "brand"),
        [(MORE, "$.brand"), (NEED, "$.branches[0].af")],
    ),
    "unknown brand is no reason against a known model": (
        draft("SBS-54", brand="NEW"), [(NEED, "$.brand")],
    ),
    "brand of a line that contradicts the board's": (
        draft("SBS-54", line("ABN-104", brand="LS"), line("NO", brand="LS")),
        [(BRAND, "$.branches[0].brand"), (BRAND, "$.branches[1].brand"),
         (NEED, "$.branches[1].model")],
    ),
    "brands may not be mixed": (
        draft(line("NO", brand="LS"), line("SBS-54", brand="LS"), brand="MIXED"),
        [(BRAND, "$.brand"), UNKNOWN_MAIN, (BRAND, "$.branches[0].brand")],
    ),
    "kind of the main that contradicts the board's": (
        draft(line("SBS-54", type="ELCB", poles="3P"), device_type="MCCB"),
        [(POLES, "$.main.poles"), (KIND, "$.main.type")],
    ),
    "kind of a main by frame that contradicts the board's": (
        draft(by_frame(49, type="ELCB"), device_type="MCCB"),
        [(KIND, "$.main.type")],
    ),
    "kind of the main against its model, no place": (
        without(draft("SBS-54", device_type="ELCB"), "location"),
        [(MORE, "$.installation.location"), (KIND, "$.device.type")],
    ),
    "accessories that are listed, yet not wanted, are not looked up": (
        without(draft("NO", accessories=[("NO", 1)]), accessories_enabled=False),
        [UNKNOWN_MAIN, (ErrorCode.ACCESSORY_CONFLICT, "$.accessories.items")],
    ),
    "whether accessories are wanted is not said": (
        without(draft("SBS-54", accessories=[("NO", 1)]), "accessories_enabled"),
        [(MORE, "$.accessories"), (NEED, "$.accessories.items[0].code")],
    ),
    "too many devices": (
        draft("NO", line("SIE-32", MAX_DEVICES)), [(LARGE, "$"), UNKNOWN_MAIN],
    ),
    "too many lines are not looked up": (
        draft("NO", *[line("NO")] * (MAX_BRANCH_LINES + 1)),
        [UNKNOWN_MAIN, (LARGE, "$.branches")],
    ),
    "equal lines are one": (
        without(draft("SBS-54", *[line("NO")] * 3, accessories=[("NO", 1)] * 2), "mount"),
        [(MORE, "$.installation.mount"), (NEED, "$.branches[0].model"),
         (NEED, "$.accessories.items[0].code")],
    ),
    "tenth line after the second": (
        draft("SBS-54", *[line("SIE-32")] * 2, line("B"), *[line("SIE-32")] * 7, line("A"),
              DeviceDraft(af=50, poles="2P")),
        [(NEED, "$.branches[2].model"), (NEED, "$.branches[10].model"),
         (MORE, "$.branches[11].type")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSOUND)
def test_sound_lines_are_looked_up_beside_what_the_gates_find(
    name: str, seed_snapshot: Snapshot
) -> None:
    board, expected = UNSOUND[name]
    assert told(board, seed_snapshot) == expected


@pytest.mark.parametrize("fields", [("brand",), ("brand", "location"), ("location",)])
def test_brand_is_asked_for_once(fields: tuple[str, ...], seed_snapshot: Snapshot) -> None:
    """Two makers have the model: which of them is meant is not asked beside the gates."""
    twins = tuple(
        msgspec.structs.replace(breaker("TWIN"), brand=brand) for brand in ("LS", "SANGDO")
    )
    snapshot = with_tables(seed_snapshot, breakers=twins)
    paths = {"brand": "$.brand", "location": "$.installation.location"}
    expected = [(MORE, paths[field]) for field in fields]
    assert told(without(draft("TWIN", brand="LS"), *fields), snapshot) == expected
    stranger = draft(line("TWIN", brand="NEW"), brand="LS")
    assert told(stranger, snapshot) == [(NEED, "$.main.brand")]
    mixed = without(draft("TWIN", brand="MIXED"), "location")
    assert told(mixed, snapshot, allow_mixed=True) == [
        (MORE, "$.installation.location"), (MORE, "$.main.brand"),
    ]  # fmt: skip


def test_board_without_fault(seed_snapshot: Snapshot) -> None:
    assert told(draft("SBS-54", line("SIE-32")), seed_snapshot) == []


def refused(board: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool) -> list[Finding]:
    """Return what refuses `board` when it is to be estimated."""
    try:
        admitted, origins = admit(board, snapshot.rules, allow_mixed=allow_mixed)
        estimate(admitted, snapshot, origins)
    except DomainError as refusal:
        return list(refusal.findings)
    return []


@pytest.mark.parametrize(
    "board",
    [
        draft("SBS-54", line("Z"), line("SIE-32"), line("A", poles="4P"), accessories=[("NO", 1)]),
        draft(line("SBS-54", at=5000), line("SIE-32", poles="3P"), form="STANDARD"),
        draft("GIANT", brand="LS", form="STANDARD"),  # no rule reaches its frame
    ],
)
def test_board_that_passes_the_gates_is_told_what_an_estimate_would_be(
    board: BoardDraft, seed_snapshot: Snapshot
) -> None:
    rows = (*seed_snapshot.tables.breakers, breaker("GIANT", frame=9999))
    snapshot = with_tables(seed_snapshot, breakers=rows)
    found = check_board(board, snapshot, allow_mixed=False)
    assert found == refused(board, snapshot, allow_mixed=False) != []


@settings(max_examples=300, deadline=None)
@given(board=any_drafts, allow_mixed=st.booleans())
def test_check_tells_at_least_what_refuses_the_estimate(
    seed_snapshot: Snapshot, board: BoardDraft, allow_mixed: bool
) -> None:
    found = check_board(board, seed_snapshot, allow_mixed=allow_mixed)
    missed = [f for f in refused(board, seed_snapshot, allow_mixed=allow_mixed) if f not in found]
    assert missed == []
    places = [(finding.code, finding.path) for finding in found]
    assert len(set(places)) == len(places)


@settings(max_examples=100, deadline=None)
@given(board=any_drafts)
def test_what_a_gate_finds_hides_nothing(seed_snapshot: Snapshot, board: BoardDraft) -> None:
    """Without its place a board fails a gate; what the tables have against it stays told."""
    placed = without(board, location="INDOOR", mount="WALL")
    found = check_board(placed, seed_snapshot, allow_mixed=True)
    still_found = check_board(without(placed, "location"), seed_snapshot, allow_mixed=True)
    # What is wrong with the board as a whole may be a rule: it needs every line.
    assert [f for f in found if f not in still_found and f.path != "$"] == []
