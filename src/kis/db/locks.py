"""What only one process at a time may do to an installation."""

import time

from sqlalchemy import Connection, func, select

NUMBER = 0x4B4953
"""Of the advisory lock: any number that no other program on the database uses."""
NUMBER_OF_KEYS = NUMBER + 1
NUMBER_OF_COPY = NUMBER + 2
NUMBER_OF_MAINTENANCE = NUMBER + 3
ASK_EVERY_S = 0.2


def lock_installation(connection: Connection) -> None:
    """Let other processes wait until this transaction ends.

    Of several that start at once one makes the schema and loads the first
    knowledge; of several that change knowledge each sees what the one before it
    did. A transaction that writes to SQLite excludes all others as it is.
    """
    _lock(connection, NUMBER)


def lock_keys(connection: Connection) -> None:
    """Let other processes that change keys wait until this transaction ends."""
    _lock(connection, NUMBER_OF_KEYS)


def lock_maintenance(connection: Connection) -> None:
    """Wait until no other session maintains this database; lasts as long as the session.

    Asked again and again: who waits in `pg_advisory_lock` has a snapshot, for whose end a
    REINDEX CONCURRENTLY of the other session would wait in turn.
    """
    while not connection.scalar(select(func.pg_try_advisory_lock(NUMBER_OF_MAINTENANCE))):
        time.sleep(ASK_EVERY_S)


def _lock(connection: Connection, number: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))
