"""Where the answers to requests with an idempotency key are kept."""

from sqlalchemy import Column, Integer, Table, Text

from kis.db.metadata import Blob, UtcText, metadata

idempotency_record_table = Table(
    "idempotency_record",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("estimate_id", Text),
    Column("status", Integer, nullable=False),
    # Indexed because records are deleted by age.
    Column("created_at", UtcText, nullable=False, index=True),
    Column("body", Blob),
)
