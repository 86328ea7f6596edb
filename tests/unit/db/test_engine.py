"""Opening the database: what is in force, what is refused, what is logged."""

import asyncio
import logging
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from kis.db import sqlite
from kis.db.engine import READ_CONNECTIONS, Database, open_database
from kis.db.unavailable import DatabaseUnavailable
from tests.backends import SQLITE_ONLY


def pragma(connection: Connection, name: str) -> object:
    return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def create_note(database: Database) -> None:
    database.write_now(lambda c: c.execute(text("CREATE TABLE note (body TEXT)")))


def count_notes(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM note")).scalar_one())


@SQLITE_ONLY  # its pragmas
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
        ("wal_autocheckpoint", 1000),
        ("query_only", 0),
    ],
)
def test_pragmas_of_the_write_connection(database: Database, name: str, value: object) -> None:
    assert database.write_now(lambda c: pragma(c, name)) == value


def test_there_is_one_write_connection(database: Database) -> None:
    seen = {database.write_now(lambda c: id(c.connection.driver_connection)) for _ in range(3)}
    assert len(seen) == 1
    assert database.write_engine.pool.size() == 1  # type: ignore[attr-defined]


@SQLITE_ONLY  # its pragmas; PostgreSQL: test_postgres
def test_every_read_connection_refuses_to_write(database: Database) -> None:
    create_note(database)
    connections = [database.read_engine.connect() for _ in range(READ_CONNECTIONS)]
    try:
        for connection in connections:
            assert pragma(connection, "query_only") == 1
            assert pragma(connection, "busy_timeout") == 5000
            with pytest.raises(OperationalError, match="readonly"):
                connection.execute(text("INSERT INTO note VALUES ('a')"))
    finally:
        for connection in connections:
            connection.close()


def test_a_read_sees_one_state_of_the_database(database: Database) -> None:
    create_note(database)

    def count_around_a_write(connection: Connection) -> tuple[int, int]:
        before = count_notes(connection)
        database.write_now(lambda c: c.execute(text("INSERT INTO note VALUES ('a')")))
        return before, count_notes(connection)

    assert database.read_now(count_around_a_write) == (0, 0)
    assert database.read_now(count_notes) == 1


def test_reads_run_beside_the_event_loop_and_at_most_four_at_once(database: Database) -> None:
    everybody = threading.Barrier(READ_CONNECTIONS)

    def meet(_connection: Connection) -> str:
        everybody.wait(10)
        return threading.current_thread().name

    async def read_twice_as_many() -> list[str]:
        return await asyncio.gather(*(database.read(meet) for _ in range(2 * READ_CONNECTIONS)))

    names = asyncio.run(read_twice_as_many())
    assert len(set(names)) == READ_CONNECTIONS
    assert all(name.startswith("kis-read") for name in names)


def test_what_a_read_raises_is_raised(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"no such table|does not exist"):
        asyncio.run(database.read(count_notes))


def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    create_note(database)

    def write_and_fail(connection: Connection) -> None:
        connection.execute(text("INSERT INTO note VALUES ('a')"))
        raise LookupError

    with pytest.raises(LookupError):
        database.write_now(write_and_fail)
    assert database.read_now(count_notes) == 0


def test_schema_changes_are_part_of_the_transaction(database: Database) -> None:
    def create_and_fail(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE note (body TEXT)"))
        raise LookupError

    with pytest.raises(LookupError):
        database.write_now(create_and_fail)
    create_note(database)


@SQLITE_ONLY  # its VACUUM
def test_the_borrowed_write_connection_is_in_no_transaction(database: Database) -> None:
    create_note(database)
    borrowed = database.write_engine.raw_connection()
    driver_connection = borrowed.driver_connection
    assert isinstance(driver_connection, sqlite3.Connection)
    driver_connection.execute("INSERT INTO note VALUES ('a')")
    assert database.read_now(count_notes) == 1
    driver_connection.execute("VACUUM")
    assert driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    borrowed.close()


def test_slow_statements_are_logged_without_parameters(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(f"sqlite:///{path}", slow_query_ms=0)
    caplog.clear()
    statement = "SELECT :secret,\n   '" + "x" * 300 + "'"
    database.read_now(lambda c: c.execute(text(statement), {"secret": "customer"}).all())
    database.close()
    messages = [r.getMessage() for r in caplog.records if "xxx" in r.getMessage()]
    assert len(messages) == 1
    took, _, statement = messages[0].removeprefix("slow query ").partition("ms ")
    assert float(took) > 0
    assert statement.startswith("SELECT ?, 'xxx")
    assert len(statement) == 200
    assert all(r.name == "kis.db" and r.levelno == logging.WARNING for r in caplog.records)
    assert "customer" not in caplog.text


def test_fast_statements_are_not_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    create_note(database)
    database.read_now(count_notes)
    assert caplog.records == []


def test_errors_do_not_show_parameters(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        database.read_now(lambda c: c.execute(text("SELECT :s FROM nowhere"), {"s": "customer"}))
    assert "customer" not in str(caught.value)


@SQLITE_ONLY  # a file
def test_closing_leaves_one_file(path: Path, database: Database) -> None:
    create_note(database)
    database.read_now(count_notes)
    database.close()
    assert [file.name for file in path.parent.iterdir()] == ["kis.db"]


def refusal(url: str) -> str:
    with pytest.raises(DatabaseUnavailable) as caught:
        open_database(url, slow_query_ms=100)
    return str(caught.value)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    message = refusal(f"sqlite:///{tmp_path}/missing/kis.db")
    assert message.endswith(f"there is no directory {tmp_path}/missing")


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}").endswith(f"{tmp_path}: it is a directory")


def test_a_file_of_another_kind_is_no_database(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" * 1000)
    assert refusal(f"sqlite:///{path}").endswith("file is not a database")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    message = refusal(f"sqlite:///{tmp_path}/kis.db")
    tmp_path.chmod(0o700)
    assert message.endswith("unable to open database file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_without_permission(path: Path) -> None:
    sqlite3.connect(path).execute("CREATE TABLE note (body TEXT)").connection.close()
    path.chmod(0o400)
    assert "readonly" in refusal(f"sqlite:///{path}")


def test_a_file_system_without_shared_memory(path: Path) -> None:
    message = refusal(f"sqlite:///file:{path}?vfs=unix-none&uri=true")
    assert "allows no write-ahead log" in message


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_memory_is_no_database(url: str) -> None:
    assert "must be a file" in refusal(url)


def test_another_kind_of_database() -> None:
    message = refusal("mysql://kis:geheim@localhost/kis")
    assert "mysql" in message
    assert "geheim" not in message


def test_an_address_that_is_none() -> None:
    message = refusal("kis:geheim@localhost")
    assert "not of the form" in message
    assert "geheim" not in message


def test_an_old_sqlite_is_refused() -> None:
    sqlite.require_sqlite((3, 35, 0))
    with pytest.raises(DatabaseUnavailable, match=r"SQLite 3\.34\.1 .* needs 3\.35\.0"):
        sqlite.require_sqlite((3, 34, 1))
