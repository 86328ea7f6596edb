"""Where knowledge is kept: documents, versions, what is active, what is missing.

A version row says only `staged` or `validated`: a failed validation takes the
state back, the content that was fixed stays. Which version is active is what the
pointer says; which were active before is what the activations say.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    Table,
    Text,
    text,
)

from kis.db.metadata import Blob, UtcText, metadata

knowledge_document_table = Table(
    "knowledge_document",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", Blob, nullable=False),  # compressed canonical bytes
)

knowledge_version_table = Table(
    "knowledge_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("label", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),  # staged | validated
    Column("mode", Text, nullable=False),  # add | replace
    Column("base_version_id", Integer),
    Column("upload_digest", Text, nullable=False),
    Column("breakers_digest", Text, ForeignKey("knowledge_document.digest")),
    Column("enclosures_digest", Text, ForeignKey("knowledge_document.digest")),
    Column("accessories_digest", Text, ForeignKey("knowledge_document.digest")),
    Column("rules_digest", Text, ForeignKey("knowledge_document.digest")),
    Column("digest", Text),
    Column("table_count", Integer, nullable=False, server_default=text("0")),
    Column("total_rows", Integer, nullable=False, server_default=text("0")),
    Column("created_at", UtcText, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # why, or where it is from
    Column("validated_at", UtcText),
    Column("summary", Blob),  # JSON
    Column("change_set", Blob),
    # Activations name versions by id for good, so an id is never given twice.
    sqlite_autoincrement=True,
)

knowledge_activation_table = Table(
    "knowledge_activation",
    metadata,
    Column("id", Integer, primary_key=True),
    # No foreign key: a deleted version keeps its history.
    Column("version_id", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("previous_label", Text),
    Column("kind", Text, nullable=False),  # initial | activate | rollback
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("at", UtcText, nullable=False),
    Column("regression", Blob),  # JSON
    sqlite_autoincrement=True,
)

knowledge_pointer_table = Table(
    "knowledge_pointer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version_id", Integer, ForeignKey("knowledge_version.id"), nullable=False),
    Column("activation_id", Integer, ForeignKey("knowledge_activation.id"), nullable=False),
    CheckConstraint("id = 1", "one_row"),
)

knowledge_pending_table = Table(
    "knowledge_pending",
    metadata,
    # The newest activation, while the workers have not all answered it.
    Column("activation_id", Integer, primary_key=True, autoincrement=False),
    Column("overdue_at_s", Float, nullable=False),  # of the database's clock since 1970
)

knowledge_question_table = Table(
    "knowledge_question",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("path", Text),
    Column("question_ko", Text, nullable=False),
    Column("question_en", Text, nullable=False),
    Column("times_asked", Integer, nullable=False),
    Column("first_asked_at", UtcText, nullable=False),
    Column("last_asked_at", UtcText, nullable=False),
    Column("last_asked_by", Text, nullable=False),
    Column("closed_at", UtcText),
    Column("closed_by", Text),
    Column("detail", Blob, nullable=False),  # JSON
    sqlite_autoincrement=True,
)

golden_case_table = Table(
    "golden_case",
    metadata,
    Column("name", Text, primary_key=True),
    Column("width_mm", Float, nullable=False),
    Column("height_mm", Float, nullable=False),
    Column("depth_mm", Float, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", UtcText, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("request", Blob, nullable=False),
)

worker_table = Table(
    "worker",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at_s", Float, nullable=False),  # of the database's clock since 1970
    Column("version_id", Integer, nullable=False),  # that it estimates with
    Column("failed_version_id", Integer),  # that is active, and it cannot load
    Column("problem", Text, nullable=False),
    Column("keys_seen", Text),  # what its look at the keys saw: a pg_snapshot
)

worker_since_table = Table(
    "worker_since",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at_s", Float, nullable=False),  # as above: since then no row of `worker` was lost
    CheckConstraint("id = 1", "one_row"),
)
