"""Laying an upload over a version, and what then differs."""

import json

import msgspec
import pytest
from hypothesis import given, settings

from kis.knowledge.diff import CellChange, Changed, Counts, Mode, compare, find_changed, lay_changes
from kis.knowledge.model import Accessory, Breaker
from kis.knowledge.snapshot import Tables
from kis.knowledge.upload import Upload

from .rows import breaker, seed_tables, tables_of, tables_rows

SEED = seed_tables()
SAME = Counts(added=0, changed=0, removed=0, unchanged=1)
A, B, C = breaker("A"), breaker("B"), breaker("C")
B2 = msgspec.structs.replace(B, width_dmm=755)


@pytest.mark.parametrize(
    ("given_rows", "mode", "expected"),
    [
        ((B2,), "add", (A, B2)),
        ((C,), "add", (A, B, C)),
        ((C, B2), "add", (A, B2, C)),
        ((), "add", (A, B)),
        (None, "add", (A, B)),
        ((B2,), "replace", (B2,)),
        ((), "replace", ()),
        (None, "replace", (A, B)),
    ],
)
def test_rows_laid_over_a_version(
    given_rows: tuple[Breaker, ...] | None, mode: Mode, expected: tuple[Breaker, ...]
) -> None:
    base = tables_of(B, A)
    laid = lay_changes(base, Upload(breakers=given_rows), mode)
    assert laid.breakers == expected
    assert (laid.enclosures, laid.accessories, laid.rules) == (
        base.enclosures,
        base.accessories,
        base.rules,
    )


def test_changed_are_new_and_other_rows_of_each_part() -> None:
    assert find_changed(tables_of(A, B), tables_of(B2, C)).breakers == [B2.key, C.key]
    assert find_changed(SEED, SEED) == Changed([], [], [], rules=False)
    enclosure = msgspec.structs.replace(SEED.enclosures[0], depth_dmm=9990)
    lamp = Accessory("LAMP", "lamp")
    rules = msgspec.structs.replace(SEED.rules, version="next")
    upload = Upload(enclosures=(enclosure,), accessories=(lamp,), rules=rules)
    other = lay_changes(SEED, upload, "add")
    assert find_changed(SEED, other) == Changed([], [enclosure.model], ["LAMP"], rules=True)


def test_the_same_model_with_other_poles_or_brand_is_another_row() -> None:
    others = (breaker("A", 4), breaker("A", brand="SANGDO"))
    assert len(lay_changes(tables_of(A), Upload(breakers=others), "add").breakers) == 3


def test_the_other_parts() -> None:
    enclosure = msgspec.structs.replace(SEED.enclosures[0], model="0-new")
    accessory = Accessory(SEED.accessories[0].code, "other")
    rules = msgspec.structs.replace(SEED.rules, version="next")
    upload = Upload(enclosures=(enclosure,), accessories=(accessory,), rules=rules)
    added = lay_changes(SEED, upload, "add")
    assert added.enclosures == (enclosure, *SEED.enclosures)
    assert accessory in added.accessories
    assert len(added.accessories) == len(SEED.accessories)
    assert added.rules is rules
    replaced = lay_changes(SEED, upload, "replace")
    assert replaced.enclosures == (enclosure,)
    assert replaced.accessories == (accessory,)
    assert replaced.rules is rules
    assert replaced.breakers == SEED.breakers


def test_nothing_differs_from_itself() -> None:
    difference = compare(SEED, SEED)
    assert difference.total == Counts(added=0, changed=0, removed=0, unchanged=108 + 163 + 18 + 1)
    assert difference.rules.counts == SAME
    assert difference.breakers.rows == ()


def test_counts_and_cells() -> None:
    changed = breaker("B", width_dmm=755, grade="economy", extra={"비고": [1], "widthDmm": 10})
    difference = compare(tables_of(A, B), tables_of(changed, C))
    assert difference.breakers.counts == Counts(added=1, changed=1, removed=1, unchanged=0)
    rows = difference.breakers.rows
    assert [(row.change, row.row["model"]) for row in rows] == [
        ("changed", "B"),
        ("removed", "A"),
        ("added", "C"),
    ]
    assert rows[0].row == {"brand": "LS", "model": "B", "poles": "3P"}
    assert rows[0].cells == (
        CellChange("widthMm", 75, 75.5),
        CellChange("grade", None, "economy"),
        CellChange("extra.비고", None, [1]),
        CellChange("extra.widthDmm", None, 10),
    )
    assert CellChange("heightMm", 130, None) in rows[1].cells
    assert CellChange("heightMm", None, 130) in rows[2].cells
    assert CellChange("frameSizeA", None, 50) in rows[2].cells


def test_rules_differ_by_constant_in_mm() -> None:
    economic = msgspec.structs.replace(SEED.rules.economic, height_allowance_dmm=2055)
    table = (msgspec.structs.replace(SEED.rules.depth.table[0], depth_dmm=1800),)
    depth = msgspec.structs.replace(SEED.rules.depth, table=table + SEED.rules.depth.table[1:])
    rules = msgspec.structs.replace(
        SEED.rules, version="next", economic=economic, depth=depth, brands=("LS",)
    )
    other = Tables(SEED.breakers, SEED.enclosures, SEED.accessories, rules)
    difference = compare(SEED, other)
    assert difference.total == Counts(added=0, changed=1, removed=0, unchanged=108 + 163 + 18)
    assert difference.rules.counts == Counts(added=0, changed=1, removed=0, unchanged=0)
    (row,) = difference.rules.rows
    assert row.row == {"version": "next"}
    assert row.cells == (
        CellChange("version", SEED.rules.version, "next"),
        CellChange("brands", ["LS", "SANGDO"], ["LS"]),
        CellChange("depth.table[0].depthMm", 150, 180),
        CellChange("economic.heightAllowanceMm", 200, 205.5),
    )


def test_rows_are_cut_but_counted() -> None:
    empty = lay_changes(SEED, Upload(breakers=(A,), enclosures=()), "replace")
    difference = compare(SEED, empty, limit=5)
    assert difference.total == Counts(added=1, changed=0, removed=108 + 163, unchanged=19)
    assert len(difference.breakers.rows) == 5
    assert len(difference.enclosures.rows) == 5
    none = compare(SEED, empty, limit=0)
    assert none.total == difference.total
    assert none.breakers.rows == ()


def test_a_difference_is_json() -> None:
    other = lay_changes(SEED, Upload(breakers=(A, B2)), "add")
    decoded = json.loads(msgspec.json.encode(compare(SEED, other)))
    assert decoded["breakers"]["counts"] == {
        "added": 2,
        "changed": 0,
        "removed": 0,
        "unchanged": 108,
    }
    assert decoded["breakers"]["rows"][0]["change"] == "added"


@settings(max_examples=40)
@given(tables_rows, tables_rows)
def test_laying_and_comparing_agree(before: list[Breaker], after: list[Breaker]) -> None:
    base = tables_of(*before)
    upload = Upload(breakers=tables_of(*after).breakers)
    replaced = lay_changes(base, upload, "replace")
    assert replaced.breakers == upload.breakers
    added = lay_changes(base, upload, "add")
    counts = compare(base, added).breakers.counts
    assert counts.removed == 0
    assert counts.added + counts.changed + counts.unchanged == len(added.breakers)
    back = compare(added, base).breakers.counts
    assert (back.removed, back.added, back.changed) == (counts.added, 0, counts.changed)
    msgspec.json.encode(compare(base, replaced))


def test_pages_hold_every_row_once() -> None:
    base = tables_of(*(breaker(f"A{n}") for n in range(5)), B)
    other = tables_of(B2, *(breaker(f"C{n}") for n in range(4)))
    whole = compare(base, other, limit=100).breakers
    assert [row.change for row in whole.rows] == ["changed"] + ["removed"] * 5 + ["added"] * 4
    pages = [compare(base, other, limit=3, first=first).breakers for first in (0, 3, 6, 9, 12)]
    assert [len(page.rows) for page in pages] == [3, 3, 3, 1, 0]
    assert all(page.counts == whole.counts for page in pages)
    # The cells of a row are cut at the limit too.
    names = [(row.change, row.row) for page in pages for row in page.rows]
    assert names == [(row.change, row.row) for row in whole.rows]
