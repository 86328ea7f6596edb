"""Finds evidence rows."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from kis.evidence.tables import evidence_table


class StoredEvidence(NamedTuple):
    """What is kept beside an estimate; `rows` is canonical JSON."""

    estimate_id: str
    evidence_id: str
    statement_digest: str
    key_id: str
    signature: str
    knowledge_version: str
    knowledge_digest: str
    enclosures_digest: str
    rules_digest: str
    engine_version: str
    client_digest: str
    rows: bytes


def load_evidence(connection: Connection, estimate_id: str) -> StoredEvidence | None:
    """Return the evidence of an estimate; None when there is none."""
    return load_evidence_of(connection, [estimate_id]).get(estimate_id)


def load_evidence_of(connection: Connection, ids: Sequence[str]) -> dict[str, StoredEvidence]:
    """Return the evidence of several estimates, by id."""
    table = evidence_table.c
    rows = connection.execute(
        select(*(table[name] for name in StoredEvidence._fields)).where(table.estimate_id.in_(ids))
    )
    return {row.estimate_id: StoredEvidence(*row) for row in rows}
