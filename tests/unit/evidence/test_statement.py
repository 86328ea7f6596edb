"""A statement says exactly this, in these bytes."""

import hashlib
import json
from datetime import UTC, datetime

import msgspec
import pytest
import rfc8785

from kis.evidence.encoding import NotCanonicalError, canonical
from kis.evidence.statement import (
    CallerReference,
    KnowledgeReference,
    Statement,
    build_statement,
    document_digest,
    evidence_id,
    row_evidence,
)

from .packages import ACCESSORIES, BREAKERS, ENCLOSURES

AT = datetime(2026, 11, 22, 10, 15, 0, 123_456, tzinfo=UTC)


def small_statement(*rows: object) -> Statement:
    return build_statement(
        estimate_id="e1",
        created_at="2026-11-23T00:00:00Z",
        caller=CallerReference("api-bcd", "dd"),
        engine_version="1",
        knowledge=KnowledgeReference("v1", "aa"),
        rules_version="r1",
        request={"brand": "LS"},
        result=msgspec.Raw(b'{"W":600}'),
        breakers=[row_evidence(row) for row in rows],
        accessories=[],
        enclosures_digest="bb",
        rules_digest="cc",
    )


def test_the_bytes_of_a_statement() -> None:
    row = {"poles": 2, "brand": "LS"}
    digest = hashlib.sha256(b'{"brand":"LS","poles":2}').hexdigest()
    assert canonical(small_statement(row)).decode() == (
        '{"caller":{"clientDigest":"dd","owner":"api-bcd"},'
        '"createdAt":"2026-11-23T00:00:00Z","engineVersion":"1","estimateId":"e1",'
        '"knowledge":{"digest":"aa","version":"v1"},"request":{"brand":"LS"},'
        '"result":{"W":600},"rows":{"accessories":[],"breakers":[{"digest":"'
        f'{digest}","row":{{"brand":"LS","poles":2}}}}],"enclosures":{{"digest":"bb"}},'
        '"rules":{"digest":"cc"}},"rulesVersion":"r1","type":"kis.estimate/1"}'
    )


def test_a_row_used_by_several_lines_is_stated_once_where_it_was_first() -> None:
    main, branch = {"model": "B"}, {"model": "A"}
    statement = small_statement(main, branch, main, branch)
    assert [json.loads(bytes(entry.row)) for entry in statement.rows.breakers] == [main, branch]


@pytest.mark.parametrize("row", [*BREAKERS, *ACCESSORIES, *ENCLOSURES, {"a": [1.0, 1e16, 1e-6]}])
def test_a_row_carries_its_strict_bytes_and_their_digest(row: object) -> None:
    entry = row_evidence(row)
    assert bytes(entry.row) == rfc8785.dumps(msgspec.to_builtins(row))
    assert entry.digest == hashlib.sha256(bytes(entry.row)).hexdigest()
    assert document_digest(row) == entry.digest


def test_structs_and_their_json_have_one_digest() -> None:
    assert document_digest(ENCLOSURES) == document_digest(msgspec.to_builtins(list(ENCLOSURES)))


def test_a_row_that_no_evidence_can_hold_is_refused() -> None:
    with pytest.raises(NotCanonicalError):
        row_evidence({"extra": 2**53})


def test_the_evidence_id_follows_from_the_estimate_id() -> None:
    digest = hashlib.sha256(b"kis-evidence-ide1").hexdigest()
    assert evidence_id("e1") == f"ev_{digest[:32]}"
    assert evidence_id("e2") != evidence_id("e1")
