"""Keys over HTTP: made, rotated and revoked, and what becomes of what was asked with them."""

from pathlib import Path
from typing import Any

import pytest

from kis.access.tokens import key_id_in, make_token
from kis.ops.keys.following import KeyFollower
from tests.integration.key_calls import (
    ADMIN_ID,
    API_ID,
    create_key,
    current_evidence_key,
    days_from_now,
    estimate,
    keys,
    revoke,
    rotate,
)
from tests.integration.lifecycle import ask, good, verify_evidence
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, SECRETS, Client, running_client

# --- of the API --------------------------------------------------------------------------


def test_keys_of_the_environment_are_listed(client: Client) -> None:
    listed = ask(client, "/v1/keys")
    assert [(k["name"], k["scope"], k["source"], k["state"]) for k in listed] == [
        ("API_KEY", "api", "env", "active"),
        ("ADMIN_API_KEY", "admin", "env", "active"),
        ("EVIDENCE_SECRET", "evidence", "env", "current"),
    ]
    assert [k["holder"] for k in listed] == ["api-env", "admin-env", ""]


@pytest.mark.parametrize("scope", ["api", "admin"])
def test_new_key_opens_at_once(client: Client, scope: str) -> None:
    made = create_key(client, scope, label="한빛 ERP")
    token, key = made["token"], made["key"]
    assert key_id_in(token) == key["keyId"] == key["holder"]
    assert (key["name"], key["state"], key["source"]) == ("한빛 ERP", "active", "database")
    good(estimate(client, token), 201)
    assert client.get("/v1/keys", key=token).status_code == (200 if scope == "admin" else 403)
    assert token not in str(ask(client, "/v1/keys"))


def test_label_and_end_are_as_ordered(client: Client) -> None:
    key = create_key(client, expiresDays=30, label="시험")["key"]
    assert key["state"] == "ending"
    assert 29.9 < days_from_now(key["expiresAt"]) <= 30
    for order in ({"expiresDays": 0}, {"expiresDays": 3651}, {"scope": "evidence"}, {"label": 1}):
        refused = client.admin("POST", "/v1/keys", {"scope": "api", **order})
        problem_of(refused, 400, "INVALID_REQUEST")


def test_rotated_key_and_the_one_before_both_open(client: Client) -> None:
    first = create_key(client, label="ERP")
    made = rotate(client, first["key"]["keyId"])
    assert made["key"]["holder"] == first["key"]["holder"]
    assert made["key"]["name"] == "ERP"
    assert 6.9 < days_from_now(made["replaced"]["expiresAt"]) <= 7
    assert made["replaced"]["state"] == "ending"
    for token in (first["token"], made["token"]):
        good(estimate(client, token), 201)


def test_rotated_without_overlap_ends_at_once(client: Client) -> None:
    made = rotate(client, API_ID, overlapDays=0)
    problem_of(estimate(client, API_KEY), 401, "UNAUTHENTICATED")
    good(estimate(client, made["token"]), 201)
    assert keys(client)[API_ID]["state"] == "expired"
    again = client.admin("POST", f"/v1/keys/{API_ID}/rotate", {})
    problem_of(again, 409, "KEY_ENDED")


def test_idempotency_and_ownership_last_through_rotation(client: Client) -> None:
    first = good(estimate(client, API_KEY, **{"Idempotency-Key": "k"}), 201)
    token = rotate(client, API_ID)["token"]
    again = estimate(client, token, **{"Idempotency-Key": "k"})
    assert good(again, 201)["id"] == first["id"]
    assert again.headers["idempotency-replayed"] == "true"
    second = good(estimate(client, token), 201)
    owners = {
        ask(client, f"/v1/evidence/{each['id']}")["statement"]["caller"]["owner"]
        for each in (first, second)
    }
    assert owners == {"api-env"}
    other = estimate(client, create_key(client)["token"], **{"Idempotency-Key": "k"})
    assert good(other, 201)["id"] not in (first["id"], second["id"])


def test_one_rate_limit_for_a_holder(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE="3") as client:
        first = create_key(client)
        second = rotate(client, first["key"]["keyId"])["token"]
        codes = [estimate(client, key).status_code for key in (first["token"], second) * 2]
        assert codes == [201, 201, 201, 429]


def test_log_and_audit_name_the_key(client: Client) -> None:
    made = rotate(client, API_ID)
    good(estimate(client, made["token"]), 201)
    log = client.settings.log_file.read_text(encoding="utf-8")
    assert f"key={made['key']['keyId']}" in log
    assert made["token"] not in log
    assert "api-env" not in log


def test_token_in_an_address_does_not_reach_the_log(client: Client) -> None:
    token = create_key(client)["token"]
    client.get(f"/v1/estimate/{token}")
    log = client.settings.log_file.read_text(encoding="utf-8")
    assert token not in log
    assert token[-20:] not in log


def test_revoked_key_is_refused_on_the_next_request(client: Client) -> None:
    made = create_key(client)
    good(estimate(client, made["token"]), 201)
    revoked = good(revoke(client, made["key"]["keyId"], reason="유출"))
    assert revoked["state"] == "revoked"
    problem_of(estimate(client, made["token"]), 401, "UNAUTHENTICATED")
    assert good(revoke(client, made["key"]["keyId"]))["revokedAt"] == revoked["revokedAt"]
    problem_of(
        client.admin("POST", f"/v1/keys/{made['key']['keyId']}/rotate", {}), 409, "KEY_ENDED"
    )


def test_key_of_the_environment_can_be_revoked(client: Client) -> None:
    good(revoke(client, API_ID))
    problem_of(estimate(client, API_KEY), 401, "UNAUTHENTICATED")


def test_last_admin_key_stays(client: Client) -> None:
    problem_of(revoke(client, ADMIN_ID), 409, "KEY_LAST_ADMIN")
    other = create_key(client, "admin")
    good(revoke(client, ADMIN_ID))
    problem_of(client.admin("GET", "/v1/keys"), 401, "UNAUTHENTICATED")
    refused = revoke(client, other["key"]["keyId"], other["token"])
    problem_of(refused, 409, "KEY_LAST_ADMIN")


def test_last_admin_key_without_an_end_is_not_replaced_by_one_with_an_end(client: Client) -> None:
    """It would end, and nobody could administer."""

    def rotated(key_id: str, **order: int) -> Any:
        return client.admin("POST", f"/v1/keys/{key_id}/rotate", order)

    problem_of(rotated(ADMIN_ID, expiresDays=30), 409, "KEY_LAST_ADMIN")
    assert keys(client)[ADMIN_ID]["state"] == "active"
    lasting = create_key(client, "admin")["key"]["keyId"]
    ending = good(rotated(lasting, expiresDays=30), 201)["key"]["keyId"]
    # It has an end already.
    good(rotated(ending, expiresDays=10), 201)
    problem_of(rotated(ADMIN_ID, expiresDays=30), 409, "KEY_LAST_ADMIN")
    good(rotated(API_ID, expiresDays=30), 201)


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_key_of_another_kind_than_was_said_is_left(client: Client, action: str) -> None:
    evidence = current_evidence_key(client)
    for key_id, said in ((API_ID, "admin"), (ADMIN_ID, "evidence"), (evidence, "api")):
        refused = client.admin("POST", f"/v1/keys/{key_id}/{action}", {"scope": said})
        assert problem_of(refused, 400, "INVALID_REQUEST")["path"] == "$.scope"
    assert {key["state"] for key in ask(client, "/v1/keys")} == {"active", "current"}
    missing = client.admin("POST", f"/v1/keys/api-bbbbbbbb/{action}", {"scope": "admin"})
    problem_of(missing, 404, "KEY_NOT_FOUND")
    status = 201 if action == "rotate" else 200
    good(client.admin("POST", f"/v1/keys/{API_ID}/{action}", {"scope": "api"}), status)


def test_terms_that_a_key_of_that_kind_does_not_have(client: Client) -> None:
    evidence = current_evidence_key(client)
    moment = "2026-01-01T00:00:00Z"
    for key_id, action, name, value in (
        (evidence, "rotate", "overlapDays", 7),
        (evidence, "rotate", "expiresDays", 7),
        (API_ID, "revoke", "compromisedSince", moment),
    ):
        refused = client.admin("POST", f"/v1/keys/{key_id}/{action}", {name: value})
        assert problem_of(refused, 400, "INVALID_REQUEST")["path"] == f"$.{name}"
    assert {key["state"] for key in ask(client, "/v1/keys")} == {"active", "current"}


def test_two_admins_who_revoke_each_other_at_once(client: Client) -> None:
    good(revoke(client, API_ID))
    other = create_key(client, "admin")

    def order(key_id: str, key: str) -> Any:
        return client.asend("POST", f"/v1/keys/{key_id}/revoke", key=key, json={})

    answers = client.gather(
        order(ADMIN_ID, other["token"]), order(other["key"]["keyId"], ADMIN_API_KEY)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize("action", ["rotate", "revoke"])
@pytest.mark.parametrize("key_id", ["api-bbbbbbbb", "admin-x", "evk-000000000000", "x", "%00"])
def test_unknown_key(client: Client, action: str, key_id: str) -> None:
    refused = client.admin("POST", f"/v1/keys/{key_id}/{action}", {})
    problem_of(refused, *((400, "INVALID_REQUEST") if key_id == "%00" else (404, "KEY_NOT_FOUND")))


def test_misspelt_key_is_told_as_such(client: Client) -> None:
    token = create_key(client)["token"]
    misspelt = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert "오타" in problem_of(estimate(client, misspelt), 401, "UNAUTHENTICATED")["hint"]
    stranger = make_token("api-bcdfghjk", bytes(32))
    assert "오타" not in problem_of(estimate(client, stranger), 401, "UNAUTHENTICATED")["hint"]


def test_last_use_is_listed(client: Client) -> None:
    made = create_key(client)
    good(estimate(client, made["token"]), 201)
    assert keys(client)[made["key"]["keyId"]]["lastUsedAt"] is None
    client.gather(client.application.services.keys.follower.note_use())
    listed = keys(client)
    assert abs(days_from_now(listed[made["key"]["keyId"]]["lastUsedAt"])) < 1 / 24
    assert listed[ADMIN_ID]["lastUsedAt"] is not None
    assert listed[API_ID]["lastUsedAt"] is None


def test_last_use_is_not_told_as_later_than_the_end(client: Client) -> None:
    """It is noted each minute; nobody is to think that a revoked key was used."""
    made = create_key(client)
    good(estimate(client, made["token"]), 201)
    revoked = good(revoke(client, made["key"]["keyId"]))
    client.gather(client.application.services.keys.follower.note_use())
    assert keys(client)[made["key"]["keyId"]]["lastUsedAt"] == revoked["revokedAt"]


def test_changes_are_audited(client: Client) -> None:
    made = create_key(client, label="ERP")
    new = rotate(client, made["key"]["keyId"])
    good(revoke(client, new["key"]["keyId"], reason="유출"))
    with client.application.services.database.read_engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT actor, action, subject, reason FROM audit_entry ORDER BY id"
        ).all()
    assert [tuple(row) for row in rows if row[1].startswith("key.")] == [
        (ADMIN_ID, "key.create", made["key"]["keyId"], "ERP"),
        (ADMIN_ID, "key.rotate", made["key"]["keyId"], new["key"]["keyId"]),
        (ADMIN_ID, "key.revoke", new["key"]["keyId"], "유출"),
    ]


# --- the .env beside the database --------------------------------------------------------


def test_rotated_key_of_the_env_opens_until_its_end_whatever_the_env_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        token = rotate(client, API_ID)["token"]
    for api_key in (API_KEY, "edited-by-hand-0123456789", token):
        with running_client(home, API_KEY=api_key) as client:
            for key in {API_KEY, token, api_key}:
                good(estimate(client, key), 201)
            by_name = [k for k in ask(client, "/v1/keys") if k["source"] == "env"]
            assert {k["holder"] for k in by_name} == {"api-env", "admin-env", ""}
    assert key_id_in(token)


def test_revoked_key_of_the_env_does_not_administer_in_another_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        good(revoke(client, API_ID, reason="유출"))
    new = "edited-by-hand-0123456789"
    with running_client(home, API_KEY=new, ADMIN_API_KEY=API_KEY) as client:
        problem_of(client.get("/v1/keys", key=API_KEY), 401, "UNAUTHENTICATED")
        good(estimate(client, new), 201)


def test_key_that_was_edited_away_is_gone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home):
        pass
    with running_client(home, API_KEY="edited-by-hand-0123456789") as client:
        problem_of(estimate(client, API_KEY), 401, "UNAUTHENTICATED")
        assert keys(client)[API_ID]["state"] == "gone"
    with running_client(home) as client:
        good(estimate(client, API_KEY), 201)


def test_equal_keys_lock_administration_but_for_keys_of_their_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        admin = create_key(client, "admin")["token"]
    with running_client(home, ADMIN_API_KEY=API_KEY) as client:
        problem_of(client.get("/v1/keys"), 403, "FORBIDDEN")
        problem_of(client.admin("GET", "/v1/keys"), 401, "UNAUTHENTICATED")
        assert client.get("/v1/keys", key=admin).status_code == 200


# --- restarts ----------------------------------------------------------------------------


def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        token = rotate(client, API_ID)["token"]
        rotate(client, current_evidence_key(client))
        sealed_by = current_evidence_key(client)
        answer = good(estimate(client, token), 201)
    with running_client(home) as client:
        good(estimate(client, token), 201)
        assert current_evidence_key(client) == sealed_by
        assert verify_evidence(client, answer["id"])["valid"]


def test_no_secret_is_in_the_database(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        token = rotate(client, API_ID)["token"]
        rotate(client, current_evidence_key(client))
        secrets = client.application.services.keys.keyring.current.secrets.values()
    content = b"".join(path.read_bytes() for path in (home / "data").iterdir() if path.is_file())
    for secret in (token, token[20:40], *SECRETS.values()):
        assert secret.encode() not in content
    assert len(secrets) == 2
    assert not any(secret in content for secret in secrets)


# --- other processes ---------------------------------------------------------------------


def test_key_of_another_process_is_looked_up_before_it_is_refused(
    tmp_path: Path, client: Client
) -> None:
    """As two workers: the second one has not looked yet, and its look is not due."""
    if not client.settings.database_url.startswith("postgresql"):
        pytest.skip("a SQLite file has one process")
    with running_client(tmp_path / "other", DATABASE_URL=client.settings.database_url) as other:
        token = rotate(client, API_ID)["token"]
        good(estimate(other, token), 201)
        rotate(client, current_evidence_key(client))
        answer = good(estimate(client, token), 201)
        package = ask(client, f"/v1/evidence/{answer['id']}")
        assert good(other.post("/v1/evidence/verify", package))["valid"]


def test_strangers_cost_no_more_than_a_look_now_and_then(client: Client) -> None:
    """Well-formed keys that nobody made, all at once: one look for all of them."""
    follower = client.application.services.keys.follower
    looks = []

    async def look() -> None:
        looks.append(1)
        await KeyFollower.look(follower)

    follower.look = look  # type: ignore[method-assign] # counts, then does it
    strangers = [make_token("api-bcdfghjk", bytes([n]) * 32) for n in range(50)]
    answers = client.gather(
        *(client.asend("GET", "/v1/estimate", key=stranger) for stranger in strangers)
    )
    assert {answer.status_code for answer in answers} == {401}
    assert 1 <= len(looks) <= 2
