"""The first schema.

A revision is frozen: it names types and constraints itself and imports nothing
of `kis`, so that it stays what it was when the tables move on. There is no way
down: an older program is run on a restored backup.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    create_estimate()
    create_estimate_note()
    create_api_key()
    create_evidence_key()
    create_evidence()
    create_idempotency_record()
    create_audit_entry()
    create_knowledge_document()
    create_knowledge_version()
    create_knowledge_activation()
    create_knowledge_pointer()
    create_knowledge_pending()
    create_knowledge_question()
    create_golden_case()
    create_worker()
    create_worker_since()
    create_rate_limit()
    create_commit_mark()
    create_console_session()
    create_sign_in_failure()


def create_estimate() -> None:
    """Create the table that the runbook queries."""
    op.create_table(
        "Estimate",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("main_model", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("brand", sa.Text),
        sa.Column("form", sa.Text),
        sa.Column("label", sa.Text, nullable=False, server_default=""),
        sa.Column("customer", sa.Text, nullable=False, server_default=""),
        sa.Column("width_mm", sa.Float, nullable=False),
        sa.Column("height_mm", sa.Float, nullable=False),
        sa.Column("depth_mm", sa.Float, nullable=False),
        sa.Column("enclosure_model", sa.Text),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_Estimate"),
    )
    op.create_index("ix_Estimate_created_at_main_model", "Estimate", ["created_at", "main_model"])
    listed = ["id", "created_at", "main_model", "brand", "form", "label", "customer"]
    sides = ["width_mm", "height_mm", "depth_mm"]
    op.create_index("ix_Estimate_listed", "Estimate", [*listed, *sides])


def create_estimate_note() -> None:
    """Create what is noted on estimates after they were stored."""
    op.create_table(
        "estimate_note",
        sa.Column("estimate_id", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("estimate_id", name="pk_estimate_note"),
        sa.ForeignKeyConstraint(
            ["estimate_id"], ["Estimate.id"], name="fk_estimate_note_estimate_id"
        ),
    )


def create_evidence() -> None:
    """Create the evidence, one row an estimate."""
    op.create_table(
        "evidence",
        sa.Column("estimate_id", sa.Text, nullable=False),
        sa.Column("evidence_id", sa.Text, nullable=False),
        sa.Column("statement_digest", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("knowledge_digest", sa.Text, nullable=False),
        sa.Column("enclosures_digest", sa.Text, nullable=False),
        sa.Column("rules_digest", sa.Text, nullable=False),
        sa.Column("engine_version", sa.Text, nullable=False),
        sa.Column("client_digest", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("rows", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("estimate_id", name="pk_evidence"),
        sa.ForeignKeyConstraint(["estimate_id"], ["Estimate.id"], name="fk_evidence_estimate_id"),
    )


def create_evidence_key() -> None:
    """Create the secrets that seal evidence, encrypted."""
    op.create_table(
        "evidence_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("master_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("retired_at", sa.Text),
        sa.Column("compromised_since", sa.Text),
        sa.Column("locked_secret", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_key"),
    )


def create_api_key() -> None:
    """Create the API keys, of which digests are kept."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
        sa.Column("last_used_at", sa.Text),
        sa.Column("digest", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )


def create_idempotency_record() -> None:
    """Create the stored answers to keyed requests."""
    op.create_table(
        "idempotency_record",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("estimate_id", sa.Text),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("owner", "operation", "key", name="pk_idempotency_record"),
    )
    op.create_index("ix_idempotency_record_created_at", "idempotency_record", ["created_at"])


def create_audit_entry() -> None:
    """Create the audit trail."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("digest", sa.Text, nullable=False, server_default=""),
        sa.Column("client", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sqlite_autoincrement=True,
    )


def create_knowledge_document() -> None:
    """Create the content-addressed documents."""
    op.create_table(
        "knowledge_document",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_knowledge_document"),
    )


def create_knowledge_version() -> None:
    """Create the versions."""
    documents = ["breakers_digest", "enclosures_digest", "accessories_digest", "rules_digest"]
    op.create_table(
        "knowledge_version",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("base_version_id", sa.Integer),
        sa.Column("upload_digest", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in documents),
        sa.Column("digest", sa.Text),
        sa.Column("table_count", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("total_rows", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("validated_at", sa.Text),
        sa.Column("summary", sa.LargeBinary),
        sa.Column("change_set", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_version"),
        sa.UniqueConstraint("label", name="uq_knowledge_version_label"),
        *(
            sa.ForeignKeyConstraint(
                [name], ["knowledge_document.digest"], name=f"fk_knowledge_version_{name}"
            )
            for name in documents
        ),
        sqlite_autoincrement=True,
    )


def create_knowledge_activation() -> None:
    """Create the history of what was active."""
    op.create_table(
        "knowledge_activation",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version_id", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("previous_label", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("regression", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_activation"),
        sqlite_autoincrement=True,
    )


def create_knowledge_pointer() -> None:
    """Create the one row that says what is active."""
    op.create_table(
        "knowledge_pointer",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("version_id", sa.Integer, nullable=False),
        sa.Column("activation_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_pointer"),
        sa.CheckConstraint("id = 1", name="ck_knowledge_pointer_one_row"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["knowledge_version.id"], name="fk_knowledge_pointer_version_id"
        ),
        sa.ForeignKeyConstraint(
            ["activation_id"],
            ["knowledge_activation.id"],
            name="fk_knowledge_pointer_activation_id",
        ),
    )


def create_knowledge_pending() -> None:
    """Create the activation that the processes have not all answered yet."""
    op.create_table(
        "knowledge_pending",
        sa.Column("activation_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("overdue_at_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("activation_id", name="pk_knowledge_pending"),
    )


def create_knowledge_question() -> None:
    """Create the rows that estimates asked for and nobody knows."""
    op.create_table(
        "knowledge_question",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("question_ko", sa.Text, nullable=False),
        sa.Column("question_en", sa.Text, nullable=False),
        sa.Column("times_asked", sa.Integer, nullable=False),
        sa.Column("first_asked_at", sa.Text, nullable=False),
        sa.Column("last_asked_at", sa.Text, nullable=False),
        sa.Column("last_asked_by", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("closed_by", sa.Text),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_question"),
        sa.UniqueConstraint("subject", name="uq_knowledge_question_subject"),
        sqlite_autoincrement=True,
    )


def create_golden_case() -> None:
    """Create the golden set."""
    op.create_table(
        "golden_case",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("width_mm", sa.Float, nullable=False),
        sa.Column("height_mm", sa.Float, nullable=False),
        sa.Column("depth_mm", sa.Float, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_golden_case"),
    )


def create_worker() -> None:
    """Create what the running processes tell each other."""
    op.create_table(
        "worker",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seen_at_s", sa.Float, nullable=False),
        sa.Column("version_id", sa.Integer, nullable=False),
        sa.Column("failed_version_id", sa.Integer),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("keys_seen", sa.Text),
        sa.PrimaryKeyConstraint("name", name="pk_worker"),
        prefixes=_passing(),
    )


def create_worker_since() -> None:
    """Create the moment since when no word of a process was lost: there were none before."""
    since = op.create_table(
        "worker_since",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker_since"),
        sa.CheckConstraint("id = 1", name="ck_worker_since_one_row"),
        prefixes=_passing(),
    )
    op.bulk_insert(since, [{"id": 1, "at_s": 0.0}])


def create_rate_limit() -> None:
    """Create the buckets of the rate limit that processes share."""
    op.create_table(
        "rate_limit",
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("empty_at_s", sa.Float, nullable=False),
        sa.Column("asked_at_s", sa.Float, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_rate_limit"),
        prefixes=_passing(),
    )


def create_commit_mark() -> None:
    """Create the last transaction of each writer."""
    op.create_table(
        "commit_mark",
        sa.Column("writer", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("marked_at_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_commit_mark"),
    )


def create_console_session() -> None:
    """Create the sessions of the console."""
    op.create_table(
        "console_session",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_console_session"),
    )


def create_sign_in_failure() -> None:
    """Create the counts of wrong keys by address."""
    op.create_table(
        "sign_in_failure",
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_sign_in_failure"),
    )


def _passing() -> list[str]:
    """What is worth nothing after a crash: PostgreSQL waits for no disk then."""
    return ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
