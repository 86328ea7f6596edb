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


def run(home: Path, sql: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    """Run one statement, with `?` for each parameter, and commit; return its rows."""
    rows, _ = _run(home, sql, parameters)
    return rows


def run_by_name(home: Path, sql: str, parameters: Iterable[object] = ()) -> list[dict[str, Any]]:
    """Do what `run` does; return rows by the names of their columns."""
    rows, names = _run(home, sql, parameters)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _run(
    home: Path, sql: str, parameters: Iterable[object]
) -> tuple[list[tuple[Any, ...]], list[str]]:
    url = url_of(home)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            cursor = connection.execute(sql, tuple(parameters))
            return cursor.fetchall(), [column[0] for column in cursor.description or ()]
    # Names that are not quoted lose their capitals there.
    quoted = re.sub(r'(?<!")\bEstimate\b(?!")', '"Estimate"', sql).replace("?", "%s")
    with psycopg.connect(url, autocommit=True) as session:
        found = session.execute(quoted.encode(), tuple(parameters))
        rows = found.fetchall() if found.description else []
        return rows, [column.name for column in found.description or ()]


@contextmanager
def broken_table(home: Path, table: str) -> Iterator[None]:
    """Take a table away for a while."""
    run(home, f'ALTER TABLE "{table}" RENAME TO elsewhere')
    yield
    run(home, f'ALTER TABLE elsewhere RENAME TO "{table}"')
