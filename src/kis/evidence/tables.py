"""Where the evidence of each estimate is kept, and the secrets that seal it."""

from sqlalchemy import Column, ForeignKey, Table, Text

from kis.db.metadata import Blob, UtcText, metadata
from kis.db.packing import PackedBlob

evidence_table = Table(
    "evidence",
    metadata,
    Column("estimate_id", Text, ForeignKey("Estimate.id"), primary_key=True),
    Column("evidence_id", Text, nullable=False),
    Column("statement_digest", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("knowledge_version", Text, nullable=False),
    Column("knowledge_digest", Text, nullable=False),
    Column("enclosures_digest", Text, nullable=False),
    Column("rules_digest", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("client_digest", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("rows", PackedBlob, nullable=False),  # canonical JSON of the rows used
)

evidence_key_table = Table(
    "evidence_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("master_id", Text, nullable=False),  # names the master key it is encrypted under
    Column("created_at", UtcText, nullable=False),
    Column("retired_at", UtcText),  # none: it seals
    Column("compromised_since", UtcText),
    Column("locked_secret", Blob, nullable=False),
)
