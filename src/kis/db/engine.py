"""Opens the database: one connection that writes, a few that read.

SQLAlchemy's own transaction control is switched off for SQLite (the driver runs
in autocommit mode) and BEGIN is sent explicitly. Else Python's sqlite3 would
begin transactions where it sees fit, and savepoints would not nest.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from kis.db.place import Place
from kis.telemetry import two_digits

T = TypeVar("T")

READ_CONNECTIONS = 4
SQLITE_MINIMUM = (3, 35, 0)
"""The first version with RETURNING."""

WRITE_PRAGMAS = (
    "busy_timeout = 5000",  # milliseconds
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 1000",  # pages
)
READ_PRAGMAS = ("busy_timeout = 5000", "query_only = ON")

logger = logging.getLogger("kis.db")


class DatabaseUnavailable(Exception):  # noqa: N818 - says what is the case, as DomainError's codes do
    """The database cannot be opened, or cannot commit. The message says why."""


class Database:
    """A write engine with one connection and a read engine with a few.

    Exactly one part of the program writes: whoever holds the write engine's only
    connection. Statements that refuse to run in a transaction (VACUUM,
    checkpoints) borrow that connection by `write_engine.raw_connection()`.
    """

    def __init__(
        self, write_engine: Engine, read_engine: Engine, place: Place | None = None
    ) -> None:
        """Take ownership of both engines; `close` disposes of them.

        `place` is None where the database is no file of this machine.
        """
        self._place = place
        self.write_engine = write_engine
        self.read_engine = read_engine
        self._readers = ThreadPoolExecutor(READ_CONNECTIONS, thread_name_prefix="kis-read")

    def is_displaced(self) -> bool:
        """Whether the open file is no longer the one at its path."""
        return self._place is not None and self._place.is_displaced()

    def require_place(self) -> None:
        """Check that the open file is the one that the next start would open.

        Raises:
            DomainError: NOT_READY, the open file was moved, deleted or replaced.

        """
        if self._place is not None:
            self._place.require()

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Return `fn(connection)`, run in a thread on a read connection.

        `fn` sees one state of the database from its first statement to its
        last, and must fetch what it returns. What it raises is raised here.

        Raises:
            DomainError: NOT_READY, as `require_place`.

        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.read_now, fn)

    def read_now(self, fn: Callable[[Connection], T]) -> T:
        """Do what `read` does, in the calling thread."""
        # A new connection would open, or make, whatever is at the path now.
        self.require_place()
        with self.read_engine.connect() as connection:
            return fn(connection)

    def write_now(self, fn: Callable[[Connection], T]) -> T:
        """Return `fn(connection)`, run in one transaction on the write connection.

        For start-up and the command line; requests write through a `Writer`.
        Waits up to 30 s for the connection. What `fn` raises rolls back.
        """
        with self.write_engine.begin() as connection:
            return fn(connection)

    def close(self) -> None:
        """Wait for running reads, then close every connection. Stop the Writer first."""
        self._readers.shutdown()
        self.read_engine.dispose()
        # Last, so that SQLite's closing checkpoint runs on the write connection.
        self.write_engine.dispose()


def open_database(url: str, *, slow_query_ms: float) -> Database:
    """Open the database at `url` (`sqlite:///path/to/kis.db`), creating the file.

    Statements that take longer than `slow_query_ms` milliseconds are logged.

    Raises:
        DatabaseUnavailable: `url` names no usable database: unknown kind, missing
            directory, no permission, not a database, or SQLite too old.

    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The address may hold a password: keep it out of the message.
        message = "the database address is not of the form sqlite:///path/to/kis.db"
        raise DatabaseUnavailable(message) from error
    if parsed.get_backend_name() != "sqlite":
        message = f"databases of kind {parsed.get_backend_name()} are not supported, only sqlite"
        raise DatabaseUnavailable(message)
    if parsed.database in (None, "", ":memory:"):
        message = "the SQLite database must be a file: one in memory has no second connection"
        raise DatabaseUnavailable(message)
    require_sqlite(sqlite3.sqlite_version_info)
    return _open_sqlite(parsed, slow_query_ms)


def require_sqlite(version: tuple[int, ...]) -> None:
    """Check that SQLite's `version` is one that KIS runs on.

    Raises:
        DatabaseUnavailable: it is below 3.35.

    """
    if version < SQLITE_MINIMUM:
        found, needed = (".".join(map(str, parts)) for parts in (version, SQLITE_MINIMUM))
        message = f"SQLite {found} is too old: KIS needs {needed} or newer"
        raise DatabaseUnavailable(message)


def _open_sqlite(url: URL, slow_query_ms: float) -> Database:
    write_engine = _sqlite_engine(url, 1, "BEGIN IMMEDIATE", _set_up_write_connection)
    read_engine = _sqlite_engine(url, READ_CONNECTIONS, "BEGIN", _set_up_read_connection)
    for engine in (write_engine, read_engine):
        _log_slow_statements(engine, slow_query_ms)
        try:
            engine.connect().close()
        except (SQLAlchemyError, sqlite3.Error, DatabaseUnavailable) as error:
            read_engine.dispose()
            write_engine.dispose()
            raise DatabaseUnavailable(_sqlite_trouble(str(url.database), error)) from error
    return Database(write_engine, read_engine, Place(Path(str(url.database))))


def _sqlite_engine(
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


def _sqlite_trouble(path: str, error: Exception) -> str:
    """Say what is wrong with `path`, where SQLite only says that it is unable to open it."""
    reason = str(getattr(error, "orig", error))
    directory = Path(path).absolute().parent
    if reason == "unable to open database file" and not directory.is_dir():
        reason = f"there is no directory {directory}"
    elif reason == "unable to open database file" and Path(path).is_dir():
        reason = "it is a directory"
    return f"cannot use the SQLite database {path}: {reason}"


def _log_slow_statements(engine: Engine, slow_query_ms: float) -> None:
    """Log statements of `engine` that take too long, never their parameters."""

    @event.listens_for(engine, "before_cursor_execute")
    def _started(connection: Connection, *_: Any) -> None:
        connection.info["statement_started"] = perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _finished(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
        took_ms = (perf_counter() - connection.info["statement_started"]) * 1000
        if took_ms > slow_query_ms:
            shown = " ".join(statement.split())[:200]
            logger.warning("slow query %sms %s", two_digits(took_ms), shown)
