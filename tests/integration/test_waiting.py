"""Another session of PostgreSQL holds what a create needs: nothing is lost or doubled."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from kis.db import postgres, transaction
from tests import sql
from tests.backends import POSTGRESQL_ONLY
from tests.integration.batches import send_batch
from tests.integration.lifecycle import good, rows_of
from tests.integration.problems import problem_of
from tests.postgres import wait_for_locks
from tests.services import Client, Server, board, running_client

CREATE = "/v1/estimate/create"
KEY = {"Idempotency-Key": "k-1"}
LOCKS = (
    'LOCK TABLE "Estimate" IN EXCLUSIVE MODE',
    "LOCK TABLE idempotency_record IN ACCESS EXCLUSIVE MODE",
    "SELECT 1 FROM knowledge_pointer FOR UPDATE",
)

pytestmark = POSTGRESQL_ONLY


@pytest.fixture
def hasty(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The application with little patience."""
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 200)
    monkeypatch.setattr(transaction, "PATIENCE_S", 0.3)
    with running_client(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as client:
        yield client


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_that_is_held_for_long(hasty: Client, lock: str) -> None:
    home = hasty.settings.home
    with sql.hands_on(home) as other:
        other.execute("BEGIN")
        other.execute(lock)
        refused = hasty.post(CREATE, board(), headers=KEY)
        problem_of(refused, 503, "NOT_READY")
        assert int(refused.headers["retry-after"]) > 0
        lines = send_batch(hasty, board(idempotencyKey="k-2"), board())
        assert {(line["status"], line["code"]) for line in lines} == {(503, "NOT_READY")}
        assert [line["idempotencyKey"] for line in lines] == ["k-2", None]
        other.execute("ROLLBACK")
    assert rows_of(home, "SELECT id FROM Estimate") == []
    first = hasty.post(CREATE, board(), headers=KEY)
    again = hasty.post(CREATE, board(), headers=KEY)
    assert good(first, 201) == good(again, 201)
    assert again.headers["idempotency-replayed"] == "true"
    (line,) = send_batch(hasty, board(idempotencyKey="k-2"))
    stored = {name for (name,) in rows_of(home, "SELECT id FROM Estimate")}
    assert stored == {first.json()["id"], line["estimate"]["id"]}


def test_a_deadlock_is_nobodys_error(server: Server, database_url: str) -> None:
    """The server is the one that PostgreSQL gives up; it stores the estimate after all."""
    answers: list[httpx.Response] = []

    def create() -> None:
        answers.append(server.request("POST", CREATE, json=board(), headers=KEY))

    creating = threading.Thread(target=create)
    with psycopg.connect(database_url) as other:
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("LOCK TABLE audit_entry IN EXCLUSIVE MODE")
        creating.start()
        wait_for_locks(database_url, 1)
        other.execute("SELECT 1 FROM knowledge_pointer FOR UPDATE")
    creating.join()
    (answer,) = answers
    assert rows_of(server.home, "SELECT id FROM Estimate") == [(good(answer, 201)["id"],)]
    assert rows_of(server.home, "SELECT count(*) FROM evidence") == [(1,)]
