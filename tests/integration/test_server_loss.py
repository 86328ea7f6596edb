"""PostgreSQL goes away under load and comes back: nothing lost, nothing doubled, no 500."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.batches import send_batch
from tests.integration.lifecycle import estimate, good, rows_of
from tests.integration.traffic import Traffic
from tests.postgres import PostgresServer
from tests.services import Server, board, running_server

CYCLES = 3
AWAY_S = 0.5
UNDER_LOAD_S = 1.0


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    """A server of its own that syncs, so that a crash loses nothing."""
    server = PostgresServer()
    server.execute("CREATE DATABASE kis")
    yield server
    server.close()


@pytest.fixture
def on_durable(durable: PostgresServer, tmp_path: Path) -> Iterator[Server]:
    with running_server(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=durable.url("kis")
    ) as server:
        yield server


def test_crashes_of_the_database_under_load(durable: PostgresServer, on_durable: Server) -> None:
    traffic = Traffic(on_durable, 4, board())
    with traffic.running():
        for _ in range(CYCLES):
            time.sleep(UNDER_LOAD_S)
            durable.kill()
            time.sleep(AWAY_S)
            durable.start()
        time.sleep(UNDER_LOAD_S)
    answered = [answer.body["id"] for answer in traffic.answers if answer.status == 201]
    refused = {answer.status for answer in traffic.answers} - {201}
    assert refused <= {503}
    stored = [name for (name,) in rows_of(on_durable.home, "SELECT id FROM Estimate")]
    assert sorted(stored) == sorted(answered)
    assert len(answered) > CYCLES
    good(estimate(on_durable, board()), 201)


def test_a_database_that_stays_away(durable: PostgresServer, on_durable: Server) -> None:
    created = good(estimate(on_durable, board()), 201)
    durable.kill()
    lines = send_batch(on_durable, board(idempotencyKey="k-1"), b"{")
    assert {(line["status"], line["code"]) for line in lines} == {(503, "NOT_READY")}
    for method, path in (("POST", "/v1/estimate/create"), ("GET", f"/v1/estimate/{created['id']}")):
        body = board() if method == "POST" else None
        response = on_durable.request(method, path, json=body)
        assert (response.status_code, response.json()["code"]) == (503, "NOT_READY")
        assert int(response.headers["retry-after"]) > 0
    # By now nobody can say either who may not ask.
    assert on_durable.request("GET", "/v1/estimate", key="wrong").status_code == 503
    assert on_durable.request("GET", "/livez").status_code == 200
    assert on_durable.request("GET", "/readyz").status_code == 503
    durable.start()
    assert good(on_durable.request("GET", f"/v1/estimate/{created['id']}")) == created
    good(estimate(on_durable, board()), 201)
    assert send_batch(on_durable, board(idempotencyKey="k-1"))[0]["status"] == 201
    assert on_durable.request("GET", "/readyz").status_code == 200
