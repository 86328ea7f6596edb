"""Requests about keys, as tests of several rooms make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kis.access.keys import Scope, key_id_for
from tests.integration.lifecycle import ask, good
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

CREATE = "/v1/estimate/create"
API_ID, ADMIN_ID = key_id_for(Scope.API, API_KEY), key_id_for(Scope.ADMIN, ADMIN_API_KEY)


def create_key(client: Client, scope: str = "api", **more: Any) -> Any:
    return good(client.admin("POST", "/v1/keys", {"scope": scope, **more}), 201)


def rotate(client: Client, key_id: str, **order: Any) -> Any:
    return good(client.admin("POST", f"/v1/keys/{key_id}/rotate", order), 201)


def revoke(client: Client, key_id: str, key: str = ADMIN_API_KEY, **order: Any) -> Any:
    return client.request("POST", f"/v1/keys/{key_id}/revoke", key=key, json=order)


def keys(client: Client) -> dict[str, Any]:
    return {key["keyId"]: key for key in ask(client, "/v1/keys")}


def estimate(client: Client, key: str, **headers: str) -> Any:
    return client.post(CREATE, board(), key=key, headers=headers)


def days_from_now(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)) / timedelta(days=1)


def current_evidence_key(client: Client) -> str:
    (key_id,) = [name for name, key in keys(client).items() if key["state"] == "current"]
    return key_id
