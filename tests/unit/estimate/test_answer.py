"""From an outcome to what is answered and stored: both say the same."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kis.estimate.answer import (
    Answer,
    Asked,
    Caller,
    breakers_used,
    compose_record,
)
from kis.estimate.bare import bare_request
from kis.estimate.engine import estimate
from kis.estimate.model import ENGINE_VERSION, Board
from kis.estimate.proof import RESULT_FIELDS
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.estimate.store import EstimateRecord
from kis.evidence.encoding import canonical_strict, sha256_hex
from kis.evidence.envelope import Keyring, client_digest, verify_signature
from kis.evidence.statement import STATEMENT_TYPE
from kis.idempotency.model import RecordKey
from kis.knowledge.active import Active
from kis.knowledge.snapshot import Snapshot
from tests.services import board

KEYRING = Keyring.of(b"a secret of at least sixteen bytes")
AT = datetime(2026, 11, 22, 10, 15, 0, 123_456, tzinfo=UTC)
CALLER = Caller("api-bcd", "api-fgh", "10.0.0.7")
KEY = RecordKey("api-bcd", "estimate.create", "k-1")
REQUEST = board(
    brand="LS", main={"model": "ABN-54"}, branches=[{"af": 50, "poles": "3P"}],
    label="LP-1", customer="한빛",
)  # fmt: skip


@pytest.fixture(scope="module")
def active(seed_snapshot: Snapshot) -> Active:
    return Active(seed_snapshot, enclosures_digest="e" * 64, rules_digest="r" * 64)


def record(active: Active, key: RecordKey | None = KEY) -> EstimateRecord:
    board_, origins = admit(parse_board(REQUEST), active.snapshot.rules, allow_mixed=False)
    outcome = estimate(board_, active.snapshot, origins)
    asked = Asked("estimate-1", AT, CALLER, key, "f" * 64)
    return compose_record(board_, outcome, active, asked, KEYRING)


def answer_of(made: EstimateRecord) -> Any:
    return msgspec.json.decode(made.estimate["answer"])


def test_columns_say_what_the_answer_says(active: Active) -> None:
    made = record(active)
    answer, columns = answer_of(made), made.estimate
    assert columns["id"] == answer["id"] == "estimate-1"
    assert (columns["width_mm"], columns["height_mm"], columns["depth_mm"]) == tuple(
        answer["enclosure"][axis] for axis in "WHD"
    )
    for name in ("brand", "form", "label", "customer"):
        assert columns[name] == answer["request"][name]
    assert columns["main_model"] == "ABN-54"
    assert columns["enclosure_model"] == answer["enclosure"]["model"]
    assert columns["request"] == bare_request(msgspec.convert(answer["request"], Board))
    assert columns["knowledge_version"] == answer["knowledgeVersion"] == "seed"
    assert (columns["owner"], columns["client"]) == ("api-bcd", "10.0.0.7")
    assert answer["createdAt"] == "2026-11-22T10:15:00.123Z"


def test_answer_is_read_in_the_order_that_matters(active: Active) -> None:
    answer = answer_of(record(active))
    assert list(answer) == list(Answer.__struct_encode_fields__)
    assert list(answer)[:4] == ["id", "createdAt", "enclosure", "required"]
    assert answer["engineVersion"] == ENGINE_VERSION


def test_evidence_is_of_this_answer(active: Active) -> None:
    made = record(active)
    answer, evidence = answer_of(made), made.evidence
    assert evidence["estimate_id"] == answer["id"]
    assert evidence["evidence_id"] == answer["evidenceId"]
    assert (evidence["enclosures_digest"], evidence["rules_digest"]) == ("e" * 64, "r" * 64)
    assert evidence["key_id"] == KEYRING.current_id
    rows = msgspec.json.decode(evidence["rows"])
    assert {row["row"]["model"] for row in rows["breakers"]} >= {"ABN-54"}
    for entry in rows["breakers"]:
        assert sha256_hex(canonical_strict(entry["row"])) == entry["digest"]


def test_seal_is_of_request_result_and_rows(active: Active) -> None:
    made = record(active)
    answer = answer_of(made)
    secret = KEYRING.secrets[KEYRING.current_id]
    digest = client_digest("estimate-1", "10.0.0.7", secret)
    statement = {
        "type": STATEMENT_TYPE, "estimateId": answer["id"], "createdAt": answer["createdAt"],
        "caller": {"owner": "api-bcd", "clientDigest": digest},
        "engineVersion": answer["engineVersion"], "rulesVersion": answer["rulesVersion"],
        "knowledge": {"version": "seed", "digest": active.snapshot.digest},
        "request": answer["request"], "result": {n: answer[n] for n in RESULT_FIELDS},
        "rows": msgspec.json.decode(made.evidence["rows"]),
    }  # fmt: skip
    raw = canonical_strict(statement)
    assert sha256_hex(raw) == made.evidence["statement_digest"]
    assert made.evidence["client_digest"] == digest
    assert verify_signature(raw, made.evidence["signature"], secret)


def test_rows_that_were_candidates_are_evidence_too(active: Active) -> None:
    """The branch was asked for by frame: evidence shows what it was chosen from."""
    rows = msgspec.json.decode(record(active).evidence["rows"])["breakers"]
    board_, origins = admit(parse_board(REQUEST), active.snapshot.rules, allow_mixed=False)
    outcome = estimate(board_, active.snapshot, origins)
    assert len(outcome.selection.branches[0].candidates) > 1
    used = {entry.digest for entry in breakers_used(outcome.selection, active)}
    assert {entry["digest"] for entry in rows} == used


def test_audit_and_key_go_with_it(active: Active) -> None:
    made = record(active)
    assert (made.audit.action, made.audit.subject) == ("estimate.create", "estimate-1")
    assert (made.audit.actor, made.audit.client) == ("api-fgh", "10.0.0.7")
    assert made.audit.digest == made.evidence["statement_digest"]
    assert made.idempotency is not None
    assert made.idempotency.key == KEY
    # The estimate has the bytes: they are not kept twice.
    assert (made.idempotency.estimate_id, made.idempotency.body) == ("estimate-1", None)
    assert record(active, None).idempotency is None
