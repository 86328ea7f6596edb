"""Writes and reads audit entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from kis.audit.tables import audit_entry_table
from kis.db.bulk import BulkInsert


class Entry(NamedTuple):
    """One change: `actor` is a key id, `digest` the content that it was about."""

    at: datetime
    actor: str
    action: str
    subject: str
    reason: str = ""
    digest: str = ""
    client: str = ""


_entries = BulkInsert(audit_entry_table, Entry._fields)


def record(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add `entries`, in the transaction of the change that they tell of."""
    _entries.run(connection, [entry._asdict() for entry in entries])


def load_entries(connection: Connection, subject: str) -> list[Entry]:
    """Return what happened to `subject`, oldest first."""
    table = audit_entry_table.c
    rows = connection.execute(
        select(*(table[name] for name in Entry._fields))
        .where(table.subject == subject)
        .order_by(table.id)
    )
    return [Entry(*row) for row in rows]
