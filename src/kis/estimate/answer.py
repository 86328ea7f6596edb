"""From an outcome to what is answered and what is stored."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from kis.audit.store import Entry
from kis.estimate.bare import bare_request
from kis.estimate.engine import Outcome
from kis.estimate.model import (
    ENGINE_VERSION,
    BillItem,
    Board,
    Caution,
    Enclosure,
    Layout,
    Rejected,
    SelectedDevice,
    Selection,
)
from kis.estimate.store import EstimateRecord
from kis.evidence.encoding import canonical
from kis.evidence.envelope import Keyring, client_digest, seal
from kis.evidence.statement import (
    CallerReference,
    KnowledgeReference,
    RowEvidence,
    Statement,
    build_statement,
    evidence_id,
)
from kis.idempotency.model import RecordKey
from kis.idempotency.store import Record
from kis.knowledge.active import Active
from kis.knowledge.model import Breaker
from kis.moments import moment_text
from kis.units import Size

CREATED = 201


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """What `POST /v1/estimate/create` answers, in the order in which it is read."""

    id: str
    created_at: str
    enclosure: Enclosure
    required: Size
    warnings: tuple[Caution, ...]
    layout: Layout
    bill_of_materials: tuple[BillItem, ...]
    rejected: tuple[Rejected, ...]
    request: Board
    knowledge_version: str
    rules_version: str
    engine_version: str
    evidence_id: str


class Caller(NamedTuple):
    """Who asks: the lasting holder of the key, the key's id, and the client's address.

    What belongs to somebody is the holder's, who keeps it when the key is rotated; what
    was done is told of the key.
    """

    owner: str
    key_id: str
    client: str


class Asked(NamedTuple):
    """Who asked when, and under which idempotency key."""

    estimate_id: str
    at: datetime
    caller: Caller
    key: RecordKey | None
    fingerprint: str


def compose_record(
    board: Board, outcome: Outcome, active: Active, asked: Asked, keyring: Keyring
) -> EstimateRecord:
    """Return everything that is stored with the estimate, answer and evidence included."""
    answer = _answer(board, outcome, active, asked)
    secret = keyring.secrets[keyring.current_id]
    by = asked.caller
    caller = CallerReference(by.owner, client_digest(answer.id, by.client, secret))
    statement = _statement(board, outcome, active, answer, caller)
    envelope = seal(canonical(statement), keyring)
    return EstimateRecord(
        version_id=active.snapshot.version_id,
        estimate=_columns(board, outcome, answer, asked),
        evidence={
            "estimate_id": answer.id,
            "evidence_id": answer.evidence_id,
            "statement_digest": envelope.statement_digest,
            "key_id": envelope.key_id,
            "signature": envelope.signature,
            "knowledge_version": statement.knowledge.version,
            "knowledge_digest": statement.knowledge.digest,
            "enclosures_digest": active.enclosures_digest,
            "rules_digest": active.rules_digest,
            "engine_version": ENGINE_VERSION,
            "client_digest": caller.client_digest,
            "created_at": asked.at,
            "rows": canonical(statement.rows),
        },
        audit=Entry(
            asked.at, by.key_id, "estimate.create", answer.id,
            digest=envelope.statement_digest, client=by.client,
        ),
        idempotency=asked.key
        and Record(asked.key, asked.fingerprint, CREATED, answer.id, None, asked.at),
    )  # fmt: skip


def _columns(board: Board, outcome: Outcome, answer: Answer, asked: Asked) -> dict[str, Any]:
    enclosure = outcome.estimate.enclosure
    return {
        "id": answer.id,
        "created_at": asked.at,
        "main_model": outcome.selection.main.row.model,
        "owner": asked.caller.owner,
        "client": asked.caller.client,
        "brand": board.brand,
        "form": board.form,
        "label": board.label,
        "customer": board.customer,
        "width_mm": enclosure.W,
        "height_mm": enclosure.H,
        "depth_mm": enclosure.D,
        "enclosure_model": enclosure.model,
        "knowledge_version": answer.knowledge_version,
        "request": bare_request(board),
        "answer": msgspec.json.encode(answer),
    }


def _answer(board: Board, outcome: Outcome, active: Active, asked: Asked) -> Answer:
    result = outcome.estimate
    return Answer(
        id=asked.estimate_id,
        created_at=moment_text(asked.at),
        enclosure=result.enclosure,
        required=result.required,
        warnings=result.warnings,
        layout=result.layout,
        bill_of_materials=result.bill_of_materials,
        rejected=result.rejected,
        request=board,
        knowledge_version=active.snapshot.label,
        rules_version=active.snapshot.rules.version,
        engine_version=ENGINE_VERSION,
        evidence_id=evidence_id(asked.estimate_id),
    )


def _statement(
    board: Board, outcome: Outcome, active: Active, answer: Answer, caller: CallerReference
) -> Statement:
    return build_statement(
        estimate_id=answer.id,
        created_at=answer.created_at,
        caller=caller,
        engine_version=ENGINE_VERSION,
        knowledge=KnowledgeReference(active.snapshot.label, active.snapshot.digest),
        rules_version=active.snapshot.rules.version,
        request=board,
        result=outcome.estimate,
        breakers=breakers_used(outcome.selection, active),
        accessories=[active.accessory_evidence(item.row) for item in outcome.selection.accessories],
        enclosures_digest=active.enclosures_digest,
        rules_digest=active.rules_digest,
    )


def breakers_used(selection: Selection, active: Active) -> list[RowEvidence]:
    """Return each row that was used or was a candidate, as evidence."""
    return [
        active.breaker_evidence(row)
        for device in (selection.main, *selection.branches)
        for row in _rows(device)
    ]


def _rows(device: SelectedDevice) -> tuple[Breaker, ...]:
    return device.candidates or (device.row,)
