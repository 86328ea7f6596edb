"""Lines of a batch: computed as single estimates are."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kis.errors import ErrorCode
from kis.estimate import batch
from kis.estimate.answer import Caller
from kis.estimate.batch import Chunk, Computed, compute, key_in
from kis.evidence.envelope import Keyring
from kis.idempotency.model import RecordKey
from kis.knowledge.active import Active
from kis.knowledge.snapshot import Snapshot
from tests.services import board

KEYRING = Keyring.of(b"s" * 32)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def active(seed_snapshot: Snapshot) -> Active:
    return Active(seed_snapshot, enclosures_digest="e" * 64, rules_digest="r" * 64)


def chunk(*lines: Any) -> Chunk:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    ids = [f"id-{number}" for number in range(len(lines))]
    return Chunk(raw, ids, AT, Caller("api-owner", "api-key", "127.0.0.1"), allow_mixed=False)


def codes(computed: Computed) -> list[tuple[ErrorCode, str]]:
    return [(finding.code, finding.path) for finding in computed.findings]


def test_estimates_have_the_given_ids_in_order(active: Active) -> None:
    first, second = compute(chunk(board(label="A"), board(label="B")), active, KEYRING)
    assert first.record
    assert second.record
    assert (first.record.estimate["id"], first.record.estimate["label"]) == ("id-0", "A")
    assert (second.record.estimate["id"], second.record.estimate["label"]) == ("id-1", "B")
    assert first.record.evidence["estimate_id"] == first.record.audit.subject == "id-0"
    assert first.record.idempotency is None
    assert first.key is None


def test_computed_again_it_is_the_same_estimate(active: Active) -> None:
    lines = chunk({"idempotencyKey": "k", **board()}, {})
    assert compute(lines, active, KEYRING) == compute(lines, active, KEYRING)


def test_key_of_a_line_is_the_key_of_a_create(active: Active) -> None:
    keyed, plain = compute(chunk({"idempotencyKey": "k-1", **board()}, board()), active, KEYRING)
    assert keyed.key == RecordKey("api-owner", "estimate.create", "k-1")
    assert keyed.record
    assert plain.record
    assert keyed.record.idempotency
    assert keyed.record.idempotency.fingerprint == keyed.fingerprint != ""
    assert keyed.record.estimate["main_model"] == plain.record.estimate["main_model"]


def test_key_at_a_glance() -> None:
    line = json.dumps({**board(), "idempotencyKey": "k-1"}).encode()
    assert key_in(line, "api-owner") == RecordKey("api-owner", "estimate.create", "k-1")


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"\xff", b"[]", b"{}", b'{"idempotencyKey":null}', b'{"idempotencyKey":""}',
     b'{"idempotencyKey":1}', b'{"idempotencyKey":"\\u0000"}', b'{"idempotencyKey":"\xff"}',
     b'{"idempotencyKey":"\\ud800"}', b'{"a":' + b"[" * 100_000, b'{"idempotencyKey":"k"'],
)  # fmt: skip
def test_no_key_at_a_glance(line: bytes) -> None:
    assert key_in(line, "api-owner") is None


def test_what_was_answered_before_is_not_estimated(active: Active) -> None:
    lines = chunk({"idempotencyKey": "k", **board()}, {"idempotencyKey": "l", **board()}, b"{")
    whole = compute(lines, active, KEYRING)
    answered, new, broken = compute(lines._replace(answered=frozenset({0, 2})), active, KEYRING)
    assert answered == Computed(whole[0].key, whole[0].fingerprint, is_answered=True)
    assert (new, broken) == (whole[1], whole[2])
    assert lines._replace(answered=frozenset({0})).only([0, 1]) == lines.only([0, 1])


@pytest.mark.parametrize("key", ["", "x" * 256, "키", "a\nb", 1, True, ["k"]])
def test_key_that_is_none(active: Active, key: object) -> None:
    (found,) = compute(chunk({"idempotencyKey": key, **board()}), active, KEYRING)
    assert codes(found) == [(ErrorCode.INVALID_REQUEST, "$.idempotencyKey")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", (ErrorCode.MALFORMED_JSON, "")),
        (b"\xff", (ErrorCode.MALFORMED_JSON, "")),
        (b'{"brand":"LS","brand":"LS"}', (ErrorCode.MALFORMED_JSON, "")),
        ([], (ErrorCode.INVALID_REQUEST, "$")),
        (board(colour="red"), (ErrorCode.INVALID_REQUEST, "$.colour")),
        (board(brand=None), (ErrorCode.REQ_MORE_INFO, "$.brand")),
        (board(main={"model": "T-1", "poles": "4P"}),
         (ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main.model")),
    ],
)  # fmt: skip
def test_a_line_that_is_refused_leaves_its_neighbours_alone(
    active: Active, line: Any, expected: tuple[ErrorCode, str]
) -> None:
    before, refused, after = compute(chunk(board(), line, board()), active, KEYRING)
    assert before.record
    assert after.record
    assert codes(refused)[0] == expected
    assert refused.is_final is (expected[0] is ErrorCode.REQ_MORE_INFO)


def test_a_fault_of_ours_is_the_lines_alone(
    active: Active, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(batch, "estimate", fail)
    faulty, refused = compute(chunk(board(), {}), active, KEYRING)
    assert "ZeroDivisionError" in faulty.fault
    assert refused.findings


def test_some_lines_of_a_chunk() -> None:
    some = chunk(b"a", b"b", b"c").only([0, 2])
    assert (some.lines, some.ids) == ([b"a", b"c"], ["id-0", "id-2"])
