"""Transactions that a server gives up, before its COMMIT and in it."""

import pytest
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError

from kis.db import transaction
from kis.db.commit_mark import CommitMark
from kis.db.engine import Database
from kis.db.transaction import Trouble, transact, trouble_of
from kis.db.unavailable import DatabaseUnavailable
from tests.backends import POSTGRESQL_ONLY
from tests.postgres import PostgresServer

from .writer_gate import create_tables, names, note_table


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(create_tables)


def add(connection: Connection, name: str = "a") -> None:
    connection.execute(insert(note_table).values(name=name))


def test_a_full_disk_is_told_from_other_trouble(database: Database) -> None:
    """SQLite is given no more pages than it has; PostgreSQL's own error is made by hand."""
    if database.write_engine.dialect.name == "postgresql":
        error = database.write_engine.dialect.loaded_dbapi.errors.DiskFull()
        assert trouble_of(error) == Trouble("DiskFull", True)
        assert trouble_of(TimeoutError()) == Trouble("TimeoutError", False)
        return

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        for number in range(1_000):
            add(connection, f"{number:099}")

    with pytest.raises(OperationalError) as caught:
        transact(database, fill)
    assert trouble_of(caught.value) == Trouble("OperationalError", True)


class Adding:
    """Adds a row, and counts how often it is run."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, connection: Connection) -> None:
        self.runs += 1
        add(connection)


def cut(connection: Connection, postgres: PostgresServer) -> None:
    number = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    postgres.execute(f"SELECT pg_terminate_backend({number}, 5000)")


def test_what_is_written_is_there(database: Database) -> None:
    transact(database, add)
    assert names(database) == ["a"]


def test_what_work_raises_is_raised_and_leaves_nothing(database: Database) -> None:
    transact(database, add)
    runs: list[str] = []

    def work(connection: Connection) -> None:
        runs.append("run")
        add(connection, "b")
        add(connection, "a")

    with pytest.raises(IntegrityError):
        transact(database, work)
    assert (names(database), runs) == (["a"], ["run"])


@POSTGRESQL_ONLY
def test_connection_lost_before_the_commit_is_run_again(
    database: Database, postgres: PostgresServer
) -> None:
    runs: list[str] = []

    def work(connection: Connection) -> None:
        runs.append("run")
        add(connection)
        if len(runs) == 1:
            cut(connection, postgres)
            connection.execute(text("SELECT 1"))

    transact(database, work)
    assert (names(database), len(runs)) == (["a"], 2)


@POSTGRESQL_ONLY
@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "57014"])
def test_what_a_server_gives_up_is_run_again(database: Database, code: str) -> None:
    """Not to be serialised, a deadlock, a lock or a statement that took too long."""
    runs: list[str] = []

    def work(connection: Connection) -> None:
        runs.append("run")
        add(connection)
        if len(runs) == 1:
            raising = f"DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''{code}''; END'"
            connection.execute(text(raising))

    transact(database, work)
    assert (names(database), len(runs)) == (["a"], 2)


@POSTGRESQL_ONLY
def test_connection_lost_in_the_commit_that_was_done(
    database: Database, postgres: PostgresServer
) -> None:
    """The server commits, and its answer is lost on the way."""
    work = Adding()

    def commit_and_lose(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.commit()
        raw.execute("BEGIN")
        cut(connection, postgres)

    event.listen(database.write_engine, "commit", commit_and_lose, once=True)
    transact(database, work)
    assert (names(database), work.runs) == (["a"], 1)


@POSTGRESQL_ONLY
def test_connection_lost_in_the_commit_that_was_not_done(
    database: Database, postgres: PostgresServer
) -> None:
    work = Adding()
    event.listen(database.write_engine, "commit", lambda c: cut(c, postgres), once=True)
    transact(database, work)
    assert (names(database), work.runs) == (["a"], 2)


@POSTGRESQL_ONLY
def test_a_server_that_stays_away_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    monkeypatch.setattr(transaction, "PATIENCE_S", 0.3)

    def lose(_mark: CommitMark, connection: Connection) -> bool:
        cut(connection, postgres)
        return bool(connection.execute(text("SELECT 1")).scalar())

    monkeypatch.setattr(CommitMark, "is_there", lose)
    event.listen(database.write_engine, "commit", lambda c: cut(c, postgres), once=True)
    with pytest.raises(DatabaseUnavailable, match="nobody can say"):
        transact(database, add)
