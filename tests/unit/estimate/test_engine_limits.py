"""Whatever is asked, the engine answers or says why not."""

import msgspec
import pytest
from hypothesis import given, settings

from kis.errors import DomainError, ErrorCode
from kis.estimate.engine import estimate
from kis.estimate.gates import check_statements, normalise
from kis.estimate.model import (
    MAX_BRANCH_LINES,
    MAX_DEVICES,
    BoardDraft,
)
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot

from .boards import accessory, any_drafts, breaker, draft, line, run, with_tables


@settings(max_examples=100, deadline=None)
@given(board=any_drafts)
def test_any_board_is_estimated_or_refused(seed_snapshot: Snapshot, board: BoardDraft) -> None:
    findings = check_statements(board, seed_snapshot.rules, allow_mixed=True)
    try:
        normalised, origins = normalise(board, seed_snapshot.rules)
        outcome = estimate(normalised, seed_snapshot, origins)
    except DomainError as refusal:
        findings += refusal.findings
    else:
        assert outcome.estimate.enclosure.W > 0
        return
    assert findings != []
    assert [f for f in findings if not (f.path.startswith("$") and f.message.ko)] == []


@pytest.mark.parametrize("form", ["ECONOMIC", "STANDARD"])
def test_largest_board(form: str, seed_snapshot: Snapshot) -> None:
    rows = [row for row in seed_snapshot.tables.breakers if row.brand == "LS"]
    each = (MAX_DEVICES - 1) // MAX_BRANCH_LINES
    branches = [
        line(rows[index % len(rows)].model, each, name=f"circuit {index}")
        for index in range(MAX_BRANCH_LINES)
    ]
    branches[0] = msgspec.structs.replace(branches[0], quantity=each + 99)
    result = run(draft("ABS-804", *branches, brand="LS", form=form), seed_snapshot).estimate
    assert len(result.layout.placements) == MAX_DEVICES
    assert len(result.bill_of_materials) == 2 + MAX_BRANCH_LINES + len(result.layout.busbars)


def test_thousand_accessories(seed_snapshot: Snapshot) -> None:
    items = [("MC-9..22", 500), ("TIMER-24H", 499)]
    result = run(draft("SBS-54", accessories=items), seed_snapshot).estimate
    assert len(result.layout.placements) == MAX_DEVICES


def test_accessory_wider_than_any_enclosure(seed_snapshot: Snapshot) -> None:
    wide = accessory("WIDE", "busduct", 40_000, 10_000)
    snapshot = with_tables(seed_snapshot, accessories=(wide,))
    result = run(draft("SBS-54", accessories=[("WIDE", 2)]), snapshot).estimate
    assert result.required.W == 4100  # and the side clearance, twice
    assert result.enclosure.W == 4100
    assert [p.y for p in result.layout.placements if p.role == "accessory"] == [280, 1320]


@pytest.mark.parametrize("form", ["ECONOMIC", "STANDARD"])
def test_frame_above_every_table_is_asked_for(form: str, seed_snapshot: Snapshot) -> None:
    snapshot = with_tables(seed_snapshot, breakers=(breaker("M", 4, 1000, 2800),))
    with pytest.raises(DomainError) as refusal:
        run(draft("M", brand="LS", form=form), snapshot)
    finding = refusal.value.main
    assert finding.code is ErrorCode.NEED_KNOWLEDGE_UPDATE
    assert "1000" in finding.message.en
    assert "1000" in finding.hint.ko


@pytest.mark.parametrize("part", ["breakers", "enclosures", "accessories"])
def test_empty_table(part: str, seed_snapshot: Snapshot) -> None:
    snapshot = with_tables(seed_snapshot, **{part: ()})
    board = draft("SBS-54", line("SIE-32", 4), accessories=[("METER-3PH", 1)])
    if part == "enclosures":
        assert run(board, snapshot).estimate.enclosure.source == "madeToOrder"
        return
    with pytest.raises(DomainError) as refusal:
        run(board, snapshot)
    assert {f.code for f in refusal.value.findings} == {ErrorCode.NEED_KNOWLEDGE_UPDATE}


def test_drawing_rules_of_zero(seed_snapshot: Snapshot) -> None:
    rules = seed_snapshot.rules
    nothing = msgspec.structs.replace(
        rules.drawing,
        **dict.fromkeys(type(rules.drawing).__struct_fields__, 0),
    )
    snapshot = with_tables(seed_snapshot, rules=changed(rules, drawing=nothing))
    board = draft("SBS-54", line("SES-54", 2), line("SIE-32", 8), accessories=[("METER-3PH", 2)])
    result = run(board, snapshot).estimate
    assert result.required.W == 560
    assert len(result.layout.placements) == 13
    assert min(placement.y for placement in result.layout.placements) == 0


def changed(rules: RuleSet, **parts: object) -> RuleSet:
    return msgspec.structs.replace(rules, **parts)
