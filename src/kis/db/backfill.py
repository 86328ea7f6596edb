"""Brings SQLite's log into the database file beside the writer, while that goes on.

A checkpoint may run while others commit. But once all of the log is in the file, the next
commit begins it anew, and whoever copies the log may not have seen the rest. A read
transaction that began before the last commit keeps SQLite from that: it is held from one
pass to the next, and ended by the writer alone.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Backfill:
    """Three connections: one that checkpoints, and two of which one reads at any time."""

    def __init__(self, database_file: Path) -> None:
        """Connect to the open `database_file`, at once: later its path may hold another.

        Raises:
            sqlite3.Error: it cannot be read.

        """
        self._lock = threading.Lock()
        self._checkpointing = _connect(database_file)
        self._reading, self._resting = _connect(database_file), _connect(database_file)

    def advance(self) -> None:
        """Bring over what is committed. There must be more than at the last pass.

        For one thread, which is not the writer's. What fails here fails in the
        writer's own checkpoint as well, which tells of it.
        """
        with self._lock, suppress(sqlite3.Error):
            self._resting.execute("BEGIN")
            # A transaction begins with the first thing that it reads.
            self._resting.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            self._reading, self._resting = self._resting, self._reading
            self._resting.rollback()
            self._checkpointing.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    @contextmanager
    def paused(self) -> Iterator[bool]:
        """Have no pass begin; false where one is under way."""
        is_free = self._lock.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._lock.release()

    def let_go(self) -> None:
        """Let SQLite begin the log anew; within `paused`."""
        self._reading.rollback()

    def close(self) -> None:
        """Close all three: the last connection to a database is to be its writer's."""
        with self._lock:
            for connection in (self._checkpointing, self._reading, self._resting):
                connection.close()


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection
