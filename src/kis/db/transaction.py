"""One write transaction: committed or not, and always known which.

A transaction that a server gave up before the COMMIT was sent (connection lost,
deadlock, a lock that took too long) is run again. One whose COMMIT was not
answered is looked up by its mark, so that nothing is stored twice or lost.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import OperationalError

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable

PATIENCE_S = 5.0
"""How long a server may be away before writers are refused."""

RETRY_S = 0.1
DISK_FULL = "53100"
"""Of PostgreSQL, as SQLITE_FULL of SQLite."""
READ_ONLY = "25006"
"""Of a server that has become the standby: another one is to be written to."""


class Trouble(NamedTuple):
    """What a transaction failed with: the name of the error, whether a disk is full."""

    name: str
    is_full: bool


def trouble_of(error: BaseException) -> Trouble:
    """Return what `error` says of the disk. It is not kept: it has the frames that it came by."""
    error = getattr(error, "orig", None) or error
    code = getattr(error, "sqlite_errorcode", None)
    is_full = code == sqlite3.SQLITE_FULL or getattr(error, "sqlstate", None) == DISK_FULL
    return Trouble(type(error).__name__, is_full)


def is_given_up(error: Exception, dialect: Dialect) -> bool:
    """Whether a server gave a transaction up without anybody's fault.

    A SQLite file gives none up for such reasons. The driver is asked for its own
    error, not imported: it would take 10 MB where the database is a file.
    """
    if dialect.name != "postgresql":
        return False
    if isinstance(error, OperationalError | dialect.loaded_dbapi.OperationalError):
        return True
    return getattr(getattr(error, "orig", error), "sqlstate", None) == READ_ONLY


def is_undone(connection: Connection) -> bool:
    """Whether SQLite has undone the transaction by itself, as it does where a disk is full."""
    driver = connection.connection.driver_connection
    return connection.dialect.name == "sqlite" and not getattr(driver, "in_transaction", True)


def transact(database: Database, work: Callable[[Connection], None]) -> None:
    """Run `work(connection)` and commit. It may be run again, so it only writes there.

    Raises:
        DomainError: NOT_READY, the open file was moved, deleted or replaced.
        DatabaseUnavailable: nobody can say whether it was committed.
        Exception: what `work` raised, or what the database did at the end.

    """
    if database.write_engine.dialect.name == "postgresql":
        _transact_on_server(database, work)
        return
    database.require_place()
    with database.write_engine.begin() as connection:
        work(connection)
    database.committed()
    # Once more: a file that went meanwhile took the transaction along.
    database.require_place()


def _transact_on_server(database: Database, work: Callable[[Connection], None]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    mark = database.commit_mark
    while True:
        is_marked = False
        try:
            with database.write_engine.begin() as connection:
                work(connection)
                if mark is not None:
                    mark.put(connection)
                    is_marked = True
        except Exception as error:
            if not is_given_up(error, database.write_engine.dialect):
                raise
            if is_marked and _was_committed(database):
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
        else:
            return


def _was_committed(database: Database) -> bool:
    """Whether the transaction that was marked last is committed: its connection was lost."""
    deadline = time.monotonic() + PATIENCE_S
    while database.commit_mark is not None and time.monotonic() < deadline:
        try:
            with database.write_engine.begin() as connection:
                return database.commit_mark.is_there(connection)
        except Exception as error:
            if not is_given_up(error, database.write_engine.dialect):
                raise
            time.sleep(RETRY_S)
    message = "the server was lost in a COMMIT: whether it was done nobody can say"
    raise DatabaseUnavailable(message)
