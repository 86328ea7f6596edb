"""kis-backend selftest: every step on a living installation, and nothing of it afterwards."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.cli import selftest_steps
from kis.cli.selftest_steps import NAMES, Caller, take_steps
from kis.ops import selftest
from kis.ops.installation import TABLES
from tests import sql
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good, refused, row, rows_of, stage
from tests.integration.program import Program, is_clear
from tests.services import ADMIN_API_KEY, API_KEY, Client, Server, board, running_server

SELFTEST = "/v1/selftest"
INSIDE = [
    "activeKnowledge", "estimate", "stored", "evidence", "replay", "otherBody", "noTrace",
]  # fmt: skip


def run(client: Client) -> Any:
    return good(client.admin("POST", SELFTEST))


def everything(home: Path) -> dict[str, list[Any]]:
    """Return all that an installation consists of."""
    return {
        table.name: sorted(map(repr, rows_of(home, f'SELECT * FROM "{table.name}"')))
        for table in TABLES
    }


def failed(found: Any) -> list[str]:
    return [step["name"] for step in found["steps"] if step["passed"] is False]


def test_every_step_is_taken_and_nothing_is_left(client: Client) -> None:
    good(estimate(client, board()), 201)
    before = everything(client.settings.home)
    found = run(client)
    assert [step["name"] for step in found["steps"]] == INSIDE
    assert (found["passed"], failed(found)) == (True, [])
    assert everything(client.settings.home) == before


@SQLITE_ONLY  # a sequence of PostgreSQL gives no number twice, whatever is undone
def test_ids_go_on_as_if_nothing_had_been(client: Client) -> None:
    for _ in range(3):
        run(client)
    good(estimate(client, board()), 201)
    assert rows_of(client.settings.home, "SELECT id FROM audit_entry ORDER BY id") == [(1,), (2,)]


def test_estimates_go_on_meanwhile(client: Client) -> None:
    async def create(number: int) -> httpx.Response:
        body = board(label=str(number))
        return await client.asend("POST", "/v1/estimate/create", json=body)

    async def test() -> httpx.Response:
        return await client.asend("POST", SELFTEST, key=ADMIN_API_KEY)

    answers = client.gather(*(test() if n % 4 == 0 else create(n) for n in range(40)))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert all(answer.json()["passed"] for answer in answers[::4])
    (stored,) = rows_of(client.settings.home, "SELECT count(*) FROM Estimate")
    assert stored == (30,)


def test_it_is_for_administrators(client: Client) -> None:
    refused(client.post(SELFTEST, {}), 403, "FORBIDDEN")


def test_table_that_is_broken_is_told(client: Client) -> None:
    with sql.broken_table(client.settings.home, "idempotency_record"):
        answer = client.admin("POST", SELFTEST)
    # What is left cannot be counted either, so that it may also be a refusal.
    assert answer.status_code >= 500 or failed(answer.json())


def test_evidence_that_does_not_verify_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = client.application.services.estimates.compose

    def forge(*asked: Any) -> Any:
        record = compose(*asked)
        return record._replace(evidence={**record.evidence, "signature": "-" * 43})

    service = type(client.application.services.estimates)
    monkeypatch.setattr(service, "compose", lambda _, *asked: forge(*asked))
    found = run(client)
    assert (found["passed"], failed(found)) == (False, ["evidence"])
    assert rows_of(client.settings.home, "SELECT count(*) FROM Estimate") == [(0,)]


def test_knowledge_that_is_not_the_active_one_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selftest, "PAUSE_S", 0.0)
    stage(client, "v2", row("TEST-1"))
    rows_of(client.settings.home, "UPDATE knowledge_pointer SET version_id = 2")
    assert failed(run(client)) == ["activeKnowledge", "stored"]


# --- the command -------------------------------------------------------------------------------


def test_command_shows_each_step(server: Server) -> None:
    before = everything(server.home)
    done = server.command("selftest")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert len(lines) == len(NAMES) + 1
    assert all(line.startswith("✓ ") for line in lines[:-1])
    assert re.search("이상 없음 All is well", lines[-1])
    assert everything(server.home) == before


def test_command_for_programs(server: Server) -> None:
    done = server.command("selftest", "--url", server.url, "--json")
    found = json.loads(done.stdout)
    assert (found["passed"], found["url"]) == (True, server.url)
    assert [step["name"] for step in found["steps"]] == list(NAMES)
    assert found["seconds"] < 10


def test_no_server(tmp_path: Path) -> None:
    program = Program(tmp_path)
    done = program.run("selftest")
    assert done.returncode == 1
    assert is_clear(done)
    assert done.stdout.startswith("✗ 서버 server: 답이 없습니다")
    found = program.json("selftest", "--url", "no address", code=1)
    assert failed(found) == ["server"]


def test_keys_of_another_installation(server: Server) -> None:
    server.environ |= {"ADMIN_API_KEY": "another-admin-key-0123456789"}
    found = json.loads(server.command("selftest", "--json").stdout)
    assert failed(found) == ["knowledge"]


def test_equal_keys_are_told(server: Server) -> None:
    server.environ |= {"ADMIN_API_KEY": API_KEY}
    found = json.loads(server.command("selftest", "--json").stdout)
    assert failed(found) == ["knowledge"]
    assert "관리자 키" in str(found["steps"][-1]) or "403" in str(found["steps"][-1])


def test_log_without_lines_for_requests(tmp_path: Path, database_url: str) -> None:
    with running_server(tmp_path / "home", DATABASE_URL=database_url, LOG_LEVEL="WARNING") as it:
        found = json.loads(it.command("selftest", "--json").stdout)
    assert found["passed"]
    assert {step["name"]: step["passed"] for step in found["steps"]}["log"] is None


@contextmanager
def hung_server() -> Iterator[str]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_hung_server_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest_steps, "PATIENCE_S", 0.3)
    with hung_server() as address, httpx.Client() as http:
        steps = list(take_steps(Caller(address, client.settings, http), has_log=True))
    assert [(step.name, step.passed) for step in steps] == [("server", False)]


def test_log_that_is_not_written_is_told(server: Server, tmp_path: Path) -> None:
    server.environ |= {"KIS_HOME": str(tmp_path / "elsewhere")}
    done = server.command("selftest", "--url", server.url, "--json")
    assert failed(json.loads(done.stdout)) == ["log"]
