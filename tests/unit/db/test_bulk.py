"""Many rows in few statements: all of them, once, with their types."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
    select,
)
from sqlalchemy.exc import IntegrityError

from kis.db.bulk import MAX_ROWS, BulkInsert
from kis.db.engine import Database
from kis.db.metadata import UtcText
from tests.backends import SQLITE_ONLY

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
thing_table = Table(
    "thing",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("at", UtcText),
    Column("body", LargeBinary),
)
COLUMNS = ("id", "name", "at", "body")


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(thing_table.create)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": n, "name": f"이름 {n}", "at": NOON, "body": b"\x00%d" % n} for n in range(count)]


def stored(database: Database) -> list[dict[str, Any]]:
    in_order = select(thing_table).order_by(thing_table.c.id)
    return database.read_now(lambda c: [dict(row._mapping) for row in c.execute(in_order)])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 17, 127, 128, 129, 300])
def test_every_row_arrives(database: Database, count: int) -> None:
    things = BulkInsert(thing_table, COLUMNS)
    assert database.write_now(lambda c: things.run(c, rows(count))) == count
    assert stored(database) == rows(count)


@SQLITE_ONLY  # PostgreSQL takes any number of rows in one
@pytest.mark.parametrize(
    ("count", "statements"),
    [(1, 1), (15, 1), (31, 1), (MAX_ROWS, 1), (3 * MAX_ROWS + 5, 3 + 1)],
)
def test_few_statements(database: Database, count: int, statements: int) -> None:
    things = BulkInsert(thing_table, COLUMNS)
    sent: list[str] = []

    def write(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", lambda *said: sent.append(said[2]))
        things.run(connection, rows(count))

    database.write_now(write)
    assert len(sent) == statements


def test_columns_that_are_left_out_take_their_default(database: Database) -> None:
    names = BulkInsert(thing_table, ("name",))
    database.write_now(lambda c: names.run(c, [{"name": "a"}, {"name": "b"}]))
    assert [(row["id"], row["name"], row["at"]) for row in stored(database)] == [
        (1, "a", None), (2, "b", None),
    ]  # fmt: skip


def test_a_known_key_is_an_error(database: Database) -> None:
    things = BulkInsert(thing_table, COLUMNS)
    database.write_now(lambda c: things.run(c, rows(1)))
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: things.run(c, rows(2)))
    assert stored(database) == rows(1)


def test_known_keys_are_passed_over(database: Database) -> None:
    things = BulkInsert(thing_table, COLUMNS, skip_known=True)
    database.write_now(lambda c: things.run(c, rows(3)))
    changed = [{**row, "name": "other"} for row in rows(70)]
    assert database.write_now(lambda c: things.run(c, changed)) == 67
    assert stored(database) == [*rows(3), *changed[3:]]


def test_only_keys_are_passed_over(database: Database) -> None:
    things = BulkInsert(thing_table, COLUMNS, skip_known=True)
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: things.run(c, [{**rows(1)[0], "name": None}]))


def test_moments_have_a_zone(database: Database) -> None:
    things = BulkInsert(thing_table, COLUMNS)
    naive = [{**rows(1)[0], "at": NOON.replace(tzinfo=None)}]
    with pytest.raises(ValueError, match="no time zone"):
        database.write_now(lambda c: things.run(c, naive))
