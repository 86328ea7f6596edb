"""Evidence keys over HTTP: rotated and revoked, and what becomes of what they sealed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.batches import send_batch
from tests.integration.key_calls import (
    current_evidence_key,
    estimate,
    revoke,
    rotate,
)
from tests.integration.lifecycle import ask, good, verify_evidence
from tests.integration.problems import problem_of
from tests.services import API_KEY, Client, board, running_client


def test_rotated_evidence_key_seals_and_the_old_one_verifies(client: Client) -> None:
    before = good(estimate(client, API_KEY), 201)
    old = current_evidence_key(client)
    made = rotate(client, old)
    assert made["token"] is None
    assert (made["key"]["state"], made["replaced"]["state"]) == ("current", "retired")
    after = good(estimate(client, API_KEY), 201)
    sealed = [
        ask(client, f"/v1/evidence/{each['id']}")["envelope"]["keyId"] for each in (before, after)
    ]
    assert sealed == [old, made["key"]["keyId"]]
    assert all(verify_evidence(client, each["id"])["valid"] for each in (before, after))
    problem_of(client.admin("POST", f"/v1/keys/{old}/rotate", {}), 409, "KEY_ENDED")


def test_batch_is_sealed_with_the_new_key(client: Client) -> None:
    sealed = []
    for _ in range(2):
        (line,) = send_batch(client, board())
        package = ask(client, f"/v1/evidence/{line['estimate']['id']}")
        sealed.append(package["envelope"]["keyId"])
        assert good(client.post("/v1/evidence/verify", package))["valid"]
        rotate(client, current_evidence_key(client))
    assert sealed[0] != sealed[1]


def test_compromised_evidence_key(client: Client) -> None:
    first = good(estimate(client, API_KEY), 201)
    moment = datetime.now(UTC)
    second = good(estimate(client, API_KEY), 201)
    key_id = current_evidence_key(client)
    problem_of(revoke(client, key_id), 409, "KEY_CURRENT")
    rotate(client, key_id)
    third = good(estimate(client, API_KEY), 201)
    revoked = good(revoke(client, key_id, compromisedSince=moment.isoformat(), reason="유출"))
    assert revoked["state"] == "compromised"
    valid = [verify_evidence(client, each["id"])["valid"] for each in (first, second, third)]
    assert valid == [True, False, True]
    good(revoke(client, key_id, compromisedSince="2020-01-01T00:00:00Z"))
    assert not verify_evidence(client, first["id"])["valid"]
    assert good(revoke(client, key_id))["revokedAt"] == "2020-01-01T00:00:00.000Z"
    good(revoke(client, key_id, compromisedSince=moment.isoformat()))
    assert verify_evidence(client, first["id"])["valid"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wrongs: tuple[object, ...] = (later, "gestern", 5, True, {})
    for wrong in wrongs:
        refused = revoke(client, key_id, compromisedSince=wrong)
        assert problem_of(refused, 400, "INVALID_REQUEST")["path"] == "$.compromisedSince"


def test_revoked_at_once_what_a_worker_seals_that_has_not_looked_yet_is_valid(
    tmp_path: Path, client: Client
) -> None:
    if not client.settings.database_url.startswith("postgresql"):
        pytest.skip("a SQLite file has one process")
    with running_client(tmp_path / "other", DATABASE_URL=client.settings.database_url) as other:
        old = current_evidence_key(client)
        rotate(client, old)
        good(revoke(client, old))
        answer = good(estimate(other, API_KEY), 201)
        package = ask(client, f"/v1/evidence/{answer['id']}")
        assert package["envelope"]["keyId"] == old
        assert verify_evidence(client, answer["id"])["valid"]
