"""Remarks on accessories and on stock."""

from typing import Any

import msgspec
import pytest

from kis.knowledge.diff import find_changed, lay_changes
from kis.knowledge.model import Accessory
from kis.knowledge.snapshot import Tables
from kis.knowledge.stock_validation import check_stock, named_kinds
from kis.knowledge.upload import Upload
from kis.knowledge.validation import Remark

from .rows import seed_tables

SEED = seed_tables()


def remarks_on(*rows: Accessory, base: Tables = SEED, **parts: Any) -> list[Remark]:
    tables = lay_changes(base, Upload(accessories=rows, **parts), "add")
    return check_stock(base, tables, find_changed(base, tables))


def test_shipped_kinds_are_known() -> None:
    empty = msgspec.structs.replace(SEED, accessories=())
    assert check_stock(SEED, SEED, find_changed(empty, SEED)) != []
    assert {r.code for r in check_stock(SEED, SEED, find_changed(empty, SEED))} == {
        "OUTLINE_UNKNOWN"
    }
    assert {"lamp", "push_button", "spd", "contactor", "terminal_block"} <= named_kinds(
        SEED.rules.accessories
    )


@pytest.mark.parametrize("kind", ["pilot_lamp", "전구"])
def test_kind_that_nobody_knows(kind: str) -> None:
    (remark,) = remarks_on(Accessory("T-1", kind, 300, 300))
    assert (remark.code, remark.part, remark.row) == ("UNKNOWN_KIND", "accessories", ("T-1",))
    for words in (remark.message.ko, remark.message.en):
        assert f"'{kind}'" in words
        assert "lamp, meter" in words


def test_kind_of_the_rules_or_of_another_accessory() -> None:
    assert remarks_on(Accessory("T-1", "lamp"), Accessory("T-2", "thermostat", 300, 300)) == []
    relay = Accessory("T-1", "relay", 300, 300)
    base = lay_changes(SEED, Upload(accessories=(relay,)), "add")
    assert remarks_on(Accessory("T-2", "relay", 300, 300), base=base) == []


def test_rules_of_the_version_itself_name_kinds() -> None:
    accessories = msgspec.structs.replace(SEED.rules.accessories, door_kinds=("전구",))
    rules = msgspec.structs.replace(SEED.rules, version="next", accessories=accessories)
    assert remarks_on(Accessory("T-1", "전구"), rules=rules) == []


def test_accessory_without_the_outline_that_it_needs() -> None:
    (remark,) = remarks_on(Accessory("T-1", "meter", 300))
    assert (remark.code, remark.row) == ("OUTLINE_UNKNOWN", ("T-1",))


def test_version_without_stock() -> None:
    bare = lay_changes(SEED, Upload(enclosures=()), "replace")
    (remark,) = check_stock(SEED, bare, find_changed(SEED, bare))
    assert (remark.code, remark.part, remark.row) == ("NO_STOCK", "enclosures", ())
