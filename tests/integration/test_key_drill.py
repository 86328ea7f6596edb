"""Keys are rotated while everybody works, and while the process is killed."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.access.keys import Scope, key_id_for
from tests import sql
from tests.integration.lifecycle import good
from tests.integration.program import TIMEOUT_S, until
from tests.integration.traffic import Traffic
from tests.services import ADMIN_API_KEY, API_KEY, Server, board, running_server

ROUNDS, DRILL_ROUNDS = 8, 40
CLIENTS, PAUSE_S = 5, 0.04
"""About a hundred requests a second."""
CUTS, DRILL_CUTS = 4, 50
"""On each kind of database."""
MAX_ACKNOWLEDGED = 10
ROTATION_S = 0.01
API_ID, ADMIN_ID = key_id_for(Scope.API, API_KEY), key_id_for(Scope.ADMIN, ADMIN_API_KEY)


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server with two processes where there can be two."""
    count = 2 if database_url.startswith("postgresql") else 1
    environ = {"RATE_LIMIT_PER_MINUTE": "0", "DATABASE_URL": database_url}
    with running_server(tmp_path / "home", count, **environ) as running:
        yield running


def rotate(server: Server, key_id: str, key: str = ADMIN_API_KEY, **order: Any) -> Any:
    return good(server.request("POST", f"/v1/keys/{key_id}/rotate", key=key, json=order), 201)


def listed(server: Server, key: str = ADMIN_API_KEY) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = good(server.request("GET", "/v1/keys", key=key))
    return found


def current(keys: list[dict[str, Any]]) -> str:
    (key_id,) = [key["keyId"] for key in keys if key["state"] == "current"]
    return str(key_id)


class Holders:
    """The newest keys, as they are handed out: to an operator, and to clients."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ids = {"api": API_ID, "admin": ADMIN_ID}
        self.tokens = {"api": API_KEY, "admin": ADMIN_API_KEY}

    def rotate(self, scope: str) -> None:
        made = rotate(self._server, self._ids[scope], self.tokens["admin"])
        self._ids[scope], self.tokens[scope] = made["key"]["keyId"], made["token"]

    def rotate_evidence(self) -> None:
        admin = self.tokens["admin"]
        rotate(self._server, current(listed(self._server, admin)), admin)


def test_rotations_while_everybody_works(workers: Server, is_drill: bool) -> None:
    """A new key is used on the very next request, at any worker; the old ones go on."""
    rounds = DRILL_ROUNDS if is_drill else ROUNDS
    holders = Holders(workers)
    traffic = Traffic(workers, CLIENTS, board(), key=lambda: holders.tokens["api"], pause_s=PAUSE_S)
    old = Traffic(workers, 1, board(), pause_s=PAUSE_S)
    unverified = []
    with traffic.running(), old.running():
        for number in range(rounds):
            holders.rotate("admin" if number % 4 == 3 else "api")
            holders.rotate_evidence()
            # What some worker sealed with a key that another one has just made.
            unverified += unverifiable(workers, [a.body["id"] for a in traffic.answers[-3:]])
    assert traffic.failed() + old.failed() == []
    answers = traffic.answers + old.answers
    assert unverified + unverifiable(workers, [answer.body["id"] for answer in answers]) == []
    assert len({key["keyId"] for key in listed(workers, holders.tokens["admin"])}) == 3 + 2 * rounds


def test_revoked_and_ended_keys_are_refused_by_every_worker(workers: Server) -> None:
    """Nobody has to restart; the worker that did it refuses on the very next request."""
    second = rotate(workers, API_ID)
    third = rotate(workers, second["key"]["keyId"], overlapDays=0)
    path = f"/v1/keys/{third['key']['keyId']}/revoke"
    good(workers.request("POST", path, key=ADMIN_API_KEY, json={}))
    for token in (second["token"], third["token"]):
        until(partial(all_refuse, workers, token))
    assert not refuses(workers, API_KEY)


def all_refuse(server: Server, token: str) -> bool:
    return all(refuses(server, token) for _ in range(20))


def refuses(server: Server, token: str) -> bool:
    """Whether whichever worker takes a new connection refuses the key."""
    status = server.request("GET", "/v1/estimate?limit=1", key=token).status_code
    assert status in (200, 401)
    return status == 401


def unverifiable(server: Server, ids: list[str]) -> list[Any]:
    """Return what is said of packages that do not verify."""
    said = []
    with httpx.Client(
        base_url=server.url, headers={"X-API-Key": API_KEY}, trust_env=False, timeout=60
    ) as client:
        for estimate_id in ids:
            package = good(client.get(f"/v1/evidence/{estimate_id}"))
            result = good(client.post("/v1/evidence/verify", json=package))
            if not result["valid"]:
                said.append(result["reason"])
    return said


# --- kill -9 -----------------------------------------------------------------------------


class Rotations:
    """Rotates one key after the other until the server is gone; knows what was shown."""

    def __init__(self, server: Server, acknowledged: int) -> None:
        """Prepare; `enough` is set once so many rotations were acknowledged."""
        self.shown: list[str] = []
        self.enough = threading.Event()
        self._server = server
        self._left = acknowledged
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Wait for the end, as the server is gone."""
        self._thread.join()

    def _run(self) -> None:
        with suppress(httpx.TransportError):
            key_id = API_ID
            while True:
                self._count()
                made = rotate(self._server, key_id, overlapDays=90)
                key_id = made["key"]["keyId"]
                self.shown.append(made["token"])
                self._count()
                rotate(self._server, current(listed(self._server)))

    def _count(self) -> None:
        if self._left == 0:
            self.enough.set()
        self._left -= 1


def test_killed_during_rotations(tmp_path: Path, database_url: str, is_drill: bool) -> None:
    """Whatever was shown opens, whatever was sealed verifies, and there is no half of a key."""
    chance = random.Random(42)  # noqa: S311 - so that a failure can be repeated
    home, environ = tmp_path / "home", {"RATE_LIMIT_PER_MINUTE": "0", "DATABASE_URL": database_url}
    shown: list[str] = []
    estimates: list[str] = []
    for _ in range(DRILL_CUTS if is_drill else CUTS):
        with running_server(home, **environ) as server:
            require_whole_keys(server)
            require_open(server, shown[-MAX_ACKNOWLEDGED:])
            answer = good(server.request("POST", "/v1/estimate/create", json=board()), 201)
            estimates.append(answer["id"])
            rotations = Rotations(server, chance.randrange(1, MAX_ACKNOWLEDGED))
            rotations.begin()
            assert rotations.enough.wait(TIMEOUT_S)
            time.sleep(chance.uniform(0, ROTATION_S))
            server.kill()
            rotations.end()
        shown += rotations.shown
    with running_server(home, **environ) as server:
        require_whole_keys(server)
        require_open(server, shown)
        assert unverifiable(server, estimates) == []
    assert shown


def require_open(server: Server, tokens: list[str]) -> None:
    for token in tokens:
        good(server.request("GET", "/v1/estimate?limit=1", key=token))


def require_whole_keys(server: Server) -> None:
    """Check that each rotation left its key and its audit entry, and ended the key before."""
    keys = listed(server)
    current(keys)
    made = [key for key in keys if key["holder"] == "api-env" and key["source"] == "database"]
    sealed = [key for key in keys if key["scope"] == "evidence"]
    assert audited(server, "key.rotate") == len(made)
    assert audited(server, "evidence_key.rotate") == len(sealed) - 1
    (given,) = [key for key in keys if key["keyId"] == API_ID]
    assert given["state"] == ("ending" if made else "active")


def audited(server: Server, action: str) -> int:
    query = "SELECT count(*) FROM audit_entry WHERE action = ?"
    ((count,),) = sql.run(server.home, query, [action])
    assert isinstance(count, int)
    return count
