"""The table of errors is total and documented; every kind of error has the one shape."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from kis.api.error_guide import GUIDE, errors_table
from kis.api.errors import STATUS
from kis.errors import ErrorCode
from tests import sql
from tests.integration.lifecycle import good
from tests.integration.problems import HANGUL, problem_of
from tests.services import Client, board, running_client

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
GENERATED_BELOW = "<!-- generated: errors_table() -->\n"
CREATE = "/v1/estimate/create"
JSON = {"Content-Type": "application/json"}


# --- the table ---------------------------------------------------------------------------------


def test_table_is_total() -> None:
    assert set(STATUS) == set(ErrorCode)
    assert set(GUIDE) == set(ErrorCode)


def test_documented_errors_are_the_errors() -> None:
    documented = PAGE.read_text(encoding="utf-8").partition(GENERATED_BELOW)[2]
    assert documented == errors_table(), f"put errors_table() below {GENERATED_BELOW!r}"


@pytest.mark.parametrize("code", ErrorCode)
def test_code_is_explained_in_both_languages(code: ErrorCode) -> None:
    for text in GUIDE[code]:
        assert HANGUL.search(text.ko) or text.ko == text.en
        assert text.en
        assert not HANGUL.search(text.en)
        assert "|" not in text.ko + text.en


def test_statuses_are_those_of_the_contract() -> None:
    """DESIGN.md: 400 malformed, 401, 403, 404, 409 state, 413, 415, 422 domain, 429, 503.

    And 408, a request without an end; 431, headers without one; 507, the disk is full.
    """
    contract = {400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503, 507}
    assert set(STATUS.values()) == contract
    assert [code for code, status in STATUS.items() if status == 500] == [ErrorCode.INTERNAL]


# --- one shape ---------------------------------------------------------------------------------


def test_head_asks_for_health(client: Client) -> None:
    for path in ("/health", "/livez", "/readyz", "/api-docs", "/v1/estimate"):
        head, got = client.request("HEAD", path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    client._runner.run(client.application.services.writer.stop())
    assert client.request("HEAD", "/readyz").status_code == 503
    assert '"HEAD /readyz" 503 ' in log_of(client)


def test_too_many_requests(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE="1") as client:
        good(client.get("/v1/estimate"))
        response = client.get("/v1/estimate")
        problem_of(response, 429, "RATE_LIMITED")
        assert int(response.headers["retry-after"]) in range(1, 61)


# --- faults of ours ------------------------------------------------------------------------------


FULL = {
    "sqlite": """
        CREATE TRIGGER full_up BEFORE INSERT ON evidence BEGIN SELECT RAISE(ROLLBACK, 'full'); END
    """,
    "postgresql": """
        CREATE FUNCTION fill_up() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN RAISE EXCEPTION USING MESSAGE = ''full''; END';
        CREATE CONSTRAINT TRIGGER full_up AFTER INSERT ON evidence
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fill_up()
    """,
}
"""What fails a transaction as a whole, as a full disk does: at once, or in the COMMIT."""


def log_of(client: Client) -> str:
    return client.settings.log_file.read_text(encoding="utf-8")


def test_fault_while_writing_shows_nothing_of_ours(client: Client) -> None:
    with sql.broken_table(client.settings.home, "audit_entry"):
        problem = problem_of(client.post(CREATE, board(customer="한빛")), 500, "INTERNAL")
    assert problem["detailEn"] == "A fault on our side."
    log = log_of(client)
    assert f" ERROR a request failed, request={problem['requestId']}" in log
    assert "audit_entry" in log
    assert "한빛" not in log
    good(client.post(CREATE, board()), 201)


def test_fault_while_reading_shows_nothing_of_ours(client: Client) -> None:
    with sql.broken_table(client.settings.home, "Estimate"):
        for path in ("/v1/estimate", "/v1/estimate/x"):
            problem = problem_of(client.get(path), 500, "INTERNAL")
            assert f" ERROR a request failed, request={problem['requestId']}" in log_of(client)
    good(client.get("/v1/estimate"))


def test_database_that_cannot_be_written_now(client: Client) -> None:
    """Stopped, the writer refuses; what can be read is still answered."""
    created = good(client.post(CREATE, board()), 201)
    client._runner.run(client.application.services.writer.stop())
    response = client.post(CREATE, board())
    problem_of(response, 503, "NOT_READY")
    assert int(response.headers["retry-after"]) > 0
    assert good(client.get(f"/v1/estimate/{created['id']}")) == created
    assert good(client.get("/readyz"), 503)["ready"] is False
    assert good(client.get("/health"), 503)["status"] == "unhealthy"
    assert good(client.get("/livez")) == {"alive": True}


def test_transaction_that_fails_as_a_whole(client: Client) -> None:
    home = client.settings.home
    backend = client.application.services.database.write_engine.dialect.name
    sql.run(home, FULL[backend])
    response = client.post(CREATE, board())
    problem_of(response, 503, "NOT_READY")
    assert int(response.headers["retry-after"]) > 0
    assert " ERROR a transaction of 1 writes failed" in log_of(client)
    assert sql.run(home, "SELECT id FROM Estimate") == []
    sql.run(home, "DROP TRIGGER full_up" + (" ON evidence" if backend == "postgresql" else ""))
    good(client.post(CREATE, board()), 201)


def test_more_writes_than_can_wait(client: Client) -> None:
    """Another connection holds the lock while more requests come than the queue takes."""
    client.application.services.writer._queue_limit = 8

    async def send() -> httpx.Response:
        return await client.asend("POST", CREATE, json=board())

    async def scenario(held: sql.Hands) -> list[httpx.Response]:
        waiting = [asyncio.ensure_future(send()) for _ in range(40)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in done} == {503}
        held.execute("ROLLBACK")
        return list(await asyncio.gather(*waiting))

    with sql.held_writes(client.settings.home) as held:
        (answers,) = client.gather(scenario(held))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {201, 503}
    for answer in refused:
        problem_of(answer, 503, "OVERLOADED")
        assert answer.headers["retry-after"] == "1"
    stored = sql.run(client.settings.home, "SELECT COUNT(*) FROM Estimate")
    assert stored == [(len(answers) - len(refused),)]


def test_problem_is_json_in_utf_8(client: Client) -> None:
    response = client.post(CREATE, {})
    assert json.loads(response.content.decode("utf-8")) == response.json()
    assert "정보가 없습니다" in response.content.decode("utf-8")
