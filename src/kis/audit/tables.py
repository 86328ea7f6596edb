"""The audit trail: who did what to which subject, and when."""

from sqlalchemy import Column, Integer, Table, Text

from kis.db.metadata import UtcText, metadata

audit_entry_table = Table(
    "audit_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcText, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("digest", Text, nullable=False, server_default=""),
    Column("client", Text, nullable=False, server_default=""),
    # An id is never given twice, not even after the newest entry was deleted.
    sqlite_autoincrement=True,
)
