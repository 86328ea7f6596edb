"""The runbook's log pipelines, literally, on the log of a real server that had a busy day."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.lifecycle import FIRST, main_only
from tests.programs import needs
from tests.services import ADMIN_API_KEY, API_KEY, SECRETS, Server, board, running_server

CREATE = "/v1/estimate/create"
PER_MINUTE = 60
REFUSED = (401, 403, 429)
RUNBOOK = Path(__file__).parents[2].parent / "shared" / "RUNBOOK.ko.md"

RECENT_ERRORS = "tail -100 /production/logs/kis-backend.log | grep -i error"
RECENT_CREATES = (
    'tail -1000 /production/logs/kis-backend.log | grep "POST /v1/estimate/create" | wc -l'
)
ERROR_COUNT = 'ERROR_COUNT=$(tail -10000 /production/logs/kis-backend.log | grep -c "ERROR")'
TOTAL_COUNT = r'TOTAL_COUNT=$(tail -10000 /production/logs/kis-backend.log | grep -c "POST\|GET")'
ERROR_RATE = """ERROR_RATE=$(echo "scale=2; $ERROR_COUNT / $TOTAL_COUNT * 100" | bc)

echo "Error Rate: ${ERROR_RATE}%"
"""
CACHE_HIT_RATE = r"""
grep "cache_hit" /production/logs/kis-backend.log | tail -1000 | \
  awk '{hit+=$1; total++} END {print "Cache Hit Rate:", (hit/total)*100"%"}'
"""
ABSTENTIONS = r"""
grep -A 5 -B 5 "NEED_KNOWLEDGE_UPDATE\|BRAND_CONFLICT" /production/logs/kis-backend.log | tail -20
"""
ALL_ERRORS = "grep -i error /production/logs/kis-backend.log | tail -50"
SUSPICIOUS = r'grep -i "401\|403\|429" /production/logs/kis-backend.log | tail -20'
BY_CLIENT = r"""
grep "POST /v1/estimate/create" /production/logs/kis-backend.log | \
  awk '{print $1}' | sort | uniq -c | sort -nr | head -10
"""
SLOW = 'grep "slow query" /production/logs/kis-backend.log | tail -10'
PIPELINES = (
    RECENT_ERRORS, RECENT_CREATES, ERROR_COUNT, TOTAL_COUNT, ERROR_RATE, CACHE_HIT_RATE,
    ABSTENTIONS, ALL_ERRORS, SUSPICIOUS, BY_CLIENT, SLOW,
)  # fmt: skip


class Sent(NamedTuple):
    """What a client sent, and what it was answered."""

    method: str
    path: str
    status: int
    code: str


class Day:
    """The requests of a day, written down as its client saw them."""

    def __init__(self, server: Server, sent: list[Sent]) -> None:
        self.server = server
        # The server was asked for its health until it answered.
        self.sent = sent
        self.sent.append(Sent("GET", "/health", 200, ""))

    def send(self, method: str, path: str, status: int | None = None, **more: Any) -> int:
        answer = self.server.request(method, path, **more)
        assert status in (None, answer.status_code), answer.text
        is_problem = answer.headers["content-type"] == "application/problem+json"
        code = answer.json()["code"] if is_problem else ""
        self.sent.append(Sent(method, path.partition("?")[0], answer.status_code, code))
        return answer.status_code

    def create(self, request: object, status: int, **more: Any) -> None:
        self.send("POST", CREATE, status, json=request, **more)


def estimate_boards(day: Day) -> None:
    keyed = {"Idempotency-Key": "k-1"}
    for number in range(8):
        day.create(board(label=f"LP-{number}"), 201)
    for _ in range(4):
        day.create(board(), 201, headers=keyed)
    day.create(board(label="other"), 422, headers=keyed)
    for model in ("GET-401", "POST-429", "ERROR-403"):
        day.create(main_only(model), 422)
    day.create(board(brand="MIXED"), 422)
    day.create(board(branches=None), 422)
    day.create(board(brand="MIXED", branches=None), 422)
    day.create(main_only("BRAND_CONFLICT NEED_KNOWLEDGE_UPDATE"), 422)
    for _ in range(2):
        day.create({"label": "ERROR 401 cache_hit"}, 422, headers={"Idempotency-Key": "429 GET"})
    day.create({"ERROR": "cache_hit"}, 400)


def look_around(day: Day) -> None:
    for path in ("/health", "/livez", "/readyz", "/metrics", "/api-docs", "/openapi.json"):
        day.send("GET", path, 200, key=None)
    day.send("GET", "/v1/estimate", 200)
    day.send("GET", "/v1/estimate", 401, key=None)
    day.send("GET", f"/v1/estimate?key={ADMIN_API_KEY}", 401, key="403-wrong-429")
    day.send("GET", "/v1/knowledge/versions", 403)
    day.send("POST", "/v1/knowledge/tables/import", 403, json={})
    day.send("GET", f"/v1/estimate/{API_KEY}", 404)
    day.send("GET", '/error"%0A1 cache_hit%0A10.0.0.9 x "POST /v1/estimate/create" 401', 404)
    day.send("GET", "/v1/estimate/429?error=ERROR", 404)
    day.send("PUT", CREATE, 405)
    day.send("GET", "/v1/estimate/NEED_KNOWLEDGE_UPDATE/BRAND_CONFLICT", 404)
    day.send("DELETE", f"/v1/knowledge/versions/{FIRST}", 409, key=ADMIN_API_KEY)


def ask_too_often(day: Day) -> None:
    """Guess keys until the limit of all guesses is used up, and thrice more."""
    while day.send("POST", CREATE, key="guess", json={}) != 429:
        assert len(day.sent) < 10 * PER_MINUTE
    for _ in range(2):
        day.send("POST", CREATE, 429, key="guess", json={})


def break_and_mend(day: Day) -> None:
    """One fault of ours: a table is gone while one request comes."""
    path = day.server.home / "data" / "kis.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE audit_entry RENAME TO elsewhere")
        day.create(board(), 500)
        connection.execute("ALTER TABLE elsewhere RENAME TO audit_entry")


@dataclass
class Log:
    """A home whose server has stopped, and the requests that were sent to it."""

    home: Path
    sent: list[Sent]

    def run(self, pipeline: str) -> str:
        script = pipeline.replace("/production", str(self.home))
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30
        )
        assert not done.stderr
        return done.stdout.rstrip()

    @property
    def text(self) -> str:
        return (self.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")

    def count(self, **wanted: object) -> int:
        return sum(
            all(getattr(request, name) == value for name, value in wanted.items())
            for request in self.sent
        )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """The log of a busy day, and of a second start at which every query is slow."""
    home = tmp_path_factory.mktemp("log") / "home"
    sent: list[Sent] = []
    with running_server(home, RATE_LIMIT_PER_MINUTE=str(PER_MINUTE)) as server:
        day = Day(server, sent)
        estimate_boards(day)
        look_around(day)
        ask_too_often(day)
        break_and_mend(day)
        assert server.stop() == 0
    with running_server(home, SLOW_QUERY_MS="0") as server:
        Day(server, sent).create(board(customer="한빛빌딩"), 201)
        assert server.stop() == 0
    return Log(home, sent)


# --- the pipelines -------------------------------------------------------------------------------


@pytest.mark.skipif(not RUNBOOK.exists(), reason="the runbook is not beside this checkout")
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_pipeline_is_the_runbook_s(pipeline: str) -> None:
    assert pipeline.strip() in RUNBOOK.read_text(encoding="utf-8")


def test_day_had_everything(log: Log) -> None:
    statuses = {request.status for request in log.sent}
    assert statuses == {200, 201, 400, 401, 403, 404, 405, 409, 422, 429, 500}


def test_recent_creates(log: Log) -> None:
    assert int(log.run(RECENT_CREATES)) == log.count(method="POST", path=CREATE)


def test_error_count_and_total(log: Log) -> None:
    counts = log.run(f"{ERROR_COUNT}\n{TOTAL_COUNT}\necho $ERROR_COUNT $TOTAL_COUNT")
    total = log.count(method="POST") + log.count(method="GET")
    assert counts.split() == [str(log.count(status=500)), str(total)]


@needs("bc")
def test_error_rate(log: Log) -> None:
    """One fault in some hundred requests; `scale=2` cuts to whole percents."""
    total = log.count(method="POST") + log.count(method="GET")
    rate = log.run(f"{ERROR_COUNT}\n{TOTAL_COUNT}\n{ERROR_RATE}")
    assert rate == f"Error Rate: {'1.00' if total <= 100 else '0'}%"


def test_cache_hit_rate(log: Log) -> None:
    hits, misses = log.count(status=201), log.count(code="NEED_KNOWLEDGE_UPDATE")
    assert (hits, misses) == (13, 4)
    assert log.run(CACHE_HIT_RATE) == f"Cache Hit Rate: {hits / (hits + misses) * 100:.6g}%"


def test_abstentions_and_conflicts(log: Log) -> None:
    assert "WARNING BRAND_CONFLICT $.brand " in log.run(ABSTENTIONS)
    line = r" WARNING ([A-Z_]+) (\S+)(?: missing=(\S+))? request=([a-z]{20})\n"
    found = re.findall(line, log.text)
    refused = [request.code for request in log.sent if request.status in (409, 422)]
    by_request = {request_id: code for code, _, _, request_id in reversed(found)}
    assert list(by_request.values())[::-1] == refused
    # The board whose brand is mixed and whose branches are not stated has both.
    assert len(found) == len(refused) + 1
    mixed = [code for code, path, *_ in found if path in ("$.brand", "$.branches")]
    assert mixed.count("BRAND_CONFLICT") == 2
    assert ("NEED_KNOWLEDGE_UPDATE", "$.main.model", "breakerModel+LS+G%45T-4%301+3P") in [
        fact[:3] for fact in found
    ]
    assert "VERSION_ACTIVE" in refused


@pytest.mark.parametrize("code", ["NEED_KNOWLEDGE_UPDATE", "BRAND_CONFLICT"])
def test_one_line_a_request_has_the_code(log: Log, code: str) -> None:
    """Whatever a client calls its breakers, and however many findings there are."""
    lines = log.run(f"grep {code} /production/logs/kis-backend.log").splitlines()
    assert len(lines) == {"NEED_KNOWLEDGE_UPDATE": 4, "BRAND_CONFLICT": 2}[code]
    assert all(f" WARNING {code} " in line for line in lines)


@pytest.mark.parametrize("pipeline", [RECENT_ERRORS, ALL_ERRORS])
def test_errors_are_our_faults_alone(log: Log, pipeline: str) -> None:
    """The fault's line, if it is among the recent ones, and what its traceback says."""
    lines = log.run(pipeline).splitlines()
    faults = [line for line in lines if not line.startswith("\t")]
    assert len(faults) <= 1
    assert faults or pipeline == RECENT_ERRORS
    for fault in faults:
        assert re.fullmatch(r"\S+Z ERROR a request failed, request=[a-z]{20}", fault)
    assert any("OperationalError" in line and "audit_entry" in line for line in lines)


def test_suspicious_calls(log: Log) -> None:
    lines = log.run(SUSPICIOUS).splitlines()
    assert len(lines) == 20
    assert all(re.search(r'" (?:401|403|429) ', line) for line in lines)
    everything = log.run(SUSPICIOUS.removesuffix(" | tail -20")).splitlines()
    assert len(everything) == sum(log.count(status=status) for status in REFUSED)


def test_creates_by_client(log: Log) -> None:
    expected = [str(log.count(method="POST", path=CREATE)), "127.0.0.1"]
    assert log.run(BY_CLIENT).split() == expected


def test_slow_queries(log: Log) -> None:
    lines = log.run(SLOW).splitlines()
    assert len(lines) == 10
    for line in lines:
        assert re.match(r"\S+Z WARNING slow query [\d.]+ms [A-Z]", line), line
    assert "INSERT INTO" in log.text
    assert "한빛빌딩" not in log.text


# --- the lines -----------------------------------------------------------------------------------


def test_one_line_a_request(log: Log) -> None:
    access = re.compile(
        r'^127\.0\.0\.1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "([A-Z]+) (\S+)" (\d{3}) [\d.]+ms'
        r" key=(\S+) request=[a-z]{20}$",
        re.MULTILINE,
    )
    found = [(method, int(status)) for method, _, status, _ in access.findall(log.text)]
    assert found == [(request.method, request.status) for request in log.sent]


def test_no_secret(log: Log) -> None:
    for name, secret in SECRETS.items():
        assert secret not in log.text, name
    assert '"GET /v1/estimate/***" 404' in log.text


# --- logrotate -----------------------------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path / "home") as server:
        yield server


def test_moved_away(running: Server) -> None:
    """Logrotate without copytruncate: `mv`, and the service goes on in a new file."""
    path = running.home / "logs" / "kis-backend.log"
    rotated = path.with_suffix(".log.1")
    assert running.request("GET", "/v1/estimate").status_code == 200
    path.rename(rotated)
    assert running.request("GET", "/v1/estimate/after").status_code == 404
    assert running.stop() == 0
    before, after = rotated.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
    assert '"GET /health" 200' in before
    assert "/v1/estimate/after" not in before
    assert after.count('"GET /v1/estimate/after" 404') == 1
    # Written once the answer is out, so it may stand on either side of the `mv`.
    assert (before + after).count('"GET /v1/estimate" 200') == 1


def test_copied_and_truncated(running: Server) -> None:
    """Logrotate with copytruncate: no hole of zeros where the old lines were."""
    path = running.home / "logs" / "kis-backend.log"
    for _ in range(20):
        assert running.request("GET", "/v1/estimate").status_code == 200
    with path.open("r+b") as file:
        file.truncate(0)
    assert running.request("GET", "/v1/estimate/after").status_code == 404
    assert running.stop() == 0
    lines = path.read_bytes().splitlines()
    assert all(line.startswith(b"127.0.0.1 ") for line in lines)
    assert b'"GET /v1/estimate/after" 404' in lines[-1]
    assert len(lines) < 20
