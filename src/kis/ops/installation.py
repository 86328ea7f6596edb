"""What an installation consists of in its database, and which one it is."""

from typing import Any

from sqlalchemy import Connection, Table, Text, func, select, text, type_coerce

from kis.access.tables import (
    api_key_table,
    console_session_table,
    rate_limit_table,
    sign_in_failure_table,
)
from kis.audit.tables import audit_entry_table
from kis.db.commit_mark import commit_mark_table
from kis.estimate.tables import estimate_note_table, estimate_table
from kis.evidence.encoding import canonical, sha256_hex
from kis.evidence.tables import evidence_key_table, evidence_table
from kis.idempotency.tables import idempotency_record_table
from kis.knowledge.tables import (
    golden_case_table,
    knowledge_activation_table,
    knowledge_document_table,
    knowledge_pending_table,
    knowledge_pointer_table,
    knowledge_question_table,
    knowledge_version_table,
    worker_since_table,
    worker_table,
)

TABLES = (
    knowledge_document_table,
    knowledge_version_table,
    knowledge_activation_table,
    knowledge_pointer_table,
    knowledge_question_table,
    golden_case_table,
    estimate_table,
    estimate_note_table,
    evidence_table,
    evidence_key_table,
    api_key_table,
    idempotency_record_table,
    audit_entry_table,
)
"""What is moved: each table after those that it refers to."""

OF_PROCESSES = (
    worker_table,
    worker_since_table,
    knowledge_pending_table,
    rate_limit_table,
    commit_mark_table,
    console_session_table,
    sign_in_failure_table,
)
"""Tables about what runs now and who is signed in, which are no part of an installation."""

COUNTED = tuple(table for table in TABLES if table.autoincrement_column is not None)
"""Tables whose ids the database gives, none of them twice."""

ID_DIGITS = 24


def identity(connection: Connection) -> str | None:
    """Return what names an installation: when and with what it began. None: it did not yet."""
    table = knowledge_activation_table.c
    first = connection.execute(
        select(table.id, table.label, table.digest, type_coerce(table.at, Text))
        .order_by(table.id)
        .limit(1)
    ).one_or_none()
    return None if first is None else sha256_hex(canonical(list(first)))[:ID_DIGITS]


def count_rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, by name."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in TABLES
    }


def last_id_given(connection: Connection, table: Table) -> int:
    """Return the highest id that the database has given to a row of `table`; 0 for none."""
    stored: int = connection.scalar(select(func.max(_id_of(table)))) or 0
    if connection.dialect.name == "postgresql":
        state = "CASE WHEN is_called THEN last_value ELSE 0 END"
        statement = f"SELECT {state} FROM {_sequence(table)}"  # noqa: S608 - our own names
        given: int | None = connection.scalar(text(statement))
    else:
        given = connection.scalar(
            text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
        )
    return max(stored, given or 0)


def set_last_id_given(connection: Connection, table: Table, number: int) -> None:
    """Let the next row of `table` get the id after `number`."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(f"SELECT setval('{_sequence(table)}', :number, :is_called)"),
            {"number": max(number, 1), "is_called": number > 0},
        )
        return
    name = {"name": table.name, "number": number}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
    connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), name)


def _id_of(table: Table) -> Any:
    assert table.autoincrement_column is not None  # noqa: S101 - for the type checker
    return table.autoincrement_column


def _sequence(table: Table) -> str:
    """Return the name that PostgreSQL gives the sequence of a serial column."""
    return f"{table.name}_{_id_of(table).name}_seq"
