"""The pipeline as a whole: what an outcome holds, and what a refusal says."""

import pytest

from kis.errors import DomainError
from kis.estimate.engine import estimate
from kis.estimate.gates import normalise
from kis.estimate.model import DeviceDraft
from kis.knowledge.snapshot import Snapshot
from kis.units import Size

from .boards import draft, line, run


def test_enclosure_says_where_it_goes(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", location="OUTDOOR", mount="WALL", material="SUS")
    chosen = run(board, seed_snapshot).estimate.enclosure
    assert (chosen.material, chosen.location, chosen.mount) == ("SUS", "OUTDOOR", "WALL")
    assert chosen.model == "SC-40-50-18"


def test_wall_is_surface_stock(seed_snapshot: Snapshot) -> None:
    on_wall = run(draft("SBS-54", line("SIE-32", 8), mount="WALL"), seed_snapshot).estimate
    surface = run(draft("SBS-54", line("SIE-32", 8), mount="SURFACE"), seed_snapshot).estimate
    assert on_wall.enclosure.model == surface.enclosure.model == "HDS-50-50-15"


def test_required_is_the_rule_before_any_rounding(seed_snapshot: Snapshot) -> None:
    result = run(draft("SBS-54", line("SES-54", 2), line("SIE-32", 8)), seed_snapshot).estimate
    assert result.required == Size(560, 562, 150)


def test_outcome_keeps_the_rows_that_it_follows_from(seed_snapshot: Snapshot) -> None:
    by_frame = DeviceDraft(af=50, poles="4P", type="ELCB")
    outcome = run(draft("SBS-54", by_frame, accessories=[("TIMER-24H", 1)]), seed_snapshot)
    assert outcome.selection.main.row.model == "SBS-54"
    assert [row.model for row in outcome.selection.branches[0].candidates] == ["SES-54"]
    assert [item.row.code for item in outcome.selection.accessories] == ["TIMER-24H"]
    assert outcome.stock == seed_snapshot.stock("INDOOR", "SURFACE", "STEEL")
    assert len(outcome.stock) == 63


def test_every_smaller_stock_enclosure_is_explained(seed_snapshot: Snapshot) -> None:
    outcome = run(draft("SBS-54", line("SES-54", 2), line("SIE-32", 8)), seed_snapshot)
    smaller = [row.model for row in outcome.stock if row.width_dmm * row.height_dmm < 6000 * 6000]
    assert [rejected.model for rejected in outcome.estimate.rejected] == smaller
    assert outcome.estimate.rejected[-1].reason == "W 500 < 600"


def test_all_lines_that_cannot_be_told_are_told_at_once(seed_snapshot: Snapshot) -> None:
    board = draft(line("SBS-54", poles="2P"), line("Z"), line("SIE-32", at=7))
    normalised, origins = normalise(board, seed_snapshot.rules)
    with pytest.raises(DomainError) as refusal:
        estimate(normalised, seed_snapshot, origins)
    assert [finding.path for finding in refusal.value.findings] == [
        "$.main.poles", "$.branches[0].model", "$.branches[1].at",
    ]  # fmt: skip


def test_paths_without_origins_follow_the_normalised_board(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", line("Z"), line("SIE-32", at=7), accessories=[("Z", 1), ("A", 1)])
    normalised, _ = normalise(board, seed_snapshot.rules)
    with pytest.raises(DomainError) as refusal:
        estimate(normalised, seed_snapshot)
    assert [finding.path for finding in refusal.value.findings] == [
        "$.branches[0].at", "$.branches[1].model",
        "$.accessories.items[0].code", "$.accessories.items[1].code",
    ]  # fmt: skip


def test_name_of_a_circuit_is_in_the_bill(seed_snapshot: Snapshot) -> None:
    result = run(draft("SBS-54", line("SIE-32", 3, name="전등")), seed_snapshot).estimate
    assert [item.name for item in result.bill_of_materials][2] == "분기 차단기 전등"
