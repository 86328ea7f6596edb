"""Finds evidence rows."""

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
    table = evidence_table.c
    row = connection.execute(
        select(*(table[name] for name in StoredEvidence._fields)).where(
            table.estimate_id == estimate_id
        )
    ).one_or_none()
    return None if row is None else StoredEvidence(*row)
