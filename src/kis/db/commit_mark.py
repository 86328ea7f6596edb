"""Whether a transaction was committed, told by the database after the connection was lost.

Each writer has one row, and puts a new number there in every transaction. PostgreSQL has
numbers of its own (`pg_xact_status`), but gives those of transactions that a crash undid
once more: one would hear of another's commit.
"""

import itertools
import secrets

from sqlalchemy import BigInteger, Column, Connection, Float, Table, Text, delete

from kis.db.metadata import metadata
from kis.db.postgres import NOW_S

FORGOTTEN_AFTER_S = 86_400.0

commit_mark_table = Table(
    "commit_mark",
    metadata,
    Column("writer", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("marked_at_s", Float, nullable=False),  # of the database's clock since 1970
)

_MARK = """
INSERT INTO commit_mark AS mark (writer, number, marked_at_s)
VALUES (%s, %s, extract(epoch FROM clock_timestamp()))
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, marked_at_s = excluded.marked_at_s
"""
# A write, though it changes nothing: it waits for a transaction that is still being committed.
_READ = """
INSERT INTO commit_mark AS mark (writer, number, marked_at_s)
VALUES (%s, 0, extract(epoch FROM clock_timestamp()))
ON CONFLICT (writer) DO UPDATE SET number = mark.number
RETURNING number
"""

_TOUCH = """
INSERT INTO commit_mark AS mark (writer, number, marked_at_s) VALUES ('nobody', 1, 0)
ON CONFLICT (writer) DO UPDATE SET number = mark.number + 1
"""


class CommitMark:
    """The mark of one writer. One transaction at a time."""

    def __init__(self) -> None:
        """Take a name that no other writer has."""
        self._writer = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._last = 0

    def put(self, connection: Connection) -> None:
        """Mark the transaction of `connection`, at its end."""
        self._last = next(self._numbers)
        connection.exec_driver_sql(_MARK, (self._writer, self._last))

    def is_there(self, connection: Connection) -> bool:
        """Whether the transaction that was marked last is committed."""
        number: int = connection.exec_driver_sql(_READ, (self._writer,)).scalar_one()
        return number == self._last


def touch(connection: Connection) -> None:
    """Write something that nobody reads: what comes of it tells whether one can write."""
    connection.exec_driver_sql(_TOUCH)


def forget_marks(connection: Connection) -> None:
    """Delete the marks of writers that have not written for a day."""
    is_old = commit_mark_table.c.marked_at_s < NOW_S - FORGOTTEN_AFTER_S
    connection.execute(delete(commit_mark_table).where(is_old))
