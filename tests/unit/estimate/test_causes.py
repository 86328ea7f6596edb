"""Why an estimate changed: the rows that differ and that it takes in either version."""

from typing import Any

import msgspec
import pytest

from kis.estimate.causes import RULES, STOCK, UNKNOWN, Cause, causes_of, differences
from kis.knowledge.model import Accessory, Breaker
from kis.knowledge.snapshot import Snapshot

from .boards import with_tables
from .stored import bare

SES_54 = ("SANGDO", "SES-54", 4)
SIE_32 = ("SANGDO", "SIE-32", 2)
BY_FRAME = {"branches": [{"af": 50, "poles": "4P", "type": "ELCB"}]}


def edited(snapshot: Snapshot, model: str, **changes: Any) -> Snapshot:
    rows = tuple(
        msgspec.structs.replace(row, **changes) if row.model == model else row
        for row in snapshot.tables.breakers
    )
    return with_tables(snapshot, breakers=rows)


def without(snapshot: Snapshot, model: str) -> Snapshot:
    return with_tables(
        snapshot, breakers=tuple(r for r in snapshot.tables.breakers if r.model != model)
    )


def found(before: Snapshot, after: Snapshot, *models: str | None, **changes: Any) -> list[Cause]:
    return list(causes_of(bare(before, **changes), models, differences(before, after)))


def test_changed_row_that_a_line_names(seed_snapshot: Snapshot) -> None:
    other = edited(seed_snapshot, "SIE-32", width_dmm=600)
    assert found(seed_snapshot, other) == [Cause("breakers", "changed", SIE_32)]


def test_changed_row_that_no_line_takes_is_no_cause(seed_snapshot: Snapshot) -> None:
    other = edited(seed_snapshot, "SES-54", width_dmm=600)
    assert found(seed_snapshot, other) == [UNKNOWN]


def test_changed_row_that_a_line_finds_by_frame(seed_snapshot: Snapshot) -> None:
    other = edited(seed_snapshot, "SES-54", width_dmm=2000)
    assert found(seed_snapshot, other, **BY_FRAME) == [Cause("breakers", "changed", SES_54)]


def test_removed_row(seed_snapshot: Snapshot) -> None:
    gone = [Cause("breakers", "removed", SIE_32)]
    assert found(seed_snapshot, without(seed_snapshot, "SIE-32")) == gone


def test_added_row_that_is_better_by_frame(seed_snapshot: Snapshot) -> None:
    (like,) = (row for row in seed_snapshot.tables.breakers if row.model == "SES-54")
    better = msgspec.structs.replace(like, model="SES-00", width_dmm=like.width_dmm - 100)
    rows: list[Breaker] = sorted((*seed_snapshot.tables.breakers, better), key=lambda r: r.key)
    other = with_tables(seed_snapshot, breakers=tuple(rows))
    assert found(seed_snapshot, other, **BY_FRAME) == [
        Cause("breakers", "added", ("SANGDO", "SES-00", 4))
    ]


def test_each_row_once_however_many_lines(seed_snapshot: Snapshot) -> None:
    other = edited(seed_snapshot, "SIE-32", width_dmm=600)
    lines = [{"model": "SIE-32", "quantity": n, "name": f"{n}"} for n in (1, 2, 3)]
    assert len(found(seed_snapshot, other, branches=lines)) == 1


def test_accessory(seed_snapshot: Snapshot) -> None:
    def wider(row: Accessory) -> Accessory:
        if row.code != "TIMER-24H":
            return row
        return msgspec.structs.replace(row, width_dmm=5000)

    rows = tuple(wider(row) for row in seed_snapshot.tables.accessories)
    other = with_tables(seed_snapshot, accessories=rows)
    asked = {"enabled": True, "items": [{"code": "TIMER-24H"}]}
    assert found(seed_snapshot, other, accessories=asked) == [
        Cause("accessories", "changed", ("TIMER-24H",))
    ]


def test_stock_enclosure_that_was_taken(seed_snapshot: Snapshot) -> None:
    rows = tuple(r for r in seed_snapshot.tables.enclosures if r.model != "HB506015")
    other = with_tables(seed_snapshot, enclosures=rows)
    assert found(seed_snapshot, other, "HB506015", None) == [
        Cause("enclosures", "removed", ("HB506015",))
    ]


def test_what_is_left_where_no_row_appears(seed_snapshot: Snapshot) -> None:
    rules = msgspec.structs.replace(seed_snapshot.rules, version="other")
    assert found(seed_snapshot, with_tables(seed_snapshot, rules=rules)) == [RULES]
    assert found(seed_snapshot, with_tables(seed_snapshot, enclosures=()), None, None) == [STOCK]


@pytest.mark.parametrize("limit", [1, 1_000])
def test_lines_are_remembered_within_bounds(
    seed_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("kis.estimate.causes.MAX_LINES", limit)
    difference = differences(seed_snapshot, edited(seed_snapshot, "SIE-32", width_dmm=600))
    request = bare(seed_snapshot)
    assert causes_of(request, (), difference) == causes_of(request, (), difference)
    assert len(difference.lines) == min(3, limit)
