"""The bill of materials in the order of a Korean quotation."""

import msgspec

from kis.estimate.bom import bill
from kis.estimate.model import (
    BillItem,
    Busbar,
    Enclosure,
    SelectedAccessory,
    SelectedDevice,
    Selection,
)
from kis.knowledge.snapshot import Snapshot

from .boards import accessory, breaker, selected, selected_accessory

STOCK = Enclosure(
    600, 700, 150, "stock", "HB607015", material="STEEL", location="INDOOR", mount="SURFACE"
)
MAIN = selected(breaker("MAIN", 4, 100), at=100)


def items(
    snapshot: Snapshot,
    *branches: SelectedDevice,
    accessories: tuple[SelectedAccessory, ...] = (),
    enclosure: Enclosure = STOCK,
    busbars: tuple[Busbar, ...] = (),
) -> tuple[BillItem, ...]:
    selection = Selection(MAIN, branches, accessories)
    return bill(enclosure, selection, busbars, snapshot.rules.accessories)


def test_enclosure_from_stock(seed_snapshot: Snapshot) -> None:
    assert items(seed_snapshot)[0] == BillItem(
        "enclosure", "외함(기성함)", 1, "면", "HB607015", specification="STEEL 600x700x150"
    )


def test_enclosure_made_to_order(seed_snapshot: Snapshot) -> None:
    made = msgspec.structs.replace(STOCK, source="madeToOrder", model=None, material="SUS")
    assert items(seed_snapshot, enclosure=made)[0] == BillItem(
        "enclosure", "외함(제작함)", 1, "면", specification="SUS 600x700x150"
    )


def test_main_with_its_rated_current(seed_snapshot: Snapshot) -> None:
    assert items(seed_snapshot)[1] == BillItem(
        "main", "메인 차단기", 1, "EA", "MAIN", "LS", "MCCB 4P 100AF/100AT"
    )


def test_branches_by_poles_then_frame_down(seed_snapshot: Snapshot) -> None:
    branches = (
        selected(breaker("A2", 2, 100)), selected(breaker("B3", 3, 50), 4, name="전열"),
        selected(breaker("C3", 3, 100)), selected(breaker("D4", 4, 30)),
    )  # fmt: skip
    rows = items(seed_snapshot, *branches)[2:]
    assert [row.model for row in rows] == ["D4", "C3", "B3", "A2"]
    assert rows[2] == BillItem("branch", "분기 차단기 전열", 4, "EA", "B3", "LS", "MCCB 3P 50AF")


def test_accessories_and_what_they_bring(seed_snapshot: Snapshot) -> None:
    """A contactor brings 1 fuse holder, 3 terminals and 2 ducts; equal ones are one row."""
    asked = (
        selected_accessory(accessory("DUCT-40x60", "wiring_duct", 400, 600), 1),
        selected_accessory(accessory("MC-9", "contactor", 460, 750), 2),
        selected_accessory(accessory("MC-40", "contactor", 690, 830), 1),
        selected_accessory(accessory("NEW", "new kind", 690, 830), 5),
    )
    rows = items(seed_snapshot, accessories=asked)[2:]
    assert {row.category for row in rows} == {"accessory"}
    assert [(row.name, row.model, row.quantity) for row in rows] == [
        ("배선덕트", "DUCT-40x60", 1 + 3 * 2),
        ("전자접촉기", "MC-9", 2),
        ("전자접촉기", "MC-40", 1),
        ("new kind", "NEW", 5),
        ("퓨즈홀더", "FUSE-HOLDER", 3),
        ("단자대", "", 9),
    ]


def test_busbars_come_last(seed_snapshot: Snapshot) -> None:
    rows = items(seed_snapshot, busbars=(Busbar(300, 240, 125), Busbar(900, 240, 35.6)))
    assert [row.category for row in rows] == ["enclosure", "main", "busbar", "busbar"]
    assert [row.specification for row in rows[2:]] == ["L125 mm", "L35.6 mm"]
