"""Evidence packages of estimates: composed from the database, and verified.

The package is not stored as such. It is put together from the answer, the
evidence row and the documents, so whatever was changed in the database since
shows when the package is verified.
"""

from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode, Finding, Text, refusal
from kis.estimate import store
from kis.estimate.columns import decode_answer, decode_stored, first_contradiction
from kis.estimate.rerun import rerun
from kis.estimate.service import not_found
from kis.evidence.encoding import canonical_strict, sha256_hex
from kis.evidence.envelope import ALGORITHM, Envelope, Keyring
from kis.evidence.keys import LiveKeyring
from kis.evidence.statement import STATEMENT_TYPE
from kis.evidence.store import StoredEvidence, load_evidence
from kis.evidence.verification import Json, Verification, verify
from kis.knowledge.content import ContentError
from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot, Tables
from kis.knowledge.store import has_document, load_document

RESULT_FIELDS = ("enclosure", "required", "layout", "billOfMaterials", "rejected", "warnings")
MAX_BODY_DMM = 10_000
"""Rows in a package may be a stranger's: no sum of theirs may exhaust the machine."""


class EvidenceService:
    """Gives and verifies the evidence of estimates."""

    def __init__(self, *, database: Database, keyring: LiveKeyring) -> None:
        """Read from `database`; check signatures with `keyring`."""
        self._database = database
        self._keyring = keyring

    async def load_package(self, estimate_id: str) -> bytes:
        """Return the evidence package of an estimate as JSON bytes.

        Raises:
            DomainError: NOT_FOUND.

        """
        package = await self._database.read(lambda c: compose_package(c, estimate_id))
        if package is None:
            raise DomainError(not_found(estimate_id))
        return package

    async def verify(self, package: object) -> Verification:
        """Check `package`, decoded JSON, against itself, our keys and our database."""

        def check(connection: Connection) -> Verification:
            keyring = self._keyring.knowing(connection, _key_id(package))
            return verify_package(connection, package, keyring)

        return await self._database.read(check)

    def verify_stored(self, connection: Connection, estimate_id: str) -> Verification:
        """Check the evidence of an estimate as `connection` sees it; at once, not by a reader."""
        package = compose_package(connection, estimate_id)
        decoded = msgspec.json.decode(package or b"null")
        return verify_package(connection, decoded, self._keyring.current)


def compose_package(connection: Connection, estimate_id: str) -> bytes | None:
    """Return the package as the database has it now, unchecked; None for an unknown id.

    What is damaged beyond reading is null in it.
    """
    evidence = load_evidence(connection, estimate_id)
    answer = store.load_answer(connection, estimate_id)
    if evidence is None or answer is None:
        return None
    fields = decode_answer(answer)
    package = {
        "evidenceId": evidence.evidence_id,
        "statement": statement_of(evidence, fields, store.load_owner(connection, estimate_id)),
        "documents": {
            "enclosures": document_of(connection, evidence.enclosures_digest),
            "rules": document_of(connection, evidence.rules_digest),
        },
        "envelope": envelope_of(evidence),
    }
    return msgspec.json.encode(package)


def envelope_of(evidence: StoredEvidence) -> Envelope:
    """Return the seal that is stored."""
    return Envelope(
        algorithm=ALGORITHM,
        key_id=evidence.key_id,
        statement_digest=evidence.statement_digest,
        signature=evidence.signature,
    )


def statement_of(evidence: StoredEvidence, answer: Json, owner: str | None) -> Json:
    """Return what the evidence states, from what is stored of it and the decoded answer."""
    # Fields of the answer, not columns beside it: what was answered is what is proved.
    return {
        "type": STATEMENT_TYPE,
        "estimateId": answer.get("id"),
        "createdAt": answer.get("createdAt"),
        "caller": {"owner": owner, "clientDigest": evidence.client_digest},
        "engineVersion": evidence.engine_version,
        "knowledge": {
            "version": evidence.knowledge_version,
            "digest": evidence.knowledge_digest,
        },
        "rulesVersion": answer.get("rulesVersion"),
        "request": answer.get("request"),
        "result": {name: answer.get(name) for name in RESULT_FIELDS},
        "rows": decode_stored(evidence.rows),
    }


def document_of(connection: Connection, digest: str) -> object:
    """Return a document of the knowledge, decoded; None when it is missing or damaged."""
    try:
        return decode_stored(load_document(connection, digest))
    except ContentError:
        return None


def verify_package(connection: Connection, package: object, keyring: Keyring) -> Verification:
    """Check `package` in the numbered steps of `kis.evidence.verification`."""
    stored: Json | None = None
    contradiction = None
    estimate_id = _estimate_id(package)
    if estimate_id is not None:
        composed = compose_package(connection, estimate_id)
        stored = None if composed is None else msgspec.json.decode(composed)
        contradiction = first_contradiction(connection, estimate_id, keyring)

    def recompute(statement: Json, documents: Json) -> object:
        for name, document in documents.items():
            # Foreign rules could ask for any amount of work: only ours are run.
            if not _is_ours(connection, document):
                path = f"$.documents.{name}"
                raise _not_recomputable(path)
        return recompute_with(statement, snapshot_of(statement, documents))

    return verify(
        package, keyring=keyring, recompute=recompute, stored=stored, contradiction=contradiction
    )


def _is_ours(connection: Connection, document: object) -> bool:
    digest = sha256_hex(canonical_strict(document))
    return has_document(connection, digest)


def _estimate_id(package: object) -> str | None:
    return _text_at(package, "statement", "estimateId")


def _key_id(package: object) -> str | None:
    return _text_at(package, "envelope", "keyId")


def _text_at(package: object, part: str, field: str) -> str | None:
    inner = package.get(part) if isinstance(package, dict) else None
    value = inner.get(field) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else None


def snapshot_of(statement: Json, documents: Json) -> Snapshot:
    """Return the stated rows as the only knowledge there is.

    Raises:
        DomainError: INVALID_REQUEST, sizes that no table of ours has.

    """
    tables = Tables(
        breakers=msgspec.convert(
            [evidence["row"] for evidence in statement["rows"]["breakers"]], tuple[Breaker, ...]
        ),
        enclosures=msgspec.convert(documents["enclosures"], tuple[StockEnclosure, ...]),
        accessories=msgspec.convert(
            [evidence["row"] for evidence in statement["rows"]["accessories"]],
            tuple[Accessory, ...],
        ),
        rules=msgspec.convert(documents["rules"], RuleSet),
    )
    _refuse_absurd("breakers", tables.breakers)
    _refuse_absurd("accessories", tables.accessories)
    return Snapshot(tables, label="evidence")


def recompute_with(statement: Json, snapshot: Snapshot) -> object:
    """Estimate the stated request under `snapshot`.

    Raises:
        DomainError: it cannot be answered from these rows.

    """
    try:
        outcome = rerun(statement["request"], snapshot)
    except DomainError as error:
        raise DomainError(*map(_in_package, error.findings)) from None
    return msgspec.to_builtins(outcome.estimate)


def _refuse_absurd(name: str, rows: tuple[Breaker, ...] | tuple[Accessory, ...]) -> None:
    for index, row in enumerate(rows):
        for field in ("width_dmm", "height_dmm", "depth_dmm"):
            size = getattr(row, field)
            if size is not None and not 0 < size <= MAX_BODY_DMM:
                key = field.replace("_dmm", "Dmm")
                path = f"$.statement.rows.{name}[{index}].row.{key}"
                raise _not_recomputable(path)


def _in_package(finding: Finding) -> Finding:
    """Lead the path of a finding about the request to where the package has it."""
    return replace(finding, path="$.statement.request" + finding.path.removeprefix("$"))


def _not_recomputable(path: str) -> DomainError:
    return refusal(
        ErrorCode.INVALID_REQUEST,
        Text("이 설치의 지식이 아닙니다.", "It is not knowledge of this installation."),
        path=path,
    )
