"""Where estimates are kept. The name `Estimate` is the runbook's."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text

from kis.db.metadata import Blob, UtcText, metadata
from kis.db.packing import PackedBlob

estimate_table = Table(
    "Estimate",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", UtcText, nullable=False),
    Column("main_model", Text, nullable=False),
    Column("owner", Text, nullable=False),  # lasting holder of the key that asked
    Column("client", Text, nullable=False),
    Column("brand", Text),
    Column("form", Text),
    Column("label", Text, nullable=False, server_default=""),
    Column("customer", Text, nullable=False, server_default=""),
    Column("width_mm", Float, nullable=False),
    Column("height_mm", Float, nullable=False),
    Column("depth_mm", Float, nullable=False),
    Column("enclosure_model", Text),  # of stock; none: made to order
    Column("knowledge_version", Text, nullable=False),  # label of the version
    # What the size follows from. It stands before the answer, so that a replay reads
    # it without the pages of the answer: see docs/adr/0013.
    Column("request", Blob, nullable=False),
    Column("answer", PackedBlob, nullable=False),  # the JSON bytes that were sent
    # The runbook counts main breakers of the last 30 days: this index covers it.
    Index(None, "created_at", "main_model"),
    # The list of estimates: its order, and all that it can be filtered by.
    Index(
        "ix_Estimate_listed",
        "id",
        "created_at",
        "main_model",
        "brand",
        "form",
        "label",
        "customer",
        "width_mm",
        "height_mm",
        "depth_mm",
    ),
)

estimate_note_table = Table(
    "estimate_note",
    metadata,
    Column("estimate_id", Text, ForeignKey("Estimate.id"), primary_key=True),
    Column("note", Text, nullable=False),
    Column("revision", Integer, nullable=False),  # how often it was written
    Column("updated_at", UtcText, nullable=False),
    Column("updated_by", Text, nullable=False),  # id of the key
)
