"""What an installation consists of: every table is decided upon, and every id is given once."""

from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import delete, select

import kis
from kis.audit.tables import audit_entry_table
from kis.db.engine import Database
from kis.db.metadata import metadata
from kis.ops.installation import (
    COUNTED,
    OF_PROCESSES,
    TABLES,
    count_rows,
    identity,
    last_id_given,
    set_last_id_given,
)
from tests.unit.ops.installed import ENTRY


def test_every_table_is_moved_or_is_about_processes() -> None:
    """A table that was added without a decision fails here."""
    for module in Path(kis.__file__).parent.glob("*/tables.py"):
        import_module(f"kis.{module.parent.name}.tables")
    decided = [table.name for table in (*TABLES, *OF_PROCESSES)]
    assert sorted(metadata.tables) == sorted(decided)


def test_tables_come_after_those_that_they_refer_to() -> None:
    seen: set[str] = set()
    for table in TABLES:
        seen.add(table.name)
        assert {key.column.table.name for key in table.foreign_keys} <= seen


def test_no_installation_yet(migrated: Database) -> None:
    assert migrated.read_now(identity) is None
    assert set(migrated.read_now(count_rows).values()) == {0}


def test_no_id_was_given(migrated: Database) -> None:
    assert migrated.read_now(lambda c: [last_id_given(c, table) for table in COUNTED]) == [0] * 4


@pytest.mark.parametrize("number", [0, 1, 7])
def test_ids_go_on(migrated: Database, number: int) -> None:
    table = audit_entry_table
    migrated.write_now(lambda c: set_last_id_given(c, table, number))
    assert migrated.read_now(lambda c: last_id_given(c, table)) == number
    migrated.write_now(lambda c: c.exec_driver_sql(ENTRY))
    assert migrated.read_now(lambda c: c.scalar(select(table.c.id))) == number + 1
    migrated.write_now(lambda c: c.execute(delete(table)))
    assert migrated.read_now(lambda c: last_id_given(c, table)) == number + 1
