"""Opens the database: one connection that writes, a few that read."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from kis.db import postgres, sqlite
from kis.db.commit_mark import CommitMark
from kis.db.place import Place
from kis.db.unavailable import DatabaseUnavailable
from kis.db.wal import Wal

T = TypeVar("T")

READ_CONNECTIONS = 4


class Database:
    """A write engine with one connection and a read engine with a few.

    Exactly one part of the program writes: whoever holds the write engine's only
    connection. Statements that refuse to run in a transaction (VACUUM,
    checkpoints) borrow that connection by `write_engine.raw_connection()`.
    """

    def __init__(
        self,
        write_engine: Engine,
        read_engine: Engine,
        place: Place | None = None,
        commit_mark: CommitMark | None = None,
        wal: Wal | None = None,
    ) -> None:
        """Take ownership of both engines; `close` disposes of them.

        `place` is None where the database is no file of this machine. `commit_mark` is
        for a server, where it has to be known whether a COMMIT without answer was done;
        `wal` is the log of a SQLite file.
        """
        self._place = place
        self.commit_mark = commit_mark
        self.wal = wal
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
            DatabaseUnavailable: the server does not answer.

        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.read_now, fn)

    def read_now(self, fn: Callable[[Connection], T]) -> T:
        """Do what `read` does, in the calling thread."""
        # A new connection would open, or make, whatever is at the path now.
        self.require_place()
        if self.read_engine.dialect.name == "postgresql":
            return postgres.read(self.read_engine, fn)
        with self.read_engine.connect() as connection:
            return fn(connection)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Return `fn(connection)`, run in a thread as `write_now` does it.

        For small things beside a `Writer`, which are lost when they fail.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self.write_now, fn)

    def write_now(self, fn: Callable[[Connection], T]) -> T:
        """Return `fn(connection)`, run in one transaction on the write connection.

        For start-up and the command line; requests write through a `Writer`.
        Waits up to 30 s for the connection. What `fn` raises rolls back.
        """
        with self.write_engine.begin() as connection:
            result = fn(connection)
        self.committed()
        return result

    def committed(self) -> None:
        """Note that a transaction of `write_engine` was committed."""
        if self.wal is not None:
            self.wal.committed()

    def tend(self) -> None:
        """Do what is due between two transactions, while nobody waits for an answer."""
        if self.wal is not None:
            self.wal.tend()

    def close(self) -> None:
        """Wait for running reads, then close every connection. Stop the Writer first."""
        self._readers.shutdown()
        self.read_engine.dispose()
        if self.wal is not None:
            self.wal.stop_following()
        # Last, so that SQLite's closing checkpoint runs on the write connection.
        self.write_engine.dispose()
        if self.wal is not None:
            self.wal.close()


def open_database(url: str, *, slow_query_ms: float) -> Database:
    """Open the database at `url`: a SQLite file, which is created, or PostgreSQL.

    `sqlite:///path/to/kis.db` or `postgresql://user:password@host/database`.
    Statements that take longer than `slow_query_ms` milliseconds are logged.

    Raises:
        DatabaseUnavailable: `url` names no usable database: unknown kind, missing
            directory, no permission, not a database, nobody there, or too old.

    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The address may hold a password: keep it out of the message.
        message = "the database address is not of the form sqlite:///path/to/kis.db"
        raise DatabaseUnavailable(message) from error
    match parsed.get_backend_name():
        case "sqlite":
            engines = sqlite.open_engines(
                parsed, readers=READ_CONNECTIONS, slow_query_ms=slow_query_ms
            )
            file = Path(str(parsed.database))
            return Database(*engines, Place(file), wal=Wal(file.absolute(), engines[0]))
        case "postgresql":
            engines = postgres.open_engines(
                parsed, readers=READ_CONNECTIONS, slow_query_ms=slow_query_ms
            )
            return Database(*engines, commit_mark=CommitMark())
        case kind:
            message = f"databases of kind {kind} are not supported, only sqlite and postgresql"
            raise DatabaseUnavailable(message)


def open_second_writer(url: str, *, slow_query_ms: float) -> Database:
    """Open the PostgreSQL at `url`, which `open_database` has, for what may be written twice.

    It reads on the connection that writes.
    """
    engine = postgres.open_writer(make_url(url), slow_query_ms=slow_query_ms)
    return Database(engine, engine)
