"""A key that was revoked is refused by every worker once the answer is there."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.backends import POSTGRESQL_ONLY
from tests.integration.lifecycle import good
from tests.integration.program import until
from tests.integration.test_workers import connections_of, serving, wait_for_all
from tests.services import ADMIN_API_KEY, Server, board, running_server

WORKERS = 4
CLIENTS = 12
ROUNDS, DRILL_ROUNDS = 5, 20
AFTERWARDS = 40
"""Requests with a revoked key that are waited for before the next one is revoked."""


class Asked(NamedTuple):
    """A request: with which key, when it began, and what came of it."""

    key: str
    began_s: float
    status: int


class Askers:
    """Clients that write and read with one key after the other, on connections that they keep."""

    def __init__(self, server: Server, key: str) -> None:
        """Prepare; `running` starts them."""
        self.key = key
        self.asked: list[Asked] = []
        self._server = server
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[n]) for n in range(CLIENTS)]

    @contextmanager
    def running(self) -> Iterator["Askers"]:
        """Keep them asking."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ending.set()
            for thread in self._threads:
                thread.join()

    def _ask(self, number: int) -> None:
        with httpx.Client(base_url=self._server.url, trust_env=False, timeout=60) as client:
            while not self._ending.is_set():
                number += 1
                key, began_s = self.key, time.monotonic()
                headers = {"X-API-Key": key}
                if number % 2:
                    answer = client.get("/v1/estimate?limit=1", headers=headers)
                else:
                    answer = client.post("/v1/estimate/create", headers=headers, json=board())
                self.asked.append(Asked(key, began_s, answer.status_code))

    def ask_on(self, key: str, count: int) -> None:
        """Wait until so many more requests with `key` have begun and been answered."""
        now_s = time.monotonic()
        until(lambda: len(self.with_key(key, now_s)) >= count)

    def with_key(self, key: str, since_s: float = 0.0) -> list[Asked]:
        """Return what was asked with `key`, and began after that moment."""
        return [asked for asked in self.asked if asked.key == key and asked.began_s > since_s]


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server with several processes where there can be several."""
    count = WORKERS if database_url.startswith("postgresql") else 1
    environ = {"RATE_LIMIT_PER_MINUTE": "0", "DATABASE_URL": database_url}
    with running_server(tmp_path / "home", count, **environ) as running:
        wait_for_all(running)
        yield running


def made(server: Server) -> tuple[str, str]:
    """Make a key; return its id and its token."""
    new = good(server.request("POST", "/v1/keys", key=ADMIN_API_KEY, json={"scope": "api"}), 201)
    return new["key"]["keyId"], new["token"]


def revoke_by_request(server: Server, key_id: str) -> None:
    good(server.request("POST", f"/v1/keys/{key_id}/revoke", key=ADMIN_API_KEY, json={}))


def revoke_by_command(server: Server, key_id: str) -> None:
    done = server.command("keys", "revoke", "api", key_id)
    assert done.returncode == 0, done.stderr


def rotate_by_request(server: Server, key_id: str) -> None:
    path = f"/v1/keys/{key_id}/rotate"
    good(server.request("POST", path, key=ADMIN_API_KEY, json={"overlapDays": 0}), 201)


@pytest.mark.parametrize(
    ("end", "rounds"),
    [(revoke_by_request, ROUNDS), (revoke_by_command, 2), (rotate_by_request, 3)],
    ids=["request", "command", "rotation"],
)
def test_nobody_gets_in_once_it_is_answered(
    workers: Server, end: Callable[[Server, str], None], rounds: int, is_drill: bool
) -> None:
    if is_drill:
        rounds = DRILL_ROUNDS
    ended: dict[str, float] = {}
    key_id, token = made(workers)
    with Askers(workers, token).running() as askers:
        if workers.environ["DATABASE_URL"].startswith("postgresql"):
            until(lambda: all(connections_of(workers).values()))
        for _ in range(rounds):
            askers.ask_on(token, CLIENTS)
            end(workers, key_id)
            ended[token] = time.monotonic()
            askers.ask_on(token, AFTERWARDS)
            key_id, token = made(workers)
            askers.key = token
    for key, ended_s in ended.items():
        assert {asked.status for asked in askers.with_key(key)} == {200, 201, 401}
        assert {asked.status for asked in askers.with_key(key, ended_s)} == {401}


@POSTGRESQL_ONLY
def test_worker_that_is_frozen_meanwhile_refuses_when_it_goes_on(workers: Server) -> None:
    """It says nothing, and looks at nothing: the keys that it has hold a few seconds only."""
    key_id, token = made(workers)
    frozen = min(serving(workers))
    others = serving(workers) - {frozen}
    with httpx.Client(base_url=workers.url, trust_env=False, timeout=60) as client:
        stop(others)
        ask(client, token, 200)  # a connection of that worker's
        stop({frozen})
        go_on(others)
        revoke_by_request(workers, key_id)
        stop(others)
        go_on({frozen})
        ask(client, token, 401)
        go_on(others)


def ask(client: httpx.Client, token: str, status: int) -> Any:
    answer = client.get("/v1/estimate?limit=1", headers={"X-API-Key": token})
    assert answer.status_code == status


def stop(processes: set[int]) -> None:
    for process in processes:
        os.kill(process, signal.SIGSTOP)


def go_on(processes: set[int]) -> None:
    for process in processes:
        os.kill(process, signal.SIGCONT)
