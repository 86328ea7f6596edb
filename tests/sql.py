"""Asks the database itself, beside the service, whatever kind it is."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

_urls: dict[Path, str] = {}
"""Where homes that have no SQLite file of their own keep their data."""


def url_of(home: Path, stated: str | None = None) -> str:
    """Return the DATABASE_URL of `home`: as stated now or before, else the default."""
    if stated:
        _urls[home] = stated
    return _urls.get(home, f"sqlite:///{home}/data/kis.db")


class Hands:
    """A connection of our own beside the service: each statement commits, unless one begins.

    No foreign key holds it back. `?` stands for each parameter.
    """

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        """Use `connection`, which is in autocommit mode."""
        self._connection = connection
        self.is_sqlite = isinstance(connection, sqlite3.Connection)
        self.names: list[str] = []

    def execute(self, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows, and keep the names of their columns."""
        found: Any
        if isinstance(self._connection, sqlite3.Connection):
            found = self._connection.execute(sql, tuple(parameters))
        else:
            # Names that are not quoted lose their capitals there.
            quoted = re.sub(r'(?<!")\bEstimate\b(?!")', '"Estimate"', sql).replace("?", "%s")
            found = self._connection.execute(quoted.encode(), tuple(parameters))
        self.names = [column[0] for column in found.description or ()]
        return found.fetchall() if found.description else []


@contextmanager
def hands_on(home: Path) -> Iterator[Hands]:
    """Lay hands on the database of `home`."""
    url = url_of(home)
    if url.startswith("sqlite"):
        file = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            yield Hands(connection)
        return
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SET session_replication_role = replica")
        yield Hands(session)


def run(home: Path, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    """Run one statement, with `?` for each parameter, and commit; return its rows."""
    with hands_on(home) as hands:
        return hands.execute(sql, parameters)


def run_by_name(home: Path, sql: str, parameters: Iterable[object] = ()) -> list[dict[str, Any]]:
    """Do what `run` does; return rows by the names of their columns."""
    with hands_on(home) as hands:
        rows = hands.execute(sql, parameters)
        return [dict(zip(hands.names, row, strict=True)) for row in rows]


@contextmanager
def held_writes(home: Path) -> Iterator[Hands]:
    """Let nobody else write an estimate, until whoever gets these hands executes ROLLBACK."""
    with hands_on(home) as hands:
        hands.execute("BEGIN IMMEDIATE" if hands.is_sqlite else "BEGIN")
        if not hands.is_sqlite:
            hands.execute("LOCK TABLE Estimate IN EXCLUSIVE MODE")
        yield hands


@contextmanager
def broken_table(home: Path, table: str) -> Iterator[None]:
    """Take a table away for a while."""
    run(home, f'ALTER TABLE "{table}" RENAME TO elsewhere')
    yield
    run(home, f'ALTER TABLE elsewhere RENAME TO "{table}"')
