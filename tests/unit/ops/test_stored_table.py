"""Tables as they are stored: all rows, in pages of bounded size, whatever stands in them."""

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from kis.audit.tables import audit_entry_table
from kis.db.engine import Database
from kis.idempotency.tables import idempotency_record_table
from kis.knowledge.tables import knowledge_document_table
from kis.ops.stored_table import MAX_ROWS, PAGE_BYTES, StoredTable, Unfit, reading
from tests.backends import SQLITE_ONLY

ENTRIES = StoredTable(audit_entry_table)
DOCUMENTS = StoredTable(knowledge_document_table)
RECORDS = StoredTable(idempotency_record_table)


def fill(database: Database, table: StoredTable, rows: list[dict[str, Any]]) -> None:
    database.write_now(lambda c: c.execute(insert(table.table), rows))


def entry(number: int, **columns: str) -> dict[str, Any]:
    plain = {"at": "whenever", "actor": "", "action": "", "subject": "", "reason": ""}
    return {"id": number, **plain, "digest": "", "client": "", **columns}


def record(owner: str, key: str) -> dict[str, Any]:
    return {
        "owner": owner, "operation": "create", "key": key, "fingerprint": "", "status": 201,
        "created_at": "", "body": None, "estimate_id": None,
    }  # fmt: skip


def sizes(database: Database, table: StoredTable) -> list[int]:
    with reading(database) as connection:
        return [len(page) for page in table.pages(connection)]


@pytest.mark.parametrize("count", [0, 1, 2, MAX_ROWS, MAX_ROWS + 1, MAX_ROWS + 2])
def test_every_row_once_in_the_order_of_keys(migrated: Database, count: int) -> None:
    rows = [entry(number) for number in range(1, count + 1)]
    if rows:
        fill(migrated, ENTRIES, rows[::-1])
    with reading(migrated) as connection:
        read = [row for page in ENTRIES.pages(connection) for row in page]
    assert [dict(zip(ENTRIES.names, row, strict=True)) for row in read] == rows


def test_small_rows_come_many_at_a_time(migrated: Database) -> None:
    fill(migrated, ENTRIES, [entry(number) for number in range(2_500)])
    assert sizes(migrated, ENTRIES) == [1, 1000, 1000, 499]


def test_large_rows_come_one_at_a_time(migrated: Database) -> None:
    large = b"x" * PAGE_BYTES
    fill(migrated, DOCUMENTS, [{"digest": f"{n}", "content": large} for n in range(4)])
    assert sizes(migrated, DOCUMENTS) == [1, 1, 1, 1]


def test_keys_of_several_columns(migrated: Database) -> None:
    rows = [record(owner, key) for owner in ("a", "b") for key in ("1", "2", "한")]
    fill(migrated, RECORDS, rows)
    with reading(migrated) as connection:
        read = [RECORDS.key_of(row) for page in RECORDS.pages(connection) for row in page]
        wanted = [read[0], read[4], ("b", "create", "none")]
        found = RECORDS.rows_at(connection, wanted)
        assert sorted(found) == sorted(read[:1] + read[4:5])
        assert all(RECORDS.key_of(row) == key for key, row in found.items())
        assert RECORDS.keys_at(connection, wanted) == set(found)
    assert sorted(read) == [(row["owner"], "create", row["key"]) for row in rows]


@SQLITE_ONLY
def test_text_that_is_none_is_told(migrated: Database) -> None:
    fill(migrated, ENTRIES, [entry(1), entry(2)])

    def spoil(connection: Connection) -> None:
        statement = "UPDATE audit_entry SET actor = cast(x'ff' AS TEXT) WHERE id = 2"
        connection.exec_driver_sql(statement)

    migrated.write_now(spoil)
    with reading(migrated) as connection, pytest.raises(Unfit) as caught:
        list(ENTRIES.pages(connection))
    assert (caught.value.table, caught.value.where) == ("audit_entry", "> 1")
    with reading(migrated) as connection, pytest.raises(Unfit):
        ENTRIES.rows_at(connection, [(2,)])
