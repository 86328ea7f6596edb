"""What every request passes, around an application of the test's own."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from kis.access.keys import Scope
from kis.access.rate import RateLimiter
from kis.api.gatekeeper import Gatekeeper
from kis.api.metrics import Metrics
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import ErrorCode, Text, refusal
from kis.telemetry import close_logging, configure_logging
from tests.integration.problems import problem_of
from tests.keys import key_set
from tests.services import ADMIN_API_KEY, API_KEY, settings_in

Inside = Callable[[AsgiScope, Receive, Send], Coroutine[Any, Any, None]]


async def answer(send: Send, body: bytes = b"inside", *, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def greet(_scope: AsgiScope, _receive: Receive, send: Send) -> None:
    await answer(send)


async def nowhere(_secret: str) -> None:
    """No other process has made a key."""


class Gate:
    """A gatekeeper around `inside`, and what it logs and counts."""

    def __init__(self, home: Path, inside: Inside, **environ: str) -> None:
        self.settings = settings_in(home, RATE_LIMIT_PER_MINUTE="0", **environ)
        configure_logging(self.settings)
        self.metrics = Metrics()
        keys = key_set((Scope.API, API_KEY), (Scope.ADMIN, ADMIN_API_KEY))
        app: ASGIApp = inside
        limiter = RateLimiter(0, time.monotonic)
        self.asgi = Gatekeeper(
            app, settings=self.settings, keys=keys, find_again=nowhere, limiter=limiter,
            metrics=self.metrics,
        )  # fmt: skip

    def send(
        self, path: str = "/v1/x", *, method: str = "GET", key: str | None = API_KEY,
        client: str = "10.0.0.7", **more: Any,
    ) -> httpx.Response:  # fmt: skip
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(self.asgi, client=(client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
                headers = {**({"X-API-Key": key} if key else {}), **more.pop("headers", {})}
                return await http.request(method, path, headers=headers, **more)

        return asyncio.run(run())

    @property
    def log(self) -> str:
        return self.settings.log_file.read_text(encoding="utf-8")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    """Makes gatekeepers on a home of their own."""

    def make(inside: Inside = greet, **environ: str) -> Gate:
        return Gate(tmp_path / "home", inside, **environ)

    yield make
    close_logging()


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/anything", None, 200), ("/health", None, 200), ("/v1", None, 200),
        ("/v1/x", None, 401), ("/v1/x", "wrong", 401), ("/v1/x", API_KEY, 200),
        ("/v1/x", ADMIN_API_KEY, 200), ("/v1/knowledge", API_KEY, 200),
        ("/v1/knowledge/x", None, 401), ("/v1/knowledge/x", API_KEY, 403),
        ("/v1/knowledge/x", ADMIN_API_KEY, 200), ("/metrics", None, 403),
        ("/metrics", API_KEY, 403), ("/metrics", ADMIN_API_KEY, 200),
    ],
)  # fmt: skip
def test_access_is_by_path(
    gate: Callable[..., Gate], path: str, key: str | None, status: int
) -> None:
    response = gate().send(path, key=key)
    assert response.status_code == status
    assert (response.content == b"inside") == (status == 200)


@pytest.mark.parametrize(
    ("proxies", "headers", "status"),
    [
        ("", {}, 200), ("10.0.0.0/8", {}, 200),
        # A proxy of this machine: all its clients come from here.
        ("", {"X-Forwarded-For": "127.0.0.1"}, 403), ("", {"X-Forwarded-Proto": "http"}, 403),
        ("", {"Forwarded": "for=127.0.0.1"}, 403), ("", {"Via": "1.1 proxy"}, 403),
        ("", {"X-Real-IP": "127.0.0.1"}, 403),
        # One that is known, whose header was lost.
        ("127.0.0.1", {}, 403), ("127.0.0.0/8", {}, 403), ("::1", {}, 403), ("127.0.0.2", {}, 403),
        ("0.0.0.0/0", {}, 403), ("10.0.0.7,127.0.0.1", {}, 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_metrics_are_for_programs_of_this_machine_and_no_proxys_clients(
    gate: Callable[..., Gate], proxies: str, headers: dict[str, str], status: int, client: str
) -> None:
    guarded = gate(TRUSTED_PROXIES=proxies)
    for key, expected in ((None, status), (ADMIN_API_KEY, 200)):
        answer = guarded.send("/metrics", key=key, client=client, headers=headers)
        assert answer.status_code == expected


def test_every_answer_has_our_headers(gate: Callable[..., Gate]) -> None:
    guarded = gate()
    seen = set()
    for key in (API_KEY, None):
        response = guarded.send(key=key)
        seen.add(response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
    assert len(seen) == 2


def test_what_may_be_kept_says_so_itself(gate: Callable[..., Gate]) -> None:
    async def keep(_scope: AsgiScope, _receive: Receive, send: Send) -> None:
        headers = [(b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    assert gate(keep).send().headers.get_list("cache-control") == ["no-cache"]


def test_routes_see_who_asks(gate: Callable[..., Gate]) -> None:
    seen = []

    async def look(scope: AsgiScope, _: Receive, send: Send) -> None:
        seen.append(scope["state"]["context"])
        await answer(send)

    response = gate(look).send(key=ADMIN_API_KEY)
    (context,) = seen
    assert context.client == "10.0.0.7"
    assert context.request_id == response.headers["x-request-id"]
    assert context.key.scope is Scope.ADMIN


def test_line_in_the_log_and_count(gate: Callable[..., Gate]) -> None:
    guarded = gate()
    response = guarded.send("/v1/x?key=secret", key=API_KEY)
    line = guarded.log.splitlines()[0]
    assert line.startswith("10.0.0.7 ")
    assert '"GET /v1/x" 200 ' in line
    assert line.endswith(f"request={response.headers['x-request-id']}")
    assert "secret" not in line
    counted = b'kis_requests_total{method="GET",route="-",status="200"} 1.0'
    assert counted in guarded.metrics.expose()


@pytest.mark.parametrize(
    ("error", "status", "code", "is_fault"),
    [
        (refusal(ErrorCode.NOT_FOUND, Text("없음", "none"), Text("", "")), 404, "NOT_FOUND", False),
        (DatabaseUnavailable("disk /var/secret is full"), 503, "NOT_READY", True),
        (ZeroDivisionError("secret"), 500, "INTERNAL", True),
    ],
)
def test_what_comes_out_of_the_application_is_answered(
    gate: Callable[..., Gate], error: Exception, status: int, code: str, is_fault: bool
) -> None:
    async def fail(_scope: AsgiScope, _receive: Receive, _send: Send) -> None:
        raise error

    guarded = gate(fail)
    response = guarded.send()
    problem_of(response, status, code)
    assert "secret" not in response.text
    assert (" ERROR " in guarded.log) is is_fault
    if is_fault:
        assert f"request={response.headers['x-request-id']}" in guarded.log.partition("ERROR")[2]


def test_fault_after_the_answer_began_adds_nothing(gate: Callable[..., Gate]) -> None:
    async def begin_and_fail(_scope: AsgiScope, _receive: Receive, send: Send) -> None:
        await answer(send, b"complete", status=201)
        raise ZeroDivisionError

    guarded = gate(begin_and_fail)
    response = guarded.send()
    assert (response.status_code, response.content) == (201, b"complete")
    assert " ERROR " in guarded.log
    assert '"GET /v1/x" 201 ' in guarded.log


async def read_all(_scope: AsgiScope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await answer(send, str(size).encode())


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/x", 1_024, 200), ("/v1/x", 1_025, 413),
        ("/v1/knowledge/tables/import", 2_048, 200), ("/v1/knowledge/tables/import", 2_049, 413),
        ("/v1/evidence/verify", 2_048, 200), ("/v1/evidence/verify", 2_049, 413),
        ("/v1/evidence/x", 1_025, 413), ("/open", 1_025, 413),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_announced", [True, False])
def test_bodies_are_limited(
    gate: Callable[..., Gate], path: str, size: int, status: int, is_announced: bool
) -> None:
    async def pieces() -> Any:
        for _ in range(size):
            yield b"x"

    guarded = gate(read_all, MAX_BODY_BYTES="1024", MAX_IMPORT_BYTES="2048")
    content = b"x" * size if is_announced else pieces()
    response = guarded.send(path, method="POST", key=ADMIN_API_KEY, content=content)
    assert response.status_code == status
    if status == 413:
        assert str(size - 1) in problem_of(response)["detail"]
    else:
        assert response.text == str(size)


def test_announced_length_is_refused_unread(gate: Callable[..., Gate]) -> None:
    async def never(_scope: AsgiScope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("the application was asked")

    response = gate(never).send(method="POST", headers={"Content-Length": "99999999"}, content=b"")
    problem_of(response, 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "ten", "", "1e9", "²"])
def test_odd_length_announces_nothing(gate: Callable[..., Gate], length: str) -> None:
    """The server before us refuses it; should it not, the body is counted as it comes."""
    headers = {"Content-Length": length.encode("latin-1", errors="replace")}
    assert gate(read_all).send(method="POST", headers=headers, content=b"{}").text == "2"


def test_what_is_not_http_passes(gate: Callable[..., Gate]) -> None:
    passed = []

    async def note(scope: AsgiScope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError("not called")

    guarded = gate(note)
    asyncio.run(guarded.asgi({"type": "lifespan"}, nothing, nothing))
    assert passed == ["lifespan"]
    assert guarded.log == ""
