"""Who activates is killed while it waits for the others: they answer for it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from kis.db.engine import open_database
from kis.knowledge import workers as words
from kis.knowledge.workers import Failure
from tests import sql
from tests.backends import POSTGRESQL_ONLY
from tests.integration.lifecycle import FIRST, TABLES, audit_of, row, stage, version
from tests.integration.program import TIMEOUT_S, until
from tests.integration.test_workers import connections_of, serving, wait_for_all
from tests.services import ADMIN_API_KEY, Server, running_server

WORKERS = 3
SPEAKS_EVERY_S = 0.3

pytestmark = POSTGRESQL_ONLY


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server of three processes."""
    environ = {"RATE_LIMIT_PER_MINUTE": "0", "DATABASE_URL": database_url}
    with running_server(tmp_path / "home", WORKERS, **environ) as running:
        wait_for_all(running)
        yield running


class Old:
    """A worker of another program, on another machine: it is there, and has a version."""

    def __init__(self, server: Server, version_id: int) -> None:
        """Prepare to say so; `running` does."""
        self.version_id = version_id
        self.failure: Failure | None = None
        self._url = server.environ["DATABASE_URL"]
        self._spoken = threading.Event()
        self._ending = threading.Event()

    @contextmanager
    def running(self) -> Iterator["Old"]:
        """Say so again and again; an activation waits for those that were heard before it."""
        thread = threading.Thread(target=self._speak)
        thread.start()
        try:
            assert self._spoken.wait(TIMEOUT_S)
            yield self
        finally:
            self._ending.set()
            thread.join()

    def _speak(self) -> None:
        database = open_database(self._url, slow_query_ms=60_000)
        while not self._ending.is_set():
            database.write_now(
                lambda c: words.announce(c, "old program", self.version_id, self.failure)
            )
            self._spoken.set()
            self._ending.wait(SPEAKS_EVERY_S)
        database.close()


def kill_who_activates(server: Server, label: str) -> None:
    """Activate, and kill the worker that does as soon as the version is the active one."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        body = {"versionLabel": label}
        headers = {"X-API-Key": ADMIN_API_KEY}

        def activate() -> None:
            with suppress(httpx.TransportError):
                client.post(f"{TABLES}/activate", json=body, headers=headers)

        activating = threading.Thread(target=activate)
        activating.start()
        until(lambda: active_of(server) == label)
        (owner,) = [pid for pid, count in connections_of(server).items() if count]
        os.kill(owner, signal.SIGKILL)
        activating.join()
        until(lambda: owner not in serving(server))


def active_of(server: Server) -> str:
    """Look beside the service: whom one asks is chance."""
    query = (
        "SELECT v.label FROM knowledge_pointer p JOIN knowledge_version v ON v.id = p.version_id"
    )
    ((label,),) = sql.run(server.home, query)
    return str(label)


def pending(server: Server) -> int:
    ((count,),) = sql.run(server.home, "SELECT count(*) FROM knowledge_pending")
    return int(str(count))


@pytest.mark.parametrize("is_told", [True, False], ids=["failed", "silent"])
def test_version_that_a_worker_cannot_take_is_taken_back(workers: Server, is_told: bool) -> None:
    stage(workers, "v-a", row("T-100", width=90))
    first, new = version(workers, FIRST)["id"], version(workers, "v-a")["id"]
    with Old(workers, first).running() as old:
        kill_who_activates(workers, "v-a")
        if is_told:
            old.failure = Failure(new, "unknown rule")
        began = time.monotonic()
        until(lambda: active_of(workers) == FIRST)
        print(f"taken back {time.monotonic() - began:.1f} s after the kill")  # noqa: T201 - a figure
        until(lambda: not pending(workers))
        time.sleep(3)  # whoever was to find it as well has done so by then
    history = sql.run(workers.home, "SELECT kind, label FROM knowledge_activation ORDER BY id")
    assert list(map(tuple, history)) == [
        ("initial", FIRST), ("activate", "v-a"), ("rollback", FIRST)
    ]  # fmt: skip
    ((_, action, reason, _),) = audit_of(workers.home, FIRST)[-1:]
    assert action == "knowledge.rollback"
    assert "old program" in reason


def test_version_that_all_have_stays(workers: Server) -> None:
    stage(workers, "v-a", row("T-100", width=90))
    first, new = version(workers, FIRST)["id"], version(workers, "v-a")["id"]
    with Old(workers, first).running() as old:
        kill_who_activates(workers, "v-a")
        old.version_id = new
        until(lambda: not pending(workers))
    assert active_of(workers) == "v-a"
    assert len(sql.run(workers.home, "SELECT id FROM knowledge_activation")) == 2
