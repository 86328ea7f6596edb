"""What only one process at a time may do to an installation."""

from sqlalchemy import Connection, func, select

NUMBER = 0x4B4953
"""Of the advisory lock: any number that no other program on the database uses."""


def lock_installation(connection: Connection) -> None:
    """Let other processes wait until this transaction ends.

    Of several that start at once one makes the schema and loads the first
    knowledge; of several that change knowledge each sees what the one before it
    did. A transaction that writes to SQLite excludes all others as it is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(NUMBER)))
