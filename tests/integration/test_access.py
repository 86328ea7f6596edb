"""Who may do what, and that no secret is kept or shown."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.access.keys import Scope, key_id_for
from tests.integration.lifecycle import ask, estimate, good, publish, row
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, SECRETS, Client, board, running_client

OPEN = {"/health", "/livez", "/readyz"}
WRONG_KEYS = (None, "", "wrong", API_KEY[:-1], API_KEY + "x", API_KEY.upper(), ADMIN_API_KEY[:-1])
KEY_HEADERS = [
    {"Authorization": f"Bearer {ADMIN_API_KEY}"},
    {"Authorization": ADMIN_API_KEY},
    {"X-Api-Keys": ADMIN_API_KEY},
    {"Cookie": f"X-API-Key={ADMIN_API_KEY}"},
]
ADMINISTRATION = (
    "/v1/backups", "/v1/journal", "/v1/keys", "/v1/knowledge/", "/v1/maintenance", "/v1/report/",
    "/v1/selftest",
)  # fmt: skip


def operations(client: Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path with values filled in, and document of every documented operation."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), re.sub(r"\{\w+\}", "x", path), operation


def shape_without_ids(response: httpx.Response) -> tuple[Any, ...]:
    problem = problem_of(response)
    del problem["requestId"]
    kept = {
        name: value
        for name, value in response.headers.items()
        if name not in ("x-request-id", "date")
    }
    return response.status_code, problem, kept


# --- the matrix ----------------------------------------------------------------------------------


def test_every_documented_operation_is_in_the_matrix(shared_client: Client) -> None:
    found = [(method, path) for method, path, _ in operations(shared_client)]
    assert len(found) >= 20
    assert {path for _, path in found} >= OPEN


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_without_a_key_nothing_but_health(shared_client: Client, key: str | None) -> None:
    refused = set()
    for method, path, operation in operations(shared_client):
        response = shared_client.request(method, path, key=key)
        if path in OPEN:
            assert response.status_code == 200
            assert operation["security"] == []
        else:
            problem_of(response, 401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"] == 'ApiKey header="X-API-Key"'
            assert operation["security"] == [{"apiKey": []}]
            refused.add(repr(shape_without_ids(response)))
    # One answer for all: it tells nothing about the address or the key.
    assert len(refused) == 1


def test_api_key_may_estimate_and_no_more(shared_client: Client) -> None:
    refused = set()
    for method, path, _ in operations(shared_client):
        response = shared_client.request(method, path)
        if path.startswith(ADMINISTRATION):
            problem_of(response, 403, "FORBIDDEN")
            refused.add(repr(shape_without_ids(response)))
        else:
            assert response.status_code not in (401, 403)
    assert len(refused) == 1


def test_admin_key_may_do_everything(shared_client: Client) -> None:
    for method, path, _ in operations(shared_client):
        response = shared_client.request(method, path, key=ADMIN_API_KEY)
        assert response.status_code not in (401, 403)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/no/such", 401), ("/v1/knowledge/no/such", 401), ("/v1/", 401),
        ("/v1%2Festimate", 401),
        ("/v1/knowledge%2Fversions", 401), ("//v1/estimate", 404), ("/V1/estimate", 404),
        ("/v1", 404), ("/health/", 404),
    ],
)  # fmt: skip
def test_odd_addresses_lead_nowhere_without_a_key(
    shared_client: Client, path: str, status: int
) -> None:
    problem_of(shared_client.request("GET", path, key=None), status)


@pytest.mark.parametrize(
    "path", ["/v1/knowledge%2Fversions", "/v1/knowledge/%76ersions", "/%761/knowledge/versions"]
)
def test_encoded_addresses_take_the_same_key(shared_client: Client, path: str) -> None:
    problem_of(shared_client.get(path), 403, "FORBIDDEN")
    good(shared_client.request("GET", path, key=ADMIN_API_KEY))


@pytest.mark.parametrize("headers", KEY_HEADERS, ids=[next(iter(h)) for h in KEY_HEADERS])
def test_key_anywhere_else_is_no_key(shared_client: Client, headers: dict[str, str]) -> None:
    response = shared_client.request("GET", "/v1/estimate", key=None, headers=headers)
    problem_of(response, 401, "UNAUTHENTICATED")


def test_key_in_the_query_is_no_key(shared_client: Client) -> None:
    response = shared_client.request("GET", f"/v1/estimate?X-API-Key={ADMIN_API_KEY}", key=None)
    problem_of(response, 401, "UNAUTHENTICATED")


def test_header_name_in_any_letter_case(shared_client: Client) -> None:
    for name in ("x-api-key", "X-API-KEY", "X-Api-Key"):
        response = shared_client.request("GET", "/v1/estimate", key=None, headers={name: API_KEY})
        good(response)


# --- keys that an operator sets -------------------------------------------------------------------


def test_key_for_both_loses_administration(tmp_path: Path) -> None:
    """The runbook's sed sets API_KEY and ADMIN_API_KEY to one value."""
    with running_client(tmp_path / "home", ADMIN_API_KEY=API_KEY) as client:
        good(estimate(client, board()), 201)
        problem_of(client.get("/v1/knowledge/versions"), 403, "FORBIDDEN")
        problem_of(client.admin("GET", "/v1/knowledge/versions"), 401, "UNAUTHENTICATED")


def test_rotated_key_is_the_only_one(tmp_path: Path) -> None:
    home, renewed = tmp_path / "home", "a-new-key-of-the-quarter"
    with running_client(home) as client:
        created = good(estimate(client, board()), 201)
    with running_client(home, API_KEY=renewed) as client:
        problem_of(client.get("/v1/estimate"), 401, "UNAUTHENTICATED")
        found = client.request("GET", f"/v1/estimate/{created['id']}", key=renewed)
        assert good(found) == created


def test_answer_to_an_idempotent_request_is_the_holders_also_after_rotation(tmp_path: Path) -> None:
    home, renewed = tmp_path / "home", "a-new-key-of-the-quarter"
    headers = {"Idempotency-Key": "k-1"}
    with running_client(home) as client:
        first = good(client.post("/v1/estimate/create", board(), headers=headers), 201)
    with running_client(home, API_KEY=renewed) as client:
        again = client.post("/v1/estimate/create", board(), key=renewed, headers=headers)
        assert good(again, 201)["id"] == first["id"]
        problem_of(estimate(client, board()), 401, "UNAUTHENTICATED")


# --- at rest --------------------------------------------------------------------------------------


def everything_in(home: Path) -> dict[str, bytes]:
    """Return the content of every file but the one that holds the secrets."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.name != ".env"
    }


def test_no_secret_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home, LOG_LEVEL="DEBUG") as client:
        created = good(estimate(client, board()), 201)
        publish(client, "v-2", row("T-100"))
        ask(client, f"/v1/evidence/{created['id']}")
        for secret in SECRETS.values():
            client.get(f"/v1/estimate/{secret[:64]}")
            client.get(f"/v1/{secret}?key={secret}", key=secret, headers={"Cookie": secret})
            client.post("/v1/estimate/create", {"brand": secret, secret: 1})
            client.post("/v1/estimate/create", {**board(), secret: secret})
        kept = everything_in(home)
    assert {"data/kis.db", "logs/kis-backend.log"} <= set(kept)
    for name, content in {**everything_in(home), **kept}.items():
        for secret in SECRETS.values():
            assert secret.encode() not in content, name


def test_key_ids_are_kept_and_tell_no_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        good(estimate(client, board()), 201)
    kept = everything_in(home)
    key_id = key_id_for(Scope.API, API_KEY)
    assert key_id.encode() in kept["data/kis.db"]
    assert f"key={key_id}".encode() in kept["logs/kis-backend.log"]
    digest = hashlib.sha256(API_KEY.encode()).hexdigest().encode()
    assert digest not in kept["data/kis.db"] + kept["logs/kis-backend.log"]


# --- metrics --------------------------------------------------------------------------------------


def metrics_from(client: Client, address: str, key: str | None) -> httpx.Response:
    transport = httpx.ASGITransport(client.application.asgi, client=(address, 1))
    headers = {"X-API-Key": key} if key else {}

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
            return await http.get("/metrics", headers=headers)

    (response,) = client.gather(send())
    assert isinstance(response, httpx.Response)
    return response


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_metrics_are_local(shared_client: Client, address: str) -> None:
    response = metrics_from(shared_client, address, None)
    assert response.status_code == 200
    assert "kis_requests_total" in response.text


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.0.1", "2001:db8::1", "not an address"])
@pytest.mark.parametrize("key", [None, "wrong", API_KEY])
def test_metrics_are_not_for_others(shared_client: Client, address: str, key: str | None) -> None:
    problem_of(metrics_from(shared_client, address, key), 403, "FORBIDDEN")


def test_metrics_for_the_admin_from_anywhere(shared_client: Client) -> None:
    assert metrics_from(shared_client, "10.0.0.7", ADMIN_API_KEY).status_code == 200


def test_metrics_name_routes_and_never_addresses(shared_client: Client) -> None:
    for number in range(3):
        shared_client.get(f"/v1/estimate/nobody-{number}")
        shared_client.get(f"/nowhere-{number}")
        shared_client.get(f"/static/nothing-{number}")
    text = metrics_from(shared_client, "127.0.0.1", None).text
    assert 'route="/v1/estimate/{estimateId}",status="404"' in text
    assert "nobody-" not in text
    assert "nowhere-" not in text
    assert "nothing-" not in text
