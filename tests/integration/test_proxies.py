"""Behind a proxy: who asks, and by https, is what the proxy says, if it is one of ours."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.services import API_KEY, Server, running_server

REAL, FORGED = "203.0.113.9", "198.51.100.1"


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of two requests a minute; this machine is the proxy it trusts, unless told."""
    proxies = getattr(request, "param", "127.0.0.1")
    with running_server(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="2", TRUSTED_PROXIES=proxies
    ) as running:
        yield running


def ask(server: Server, forwarded_for: str, path: str = "/v1/estimate") -> httpx.Response:
    return server.request("GET", path, headers={"X-Forwarded-For": forwarded_for})


def clients_in_log(server: Server) -> list[str]:
    log = server.home / "logs" / "kis-backend.log"
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if '"GET /v1/estimate"' in line]


def test_limits_and_log_are_the_clients(server: Server) -> None:
    """Whom it comes from is the last one that the proxy did not vouch for itself."""
    statuses = [ask(server, f"{FORGED}, {REAL}").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert ask(server, FORGED).status_code == 200
    assert clients_in_log(server) == [REAL, REAL, REAL, FORGED]


@pytest.mark.parametrize("server", ["", "10.0.0.7"], indirect=True)
def test_others_are_not_believed(server: Server) -> None:
    statuses = [ask(server, f"203.0.113.{number}").status_code for number in range(3)]
    assert statuses == [200, 200, 429]
    assert set(clients_in_log(server)) == {"127.0.0.1"}
    answer = sign_in(server)
    assert answer.headers["set-cookie"].startswith("kis_session=")


def sign_in(server: Server) -> httpx.Response:
    headers = {"X-Forwarded-For": REAL, "X-Forwarded-Proto": "https"}
    return server.request(
        "POST", "/console/sign-in", key=None, data={"key": API_KEY}, headers=headers
    )


def test_session_of_https_at_the_proxy_is_secure(server: Server) -> None:
    cookie = sign_in(server).headers["set-cookie"]
    assert cookie.startswith("__Host-kis_session=")
    assert "Secure" in cookie


def test_metrics_do_not_open_to_the_proxys_clients(server: Server) -> None:
    for forwarded_for in (REAL, "127.0.0.1", f"127.0.0.1, {REAL}"):
        headers = {"X-Forwarded-For": forwarded_for}
        answer = server.request("GET", "/metrics", key=None, headers=headers)
        assert answer.status_code == 403
    assert server.request("GET", "/metrics", key=None).status_code == 403


@pytest.mark.parametrize("server", ["", "127.0.0.1"], indirect=True)
def test_a_proxy_that_was_forgotten_is_told_of_once(server: Server) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    shown = [
        server.request("GET", "/console/sign-in", key=None, headers=headers).text for _ in range(2)
    ]
    log = (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")
    is_forgotten = not server.environ["TRUSTED_PROXIES"]
    assert ["TRUSTED_PROXIES" in page for page in shown] == [is_forgotten] * 2
    assert log.count("which TRUSTED_PROXIES does not name") == is_forgotten
    assert "TRUSTED_PROXIES" not in server.request("GET", "/console/sign-in", key=None).text
