"""The one reference that estimates read, and the evidence of its rows."""

from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.content import row_digest
from kis.knowledge.snapshot import Snapshot
from tests.unit.knowledge.rows import breaker, tables_of


def active_of(label: str, width_dmm: int = 750) -> Active:
    tables = tables_of(breaker("T-1", width_dmm=width_dmm))
    snapshot = Snapshot(tables, label=label)
    return Active(snapshot, enclosures_digest="e", rules_digest="r")


def test_swap_is_for_those_who_look_from_now_on() -> None:
    first, second = active_of("v-a"), active_of("v-b")
    knowledge = ActiveKnowledge(first)
    running = knowledge.current
    knowledge.swap(second)
    assert running is first
    assert knowledge.current is second


def test_row_is_made_evidence_once() -> None:
    active = active_of("v-a")
    (row,) = active.snapshot.breakers_by_model("T-1")
    evidence = active.breaker_evidence(row)
    assert evidence.digest == row_digest(row)
    assert active.breaker_evidence(row) is evidence
    accessory = active.snapshot.tables.accessories[0]
    of_accessory = active.accessory_evidence(accessory)
    assert of_accessory.digest == row_digest(accessory)
    assert active.accessory_evidence(accessory) is of_accessory


def test_same_row_of_another_version_is_other_evidence() -> None:
    """What is kept belongs to the version: a swap must not answer the old row."""
    first, second = active_of("v-a", 750), active_of("v-b", 800)
    digests = {
        active.breaker_evidence(active.snapshot.breakers_by_model("T-1")[0]).digest
        for active in (first, second)
    }
    assert len(digests) == 2
