"""Verifies the evidence of many stored estimates, as one package after the other would be.

The steps are those of a package that somebody sends. What many of them share is
done once: rows are read together, documents decoded, stated rows made a snapshot.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import Connection

from kis.estimate.columns import Columns, contradiction_in, decode_answer, load_columns
from kis.estimate.proof import (
    document_of,
    envelope_of,
    recompute_with,
    snapshot_of,
    statement_of,
)
from kis.evidence.encoding import canonical
from kis.evidence.envelope import Keyring
from kis.evidence.store import StoredEvidence, load_evidence_of
from kis.evidence.verification import Json, verify
from kis.knowledge.snapshot import Snapshot

DOCUMENTS = 64
SNAPSHOTS = 256
MISSING = "evidence: 견적이나 증거가 없습니다 / there is no estimate, or no evidence of it"


def find_faults(connection: Connection, ids: Sequence[str], keyring: Keyring) -> dict[str, str]:
    """Return why the evidence of an estimate is not valid, by id: only of those where it is not."""
    proofs = _Proofs(connection, keyring)
    columns = load_columns(connection, ids)
    evidence = load_evidence_of(connection, ids)
    found = {
        name: proofs.fault(columns[name], evidence[name])
        if name in columns and name in evidence
        else MISSING
        for name in ids
    }
    return {name: reason for name, reason in found.items() if reason is not None}


class _Proofs:
    """Packages and snapshots as one connection has them, made once."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._keyring = keyring
        self._document = lru_cache(DOCUMENTS)(lambda digest: document_of(connection, digest))
        self._snapshots: dict[bytes, Snapshot] = {}

    def fault(self, columns: Columns, evidence: StoredEvidence) -> str | None:
        """Return the first step that failed; None when every step passes."""
        answer = decode_answer(columns["answer"])
        package = {
            "evidenceId": evidence.evidence_id,
            "statement": statement_of(evidence, answer, columns["owner"]),
            "documents": {
                "enclosures": self._document(evidence.enclosures_digest),
                "rules": self._document(evidence.rules_digest),
            },
            "envelope": msgspec.to_builtins(envelope_of(evidence)),
        }
        return verify(
            package, keyring=self._keyring, recompute=self._recompute, stored=package,
            contradiction=contradiction_in(columns, answer, self._keyring),
        ).reason  # fmt: skip

    def _recompute(self, statement: Json, documents: Json) -> object:
        return recompute_with(statement, self._snapshot(statement, documents))

    def _snapshot(self, statement: Json, documents: Json) -> Snapshot:
        """Return the snapshot of the stated rows, which name the documents by digest."""
        # By their content, not by the digests that are stated for it.
        key = canonical(statement["rows"])
        found = self._snapshots.get(key)
        if found is None:
            if len(self._snapshots) >= SNAPSHOTS:
                self._snapshots.clear()
            found = self._snapshots[key] = snapshot_of(statement, documents)
        return found
