"""SQLite: one connection that writes, a few that read.

SQLAlchemy's own transaction control is switched off (the driver runs in
autocommit mode) and BEGIN is sent explicitly. Else Python's sqlite3 would begin
transactions where it sees fit, and savepoints would not nest.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from kis.db.slow import log_slow_statements
from kis.db.unavailable import DatabaseUnavailable

MINIMUM = (3, 35, 0)
"""The first version with RETURNING."""

WRITE_PRAGMAS = (
    "busy_timeout = 5000",  # milliseconds
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 1000",  # pages
)
READ_PRAGMAS = ("busy_timeout = 5000", "query_only = ON")


def open_engines(url: URL, *, readers: int, slow_query_ms: float) -> tuple[Engine, Engine]:
    """Return the engine that writes and the one that reads, on the file of `url`.

    Raises:
        DatabaseUnavailable: missing directory, no permission, not a database, no
            file at all, or SQLite too old.

    """
    if url.database in (None, "", ":memory:"):
        message = "the SQLite database must be a file: one in memory has no second connection"
        raise DatabaseUnavailable(message)
    require_sqlite(sqlite3.sqlite_version_info)
    write_engine = _engine(url, 1, "BEGIN IMMEDIATE", _set_up_write_connection)
    read_engine = _engine(url, readers, "BEGIN", _set_up_read_connection)
    for engine in (write_engine, read_engine):
        log_slow_statements(engine, slow_query_ms)
        try:
            engine.connect().close()
        except (SQLAlchemyError, sqlite3.Error, DatabaseUnavailable) as error:
            read_engine.dispose()
            write_engine.dispose()
            raise DatabaseUnavailable(_trouble(str(url.database), error)) from error
    return write_engine, read_engine


def require_sqlite(version: tuple[int, ...]) -> None:
    """Check that SQLite's `version` is one that KIS runs on.

    Raises:
        DatabaseUnavailable: it is below 3.35.

    """
    if version < MINIMUM:
        found, needed = (".".join(map(str, parts)) for parts in (version, MINIMUM))
        message = f"SQLite {found} is too old: KIS needs {needed} or newer"
        raise DatabaseUnavailable(message)


def _engine(
    url: URL, connections: int, begin: str, set_up: Callable[[sqlite3.Connection], None]
) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"isolation_level": None},
        pool_size=connections,
        max_overflow=0,
        # Messages of exceptions end up in logs; customers' names must not.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _connected(driver_connection: sqlite3.Connection, _record: object) -> None:
        set_up(driver_connection)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _set_up_write_connection(connection: sqlite3.Connection) -> None:
    for pragma in WRITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        message = f"its file system allows no write-ahead log (journal mode {mode})"
        raise DatabaseUnavailable(message)


def _set_up_read_connection(connection: sqlite3.Connection) -> None:
    # Text that somebody broke is to be found and named, not to end the reading.
    connection.text_factory = _legible
    for pragma in READ_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _legible(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _trouble(path: str, error: Exception) -> str:
    """Say what is wrong with `path`, where SQLite only says that it is unable to open it."""
    reason = str(getattr(error, "orig", error))
    directory = Path(path).absolute().parent
    if reason == "unable to open database file" and not directory.is_dir():
        reason = f"there is no directory {directory}"
    elif reason == "unable to open database file" and Path(path).is_dir():
        reason = "it is a directory"
    return f"cannot use the SQLite database {path}: {reason}"
