"""The golden set: kept by name, added once, gone when deleted."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from kis.db.engine import Database
from kis.knowledge import golden_store
from kis.knowledge.golden_store import GoldenCase
from kis.knowledge.regression import Case
from kis.units import Size
from tests.unit.knowledge.conftest import NOON


def case(name: str, **changes: Any) -> GoldenCase:
    request = msgspec.json.encode({"brand": "LS", "label": "가"})
    return GoldenCase(name, 400.0, 500.5, 150.0, "note", NOON, "admin-x", request)._replace(
        **changes
    )


def test_case_comes_back_as_it_was_pinned(migrated: Database) -> None:
    assert migrated.write_now(lambda c: golden_store.add_golden(c, case("판 1"))) is True
    (kept,) = migrated.read_now(golden_store.list_golden)
    assert kept == case("판 1")
    # Whole where whole, as estimates tell sizes: 400 and not 400.0.
    assert repr((kept.width_mm, kept.height_mm, kept.depth_mm)) == "(400, 500.5, 150)"


def test_name_is_taken_once(migrated: Database) -> None:
    migrated.write_now(lambda c: golden_store.add_golden(c, case("a")))
    assert (
        migrated.write_now(lambda c: golden_store.add_golden(c, case("a", note="other"))) is False
    )
    assert migrated.read_now(golden_store.list_golden) == [case("a")]


def test_set_is_by_name(migrated: Database) -> None:
    def write(connection: Connection) -> None:
        for name in ("b", "c", "a"):
            golden_store.add_golden(connection, case(name))

    migrated.write_now(write)
    names = [pinned.name for pinned in migrated.read_now(golden_store.list_golden)]
    assert names == ["a", "b", "c"]


def test_deleted_case_is_gone_and_its_name_free(migrated: Database) -> None:
    migrated.write_now(lambda c: golden_store.add_golden(c, case("a")))
    assert migrated.write_now(lambda c: golden_store.delete_golden(c, "a")) is True
    assert migrated.write_now(lambda c: golden_store.delete_golden(c, "a")) is False
    assert migrated.read_now(golden_store.list_golden) == []
    assert migrated.write_now(lambda c: golden_store.add_golden(c, case("a"))) is True


def test_case_for_a_regression() -> None:
    assert case("a").as_case() == Case(
        "a", golden=True, request={"brand": "LS", "label": "가"}, expected=Size(400, 500.5, 150)
    )
