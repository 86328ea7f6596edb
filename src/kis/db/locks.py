"""What only one process at a time may do to an installation."""

from sqlalchemy import Connection, func, select

NUMBER = 0x4B4953
"""Of the advisory lock: any number that no other program on the database uses."""
NUMBER_OF_KEYS = NUMBER + 1


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


def _lock(connection: Connection, number: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(number)))
