"""Tables of two databases: equal when every row is, whichever kind keeps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kis.db.engine import Database, open_database
from kis.db.migrate import migrate
from kis.ops.comparison import MAX_TOLD, Compared, compare
from kis.ops.stored_table import reading
from tests.unit.ops.test_stored_table import ENTRIES, RECORDS, entry, fill, record

ROWS = [entry(number, subject=f"견적 {number}") for number in range(1, 31)]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file; `migrated` is on either kind."""
    database = open_database(f"sqlite:///{tmp_path}/source.db", slow_query_ms=60_000)
    migrate(database)
    fill(database, ENTRIES, ROWS)
    yield database
    database.close()


def compared(source: Database, target: Database, table: Any = ENTRIES) -> Compared:
    told: list[int] = []
    with reading(source) as ours, reading(target) as theirs:
        found = compare(table, ours, theirs, told.append)
    assert sum(told) == found.rows
    return found


def test_same_rows_have_the_same_digest_in_any_order(source: Database, migrated: Database) -> None:
    fill(migrated, ENTRIES, ROWS[::-1])
    found = compared(source, migrated)
    assert found.is_equal
    assert (found.rows, found.different, found.told) == (30, 0, [])
    assert found.digest == found.target_digest == compared(migrated, source).digest != 0


def test_rows_without_order_in_common(source: Database, migrated: Database) -> None:
    """Collations differ: what one side has first may come last on the other."""
    records = [record("a", key) for key in ("a", "B", "_", "ㄱ", "가", "Ä", "-a", "b")]
    fill(source, RECORDS, records)
    fill(migrated, RECORDS, records)
    assert compared(source, migrated, RECORDS).is_equal


@pytest.mark.parametrize(
    ("change", "what", "key", "column"),
    [
        ("UPDATE audit_entry SET subject = 'x' WHERE id = 7", "changed", "7", "subject"),
        ("UPDATE audit_entry SET at = '2026-01-01' WHERE id = 7", "changed", "7", "at"),
        ("DELETE FROM audit_entry WHERE id = 30", "missing", "30", None),
        ("UPDATE audit_entry SET id = 31 WHERE id = 30", "missing", "30", None),
        ("INSERT INTO audit_entry (id, at, actor, action, subject) VALUES (99, '', '', '', '')",
         "extra", "99", None),
    ],
)  # fmt: skip
def test_one_row_is_otherwise(
    source: Database, migrated: Database, change: str, what: str, key: str, column: str | None
) -> None:
    fill(migrated, ENTRIES, ROWS)
    migrated.write_now(lambda c: c.execute(text(change)))
    found = compared(source, migrated)
    assert not found.is_equal
    first = found.told[0]
    assert (first.table, first.what, first.key, first.column) == ("audit_entry", what, key, column)
    assert found.different == (2 if "id = 31" in change else 1)


def test_few_of_many_differences_are_told(source: Database, migrated: Database) -> None:
    found = compared(source, migrated)
    assert (found.different, found.missing, len(found.told)) == (30, 30, MAX_TOLD)
    assert not found.is_equal
