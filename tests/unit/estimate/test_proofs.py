"""Many stored estimates are verified as single packages are, only faster."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from kis.estimate.proof import compose_package, verify_package
from kis.estimate.proofs import MISSING, find_faults
from kis.evidence.envelope import Keyring
from tests.services import EVIDENCE_SECRET
from tests.unit.ops.installed import change, install, opened

KEYRING = Keyring.of(EVIDENCE_SECRET.encode())
CHANGES = {
    "nothing": "",
    "answer": 'UPDATE "Estimate" SET answer = substr(answer, 1, 100) WHERE id = :id',
    "other answer": 'UPDATE "Estimate" SET answer = (SELECT answer FROM "Estimate"'
    " WHERE id <> :id LIMIT 1) WHERE id = :id",
    "column": "UPDATE \"Estimate\" SET customer = 'x' WHERE id = :id",
    "request": "UPDATE \"Estimate\" SET request = x'7b7d' WHERE id = :id",
    "owner": "UPDATE \"Estimate\" SET owner = 'x' WHERE id = :id",
    "client": "UPDATE \"Estimate\" SET client = 'x' WHERE id = :id",
    "moment": "UPDATE \"Estimate\" SET created_at = 'x' WHERE id = :id",
    "rows": "UPDATE evidence SET rows = substr(rows, 1, 100) WHERE estimate_id = :id",
    "no rows": "UPDATE evidence SET rows = x'00' WHERE estimate_id = :id",
    "key": "UPDATE evidence SET key_id = 'x' WHERE estimate_id = :id",
    "signature": "UPDATE evidence SET signature = 'x' WHERE estimate_id = :id",
    "digest": "UPDATE evidence SET statement_digest = 'x' WHERE estimate_id = :id",
    "documents": "UPDATE evidence SET rules_digest = enclosures_digest WHERE estimate_id = :id",
    "no document": "UPDATE evidence SET rules_digest = 'x' WHERE estimate_id = :id",
}


def one_by_one(connection: Connection, ids: list[str]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for name in ids:
        package = msgspec.json.decode(compose_package(connection, name) or b"")
        reason = verify_package(connection, package, KEYRING).reason
        if reason is not None:
            reasons[name] = reason
    return reasons


@pytest.mark.parametrize("name", CHANGES)
def test_same_verdict_as_of_a_package(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/kis.db"
    ids = install(tmp_path / "home", url, estimates=3)
    if CHANGES[name]:
        change(url, CHANGES[name], id=ids[1])
    with opened(url) as database:
        found = database.read_now(lambda c: find_faults(c, ids, KEYRING))
        assert list(found) == ([] if name == "nothing" else ids[1:2])
        assert found == database.read_now(lambda c: one_by_one(c, ids))


def test_estimate_without_evidence(database_url: str, tmp_path: Path) -> None:
    ids = install(tmp_path / "home", database_url, estimates=2)
    change(database_url, "DELETE FROM evidence WHERE estimate_id = :id", id=ids[0])
    with opened(database_url) as database:
        found = database.read_now(lambda c: find_faults(c, [*ids, "unknown"], KEYRING))
    assert found == {ids[0]: MISSING, "unknown": MISSING}


def test_another_secret(database_url: str, tmp_path: Path) -> None:
    ids = install(tmp_path / "home", database_url, estimates=1)
    with opened(database_url) as database:
        found = database.read_now(lambda c: find_faults(c, ids, Keyring.of(b"x" * 32)))
    assert found[ids[0]].startswith("key $.envelope.keyId")
