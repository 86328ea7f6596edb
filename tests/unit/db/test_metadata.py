"""Timestamps: stored as text that sorts, and compares with SQLite's own. Bytes stay bytes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import StatementError

from kis.db.engine import Database
from kis.db.metadata import Blob, UtcText
from tests.backends import SQLITE_ONLY

event_table = Table(
    "event", MetaData(), Column("id", Integer, primary_key=True), Column("at", UtcText),
    Column("raw", Blob),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(event_table.create)


def store(database: Database, *moments: datetime | None) -> None:
    rows = [{"at": moment} for moment in moments]
    database.write_now(lambda connection: connection.execute(insert(event_table), rows))


@pytest.mark.parametrize(
    ("moment", "stored"),
    [
        (datetime(2025, 9, 24, 8, 0, tzinfo=UTC), "2025-09-24 08:00:00.000000"),
        (datetime(2025, 9, 24, 8, 0, 0, 7, tzinfo=UTC), "2025-09-24 08:00:00.000007"),
        (
            datetime(2025, 9, 24, 8, 0, tzinfo=timezone(timedelta(hours=9))),
            "2025-09-23 23:00:00.000000",
        ),
        (None, None),
    ],
)
def test_stored_text_and_back(
    database: Database, moment: datetime | None, stored: str | None
) -> None:
    store(database, moment)
    raw = database.read_now(lambda c: c.execute(text("SELECT at FROM event")).scalar_one())
    back = database.read_now(lambda c: c.execute(select(event_table.c.at)).scalar_one())
    assert raw == stored
    assert back == moment
    assert back is None or back.tzinfo is UTC


def test_a_naive_datetime_is_refused(database: Database) -> None:
    with pytest.raises(StatementError) as caught:
        store(database, datetime(2025, 9, 24, 8, 0))  # noqa: DTZ001 - the point of the test
    assert isinstance(caught.value.orig, ValueError)


@SQLITE_ONLY  # its datetime('now')
def test_compares_with_sqlites_now(database: Database) -> None:
    now = datetime.now(UTC)
    store(database, now - timedelta(days=31), now - timedelta(days=29), now + timedelta(days=1))
    recent = "SELECT id FROM event WHERE at > datetime('now', '-30 days')"
    past = "SELECT id FROM event WHERE at < datetime('now')"
    assert database.read_now(lambda c: c.execute(text(recent)).scalars().all()) == [2, 3]
    assert database.read_now(lambda c: c.execute(text(past)).scalars().all()) == [1, 2]


def test_compares_and_sorts_in_expressions(database: Database) -> None:
    first = datetime(2025, 9, 24, 8, 0, 0, 999_999, tzinfo=UTC)
    second = first + timedelta(microseconds=1)
    store(database, second, first)
    since = select(func.count()).where(event_table.c.at >= second)
    in_order = select(event_table.c.at).order_by(event_table.c.at)
    assert database.read_now(lambda c: c.execute(since).scalar_one()) == 1
    assert database.read_now(lambda c: c.execute(in_order).scalars().all()) == [first, second]


@SQLITE_ONLY  # another column keeps no text for bytes
@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("x'00ff'", b"\x00\xff"),
        ("'한'", "한".encode()),
        ("cast(x'ff' AS TEXT)", b"\xff"),
        ("7", b"7"),
        ("NULL", None),
    ],
)
def test_bytes_are_read_as_bytes_whatever_stands_there(
    database: Database, sql: str, read: bytes | None
) -> None:
    """`UPDATE ... replace(...)` in the sqlite3 shell leaves text."""
    database.write_now(lambda c: c.execute(text(f"INSERT INTO event (raw) VALUES ({sql})")))
    assert database.read_now(lambda c: c.scalar(select(event_table.c.raw))) == read


def test_bytes_are_stored_as_bytes(database: Database) -> None:
    database.write_now(lambda c: c.execute(insert(event_table), [{"raw": b"{}"}]))
    kind = {"sqlite": "typeof", "postgresql": "pg_typeof"}
    query = text(f"SELECT {kind[database.write_engine.dialect.name]}(raw) FROM event")
    assert database.read_now(lambda c: c.scalar(query)) in ("blob", "bytea")
