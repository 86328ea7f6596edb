"""Every kind of refusal has the one shape, at an application that goes on after each of them."""

from collections.abc import Callable

import httpx
import pytest

from kis.api.errors import STATUS
from kis.errors import ErrorCode
from tests.integration.lifecycle import good
from tests.integration.problems import problem_of
from tests.services import Client, board

CREATE = "/v1/estimate/create"
JSON = {"Content-Type": "application/json"}


def raw(client: Client, body: bytes, **headers: str) -> httpx.Response:
    return client.request("POST", CREATE, content=body, headers={**JSON, **headers})


ERRORS: list[tuple[int, str, Callable[[Client], httpx.Response]]] = [
    (400, "MALFORMED_JSON", lambda c: raw(c, b"{")),
    (400, "INVALID_REQUEST", lambda c: raw(c, b"[]")),
    (400, "INVALID_REQUEST", lambda c: c.get("/v1/estimate?limit=0")),
    (400, "INVALID_REQUEST", lambda c: c.get("/v1/estimate/" + "x" * 65)),
    (400, "INVALID_REQUEST", lambda c: raw(c, b"{}", **{"Idempotency-Key": ""})),
    (401, "UNAUTHENTICATED", lambda c: c.get("/v1/estimate", key=None)),
    (401, "UNAUTHENTICATED", lambda c: c.get("/v1/no/such/address", key=None)),
    (403, "FORBIDDEN", lambda c: c.get("/v1/knowledge/versions")),
    (404, "NOT_FOUND", lambda c: c.get("/v1/estimate/nothing")),
    (404, "NOT_FOUND", lambda c: c.get("/v1/evidence/nothing")),
    (404, "NOT_FOUND", lambda c: c.get("/no/such/address")),
    (404, "NOT_FOUND", lambda c: c.get("/v1/no/such/address")),
    (404, "NOT_FOUND", lambda c: c.get("/static/no-such-file")),
    (404, "NOT_FOUND", lambda c: c.get("/index.html")),
    (404, "NOT_FOUND", lambda c: c.get("/v1/estimate/")),
    (404, "VERSION_NOT_FOUND", lambda c: c.admin("GET", "/v1/knowledge/versions/none/diff")),
    (405, "METHOD_NOT_ALLOWED", lambda c: c.request("PUT", "/v1/evidence/verify")),
    (405, "METHOD_NOT_ALLOWED", lambda c: c.request("PUT", "/v1/estimate")),
    (405, "METHOD_NOT_ALLOWED", lambda c: c.post("/health", {})),
    (405, "METHOD_NOT_ALLOWED", lambda c: c.post("/static/swagger-ui/start.js", {})),
    (409, "VERSION_ACTIVE", lambda c: c.admin("DELETE", "/v1/knowledge/versions/v2025-09-24-01")),
    (413, "BODY_TOO_LARGE", lambda c: raw(c, b" " * 1_048_577)),
    (415, "UNSUPPORTED_MEDIA_TYPE", lambda c: raw(c, b"{}", **{"Content-Type": "text/plain"})),
    (422, "REQ_MORE_INFO", lambda c: raw(c, b"{}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code", "provoke"),
    ERRORS,
    ids=[f"{s} {c} {n}" for n, (s, c, _) in enumerate(ERRORS)],
)
def test_every_error_has_the_one_shape(
    shared_client: Client, status: int, code: str, provoke: Callable[[Client], httpx.Response]
) -> None:
    response = provoke(shared_client)
    problem = problem_of(response, status, code)
    assert problem["status"] == STATUS[ErrorCode(code)]
    for name, value in {"x-content-type-options": "nosniff", "cache-control": "no-store"}.items():
        assert response.headers[name] == value
    good(shared_client.post(CREATE, board()), 201)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/estimate/create", "POST"),
        ("/v1/estimate", "GET, HEAD"),
        ("/v1/estimate/validate", "POST"),
        ("/v1/estimate/preview", "POST"),
        ("/v1/estimate/0199c0de", "GET, HEAD"),
        ("/v1/evidence/verify", "POST"),
        ("/health", "GET, HEAD"),
        ("/api-docs", "GET, HEAD"),
        ("/static/swagger-ui/start.js", "GET, HEAD"),
    ],
)
def test_refused_method_tells_the_allowed_ones(
    shared_client: Client, path: str, allowed: str
) -> None:
    for method in ("PUT", "TRACE", "OPTIONS", "PATCH"):
        response = shared_client.request(method, path)
        assert method in problem_of(response, 405, "METHOD_NOT_ALLOWED")["detail"]
        assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path",
    ["/v1/estimate/create", "/v1/estimate/validate", "/v1/estimate/preview",
     "/v1/evidence/verify", "/v1/knowledge/tables/import", "/v1/knowledge/tables/activate"],
)  # fmt: skip
def test_address_to_post_to_is_no_id(shared_client: Client, path: str) -> None:
    for method in ("GET", "DELETE"):
        response = shared_client.admin(method, path)
        problem_of(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "POST"


def test_addresses_with_several_methods_tell_them_all(shared_client: Client) -> None:
    response = shared_client.admin("PUT", "/v1/knowledge/golden")
    problem_of(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD, POST"
