"""The steps of a self-test as a client takes them, one after the other, over HTTP."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

from kis.settings import Settings

PATIENCE_S = 9.0
"""For all steps together."""

LOG_PATIENCE_S = 2.0
LOG_PAUSE_S = 0.05
LOG_TAIL_BYTES = 4 << 20
DENIED = [401, 401, 403]
VERSION = "/v1/knowledge/versions/active"
NAMES = {
    "server": "서버 server",
    "readiness": "준비 readiness",
    "health": "상태 health",
    "keys": "거절되는 키 denied keys",
    "knowledge": "지식 knowledge",
    "activeKnowledge": "서버의 지식 knowledge in use",
    "estimate": "견적 estimate",
    "stored": "저장 stored",
    "evidence": "증거 evidence",
    "replay": "멱등 키 replay",
    "otherBody": "다른 본문 other body",
    "noTrace": "흔적 없음 no trace",
    "request": "요청 검사 request",
    "metrics": "지표 metrics",
    "log": "로그 log",
}


class Outcome(NamedTuple):
    """A step that was taken: `passed` is None for one that does not apply here."""

    name: str
    passed: bool | None
    ko: str
    en: str
    milliseconds: float


class Unanswered(Exception):  # noqa: N818 - says what is the case
    """The server gave no answer that the steps could go on from."""


class Caller:
    """Sends requests, with the time that is left for all of them."""

    def __init__(self, address: str, settings: Settings, client: httpx.Client) -> None:
        """Ask the server at `address` with the keys of `settings`."""
        self.settings = settings
        self._address = address
        self._client = client
        self._deadline = time.monotonic() + PATIENCE_S

    def send(
        self, path: str, key: str | None, *, method: str = "GET", body: object = None
    ) -> httpx.Response:
        """Send one request.

        Raises:
            Unanswered: there is no answer in time.

        """
        left_s = max(self._deadline - time.monotonic(), 0.1)
        try:
            return self._client.request(
                method, f"{self._address}{path}", headers={"X-API-Key": key} if key else {},
                json=body, timeout=left_s,
            )  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"{method} {path}: {str(error) or type(error).__name__}"
            raise Unanswered(message) from error

    def post(self, path: str) -> dict[str, Any]:
        """Return the decoded answer to an administrator's POST without a body.

        Raises:
            Unanswered: there is none, it is a refusal, or no JSON.

        """
        response = self.send(path, self.settings.admin_api_key, method="POST")
        if not response.is_success:
            message = f"POST {path}: {response.status_code} {_detail(response)}"
            raise Unanswered(message)
        return _json(response)


Taken = tuple[bool | None, str, str]
"""Whether a step passed, and what there is to say in Korean and English."""


def take_steps(caller: Caller, *, has_log: bool) -> Iterator[Outcome]:
    """Yield each step as it was taken; the last one is the first that got no answer."""
    request_ids: list[str] = []
    steps: tuple[tuple[str, Callable[[], Taken]], ...] = (
        ("server", lambda: _server(caller)),
        ("readiness", lambda: _readiness(caller)),
        ("health", lambda: _health(caller)),
        ("keys", lambda: _denied(caller)),
        ("knowledge", lambda: _knowledge(caller, request_ids)),
    )
    for name, take in steps:
        outcome = _timed(name, take)
        yield outcome
        if outcome.passed is False and name in ("server", "knowledge"):
            return
    try:
        inside = caller.post("/v1/selftest")
    except Unanswered as error:
        yield Outcome("estimate", False, str(error), str(error), 0.0)
        return
    for step in inside["steps"]:
        yield Outcome(step["name"], step["passed"], step["ko"], step["en"], step["milliseconds"])
    board: dict[str, Any] = inside["request"] or {}
    yield _timed("request", lambda: _request(caller, board))
    yield _timed("metrics", lambda: _metrics(caller))
    yield _timed("log", lambda: _log(caller.settings, request_ids, has_log=has_log))


def _timed(name: str, take: Callable[[], Taken]) -> Outcome:
    began = time.perf_counter()
    try:
        passed, ko, en = take()
    except Unanswered as error:
        passed, ko, en = False, f"답이 없습니다: {error}", f"no answer: {error}"
    return Outcome(name, passed, ko, en, round((time.perf_counter() - began) * 1_000, 1))


def _server(caller: Caller) -> Taken:
    alive = caller.send("/livez", None)
    return alive.is_success, f"GET /livez {alive.status_code}", "it answers"


def _readiness(caller: Caller) -> Taken:
    answer = _json(caller.send("/readyz", None))
    reasons = "; ".join(answer.get("reasons", ()))
    return answer.get("ready") is True, reasons or "준비됨", reasons or "ready"


def _health(caller: Caller) -> Taken:
    answer = _json(caller.send("/health", None))
    version, rows = answer.get("knowledgeVersion"), answer.get("totalRows")
    shown = f"{answer.get('status')}, {version}, {rows} rows"
    return answer.get("status") == "healthy", shown, shown


def _denied(caller: Caller) -> Taken:
    """Try no key, a wrong one, and one that may estimate but not administer."""
    keys = None, f"selftest-{secrets.token_hex(16)}", caller.settings.api_key
    statuses = [caller.send(VERSION, key).status_code for key in keys]
    shown = "/".join(map(str, statuses))
    return (
        statuses == DENIED,
        f"없음/틀림/권한 없음: {shown}",
        f"none/wrong/wrong scope: {shown}",
    )


def _knowledge(caller: Caller, request_ids: list[str]) -> Taken:
    response = caller.send(VERSION, caller.settings.admin_api_key)
    if not response.is_success:
        shown = f"{response.status_code} {_detail(response)}"
        return False, shown, shown
    request_ids.append(response.headers.get("x-request-id", ""))
    version = _json(response)
    shown = f"{version.get('label')}, {version.get('tableCount')} tables"
    return version.get("active") is True, shown, shown


def _request(caller: Caller, board: dict[str, Any]) -> Taken:
    """Have the board of the estimate checked as a client's: with the client's key, over HTTP."""
    response = caller.send(
        "/v1/estimate/validate", caller.settings.api_key, method="POST", body=board
    )
    valid = response.is_success and _json(response).get("valid") is True
    shown = f"POST /v1/estimate/validate {response.status_code}"
    return valid, shown, shown


def _metrics(caller: Caller) -> Taken:
    response = caller.send("/metrics", caller.settings.admin_api_key)
    shown = f"GET /metrics {response.status_code}"
    return response.is_success and "kis_requests_total" in response.text, shown, shown


def _log(settings: Settings, request_ids: list[str], *, has_log: bool) -> Taken:
    """Look for the line of a request of ours: it is written once the answer is sent."""
    if not has_log:
        return None, "다른 컴퓨터의 로그라 보지 않음", "the log is another machine's: not looked at"
    if settings.log_level not in ("DEBUG", "INFO"):
        shown = f"LOG_LEVEL={settings.log_level}"
        return None, f"{shown}: 요청은 기록되지 않음", f"{shown}: requests leave no line"
    deadline = time.monotonic() + LOG_PATIENCE_S
    while True:
        if all(_is_logged(settings, request_id) for request_id in request_ids):
            return True, f"{settings.log_file.name}에 요청의 줄이 있음", "the request has its line"
        if time.monotonic() > deadline:
            return False, f"{settings.log_file}에 요청의 줄이 없음", "the request has no line"
        time.sleep(LOG_PAUSE_S)


def _is_logged(settings: Settings, request_id: str) -> bool:
    try:
        with settings.log_file.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - LOG_TAIL_BYTES))
            return request_id.encode() in file.read()
    except OSError:
        return False


def _detail(response: httpx.Response) -> str:
    try:
        problem = response.json()
        return f"{problem['detail']} / {problem['detailEn']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _json(response: httpx.Response) -> dict[str, Any]:
    """Return the decoded object.

    Raises:
        Unanswered: it is none.

    """
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        message = f"{response.request.url.path}: {response.status_code}"
        raise Unanswered(message)
    return answer
