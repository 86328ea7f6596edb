"""Kept answers: found by owner, operation and key; claimed once; forgotten by age."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from kis.db.engine import Database
from kis.idempotency.model import RecordKey
from kis.idempotency.store import Record, claim, find, forget_before
from tests.backends import SQLITE_ONLY

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = RecordKey("api-bcd", "estimate.create", "k-1")
KEPT = Record(KEY, "f" * 64, 201, "estimate-1", None, NOON)
REFUSED = Record(KEY._replace(key="k-2"), "e" * 64, 422, None, "안 됨".encode(), NOON)


def test_kept_records_are_found(migrated: Database) -> None:
    migrated.write_now(lambda c: claim(c, [KEPT, REFUSED]))
    wanted = [KEPT.key, REFUSED.key, KEY._replace(key="k-3")]
    found = migrated.read_now(lambda c: find(c, wanted))
    assert found == {KEPT.key: KEPT, REFUSED.key: REFUSED}


def test_nothing_to_find_or_keep(migrated: Database) -> None:
    migrated.write_now(lambda c: claim(c, []))
    assert migrated.write_now(lambda c: claim(c, [])) == {}
    assert migrated.read_now(lambda c: find(c, [])) == {}


@SQLITE_ONLY  # of few rows PostgreSQL reads all
def test_many_keys_are_found_by_their_index(migrated: Database) -> None:
    wanted = [KEY._replace(key=f"k-{n}", owner=f"api-{n % 2}") for n in range(20)]
    migrated.write_now(lambda c: claim(c, [KEPT._replace(key=key) for key in wanted]))

    def plans(connection: Connection) -> list[str]:
        sent: list[tuple[Any, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *said: sent.append(said[2:4]))
        assert find(connection, wanted).keys() == set(wanted)
        return [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            for statement, parameters in sent[:]
        ]

    assert not any("SCAN" in plan for plan in migrated.read_now(plans))


@pytest.mark.parametrize("field", RecordKey._fields)
def test_other_owner_operation_or_key_is_another_record(migrated: Database, field: str) -> None:
    migrated.write_now(lambda c: claim(c, [KEPT]))
    other = KEY._replace(**{field: "other"})
    assert migrated.read_now(lambda c: find(c, [other])) == {}
    migrated.write_now(lambda c: claim(c, [KEPT._replace(key=other)]))
    assert len(migrated.read_now(lambda c: find(c, [KEY, other]))) == 2


@pytest.mark.parametrize("key", ["K-1", "k-1 ", "k_1", "k%"])
def test_keys_are_compared_byte_for_byte(migrated: Database, key: str) -> None:
    migrated.write_now(lambda c: claim(c, [KEPT]))
    assert migrated.read_now(lambda c: find(c, [KEY._replace(key=key)])) == {}


def test_claim_of_free_keys(migrated: Database) -> None:
    assert migrated.write_now(lambda c: claim(c, [KEPT, REFUSED])) == {}
    assert len(migrated.read_now(lambda c: find(c, [KEPT.key, REFUSED.key]))) == 2


def test_claim_of_a_key_that_is_taken(migrated: Database) -> None:
    migrated.write_now(lambda c: claim(c, [KEPT]))
    again = KEPT._replace(estimate_id="estimate-2", fingerprint="d" * 64)
    known = migrated.write_now(lambda c: claim(c, [again, REFUSED]))
    assert known[KEY] == KEPT
    assert migrated.read_now(lambda c: find(c, [KEY])) == {KEY: KEPT}
    # The free one among them is claimed all the same.
    assert migrated.read_now(lambda c: find(c, [REFUSED.key])) == {REFUSED.key: REFUSED}


def test_claim_of_one_key_twice_at_once(migrated: Database) -> None:
    """Two of one batch: the first has it."""
    second = KEPT._replace(estimate_id="estimate-2")
    known = migrated.write_now(lambda c: claim(c, [KEPT, second]))
    assert known == {KEY: KEPT}


def test_records_are_forgotten_by_age(migrated: Database) -> None:
    old = KEPT._replace(created_at=NOON - timedelta(days=30, microseconds=1))
    edge = REFUSED._replace(created_at=NOON - timedelta(days=30))
    migrated.write_now(lambda c: claim(c, [old, edge]))
    cut = NOON - timedelta(days=30)
    assert migrated.write_now(lambda c: forget_before(c, cut, 10)) == 1
    assert migrated.read_now(lambda c: find(c, [old.key, edge.key])) == {edge.key: edge}
    assert migrated.write_now(lambda c: forget_before(c, cut, 10)) == 0
