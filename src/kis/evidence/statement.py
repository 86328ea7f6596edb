"""What the evidence of an estimate states: who asked what, what followed, from which rows.

A statement is sealed once and never changed. Rows that came from an import may
hold anything JSON can hold, so they enter as strictly canonical bytes, made
once a row; the rest comes from the engine and takes the fast encoder.
"""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import msgspec

from kis.evidence.encoding import canonical_strict, sha256_hex

StatementType = Literal["kis.estimate/1"]

STATEMENT_TYPE: str = get_args(StatementType)[0]

_ROW_SHAPE = {"row": dict, "digest": str}
PACKAGE_SHAPE: dict[str, Any] = {
    "evidenceId": str,
    "statement": {
        "type": STATEMENT_TYPE,
        "estimateId": str,
        "createdAt": str,
        "caller": {"owner": str, "clientDigest": str},
        "engineVersion": str,
        "knowledge": {"version": str, "digest": str},
        "rulesVersion": str,
        "request": dict,
        "result": dict,
        "rows": {
            "breakers": [_ROW_SHAPE],
            "accessories": [_ROW_SHAPE],
            "enclosures": {"digest": str},
            "rules": {"digest": str},
        },
    },
    "documents": {"enclosures": list, "rules": dict},
    "envelope": {"algorithm": str, "keyId": str, "statementDigest": str, "signature": str},
}
"""The evidence package: statement, documents and envelope as JSON.

A dict asks for exactly its keys, a list of one for any number of that one, a
text for itself, a type for any value of it.
"""

_EVIDENCE_ID_LABEL = b"kis-evidence-id"
_EVIDENCE_ID_HEX_DIGITS = 32


class _Stated(msgspec.Struct, frozen=True, rename="camel"):
    """Base: immutable, camelCase outside, every field written."""


class KnowledgeReference(_Stated, frozen=True):
    """The knowledge version: its label and content digest."""

    version: str
    digest: str


class CallerReference(_Stated, frozen=True):
    """Who asked: the holder of the key, and what stands for the client's address."""

    owner: str
    client_digest: str


class RowEvidence(_Stated, frozen=True):
    """One row that the estimate was made from: its canonical bytes and their digest."""

    row: msgspec.Raw
    digest: str


class ContentDigest(_Stated, frozen=True):
    """Digest of a document that travels beside the statement."""

    digest: str


class Rows(_Stated, frozen=True):
    """The rows looked up, whole; the tables that were searched, by digest."""

    breakers: tuple[RowEvidence, ...]
    accessories: tuple[RowEvidence, ...]
    enclosures: ContentDigest
    rules: ContentDigest


class Statement(_Stated, frozen=True):
    """The evidence of one estimate. `canonical(statement)` is what gets sealed.

    `request` and `result` are structs, builtins, or `msgspec.Raw` that holds
    canonical bytes.
    """

    type: StatementType
    estimate_id: str
    created_at: str
    caller: CallerReference
    engine_version: str
    knowledge: KnowledgeReference
    rules_version: str
    request: object
    result: object
    rows: Rows


def build_statement(  # noqa: PLR0913 - a statement has that many parts, all named
    *,
    estimate_id: str,
    created_at: str,
    caller: CallerReference,
    engine_version: str,
    knowledge: KnowledgeReference,
    rules_version: str,
    request: object,
    result: object,
    breakers: Iterable[RowEvidence],
    accessories: Iterable[RowEvidence],
    enclosures_digest: str,
    rules_digest: str,
) -> Statement:
    """Return the statement of one estimate. `created_at` is text as answered.

    `breakers` and `accessories` come from `row_evidence`, in any number: a row
    used by several lines is stated once, where it was first used.
    """
    return Statement(
        type="kis.estimate/1",
        estimate_id=estimate_id,
        created_at=created_at,
        caller=caller,
        engine_version=engine_version,
        knowledge=knowledge,
        rules_version=rules_version,
        request=request,
        result=result,
        rows=Rows(
            breakers=_once_each(breakers),
            accessories=_once_each(accessories),
            enclosures=ContentDigest(enclosures_digest),
            rules=ContentDigest(rules_digest),
        ),
    )


def row_evidence(row: object) -> RowEvidence:
    """Return `row` (a struct or builtins) with its digest; make it once a row and keep it.

    Raises:
        NotCanonicalError: the row holds what no evidence can (see `canonical_strict`).

    """
    row_bytes = canonical_strict(row)
    return RowEvidence(row=msgspec.Raw(row_bytes), digest=sha256_hex(row_bytes))


def document_digest(document: object) -> str:
    """Return the digest of a document (the stock enclosures, the rules) as stated.

    Raises:
        NotCanonicalError: the document holds what no evidence can.

    """
    return sha256_hex(canonical_strict(document))


def evidence_id(estimate_id: str) -> str:
    """Return the id of the evidence of an estimate: derived, known beforehand, no secret."""
    # surrogatepass: the id may come from a stranger's package, and must not raise.
    digest = sha256_hex(_EVIDENCE_ID_LABEL + estimate_id.encode(errors="surrogatepass"))
    return "ev_" + digest[:_EVIDENCE_ID_HEX_DIGITS]


def _once_each(rows: Iterable[RowEvidence]) -> tuple[RowEvidence, ...]:
    return tuple({row.digest: row for row in rows}.values())
