"""The limit of requests a minute, for each key and client, on a clock that the test turns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.access.rate import RateLimiter
from kis.api.gatekeeper import Gatekeeper
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, Client, board, running_client

PER_MINUTE = 3
PATH = "/v1/estimate"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Limited:
    """The application behind a gatekeeper with a clock of our own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clock = Clock()
        inner: Any = client.application.asgi
        services = client.application.services
        self.asgi = Gatekeeper(
            inner._app, settings=client.settings, keys=services.keys.valid,
            find_again=services.keys.follower.find,
            limiter=RateLimiter(PER_MINUTE, self.clock), metrics=services.metrics,
        )  # fmt: skip

    def get(
        self, path: str = PATH, *, key: str | None = API_KEY, address: str = "10.0.0.1"
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.asgi, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
                return await http.get(path, headers={"X-API-Key": key} if key else {})

        (response,) = self.client.gather(send())
        assert isinstance(response, httpx.Response)
        return response

    def use_up(self, **who: Any) -> None:
        for _ in range(PER_MINUTE):
            assert self.get(**who).status_code != 429


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Limited]:
    """An application that takes three requests a minute."""
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE=str(PER_MINUTE)) as client:
        yield Limited(client)


def test_headers_count_down(limited: Limited) -> None:
    names = ("limit", "remaining", "reset")
    answers = [limited.get().headers for _ in range(PER_MINUTE)]
    told = [tuple(headers[f"ratelimit-{name}"] for name in names) for headers in answers]
    assert told == [("3", "2", "20"), ("3", "1", "40"), ("3", "0", "60")]


def test_one_more_is_refused(limited: Limited) -> None:
    limited.use_up()
    response = limited.get()
    problem = problem_of(response, 429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "20"
    assert problem["findings"][0]["data"] == {"retryAfter": 20}
    assert problem["hint"] == "20초 뒤에 다시 보내십시오."
    assert response.headers["ratelimit-remaining"] == "0"


def test_after_the_time_told_one_more_passes(limited: Limited) -> None:
    limited.use_up()
    limited.clock.seconds += 19
    assert limited.get().status_code == 429
    limited.clock.seconds += 1
    assert limited.get().status_code == 200
    assert limited.get().status_code == 429


def test_each_key_has_its_own(limited: Limited) -> None:
    limited.use_up()
    limited.use_up(key=ADMIN_API_KEY)
    assert limited.get().status_code == 429


def test_each_client_has_its_own(limited: Limited) -> None:
    limited.use_up()
    limited.use_up(address="10.0.0.2")
    assert limited.get().status_code == 429


def test_guessing_keys_is_limited(limited: Limited) -> None:
    """All wrong keys of a client are one: to change the key does not help."""
    for number in range(PER_MINUTE):
        assert limited.get(key=f"guess-{number}").status_code == 401
    problem_of(limited.get(key="guess-x"), 429, "RATE_LIMITED")
    problem_of(limited.get(key=None), 429, "RATE_LIMITED")
    assert limited.get().status_code == 200


def test_what_is_refused_counts_too(limited: Limited) -> None:
    for _ in range(PER_MINUTE):
        assert limited.get("/v1/knowledge/versions").status_code == 403
    assert limited.get("/v1/knowledge/versions").status_code == 429


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/api-docs", "/openapi.json"])
def test_open_addresses_have_no_limit(limited: Limited, path: str) -> None:
    for _ in range(PER_MINUTE + 2):
        response = limited.get(path, key=None)
        assert response.status_code == 200
        assert "ratelimit-limit" not in response.headers


def test_nothing_is_stored_over_the_limit(limited: Limited) -> None:
    client = limited.client
    answers = [client.post("/v1/estimate/create", board()) for _ in range(PER_MINUTE + 1)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    listed = client.request("GET", PATH, key=ADMIN_API_KEY).json()["items"]
    assert len(listed) == PER_MINUTE


def test_no_limit(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE="0") as client:
        for _ in range(20):
            response = client.get(PATH)
            assert response.status_code == 200
            assert "ratelimit-limit" not in response.headers
