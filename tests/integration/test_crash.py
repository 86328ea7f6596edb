"""What a power cut leaves behind: kill -9 in the midst of things, then a clean start."""

import random
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import httpx
import pytest

from kis.db.packing import unpack
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import (
    FIRST,
    activate,
    active_label,
    estimate,
    good,
    main_only,
    publish,
    roll_back,
    row,
    rows_of,
    stage,
    verify_evidence,
)
from tests.integration.program import PROGRAM, Program, until
from tests.services import API_KEY, Server, board, dumps, running_server

CUTS, DRILL_CUTS = 8, 50
CLIENTS = 4
TIMEOUT_S = 20


class Creating:
    """Clients that create estimates, each under a key of its own, until the server dies."""

    def __init__(self, server: Server, name: str) -> None:
        """Prepare; `begin` starts them."""
        self.acknowledged: dict[str, bytes] = {}
        self.unanswered: list[str] = []
        self.refused: list[tuple[str, int]] = []
        self.enough = threading.Event()
        self._enough_at = 0
        self._server = server
        self._threads = [
            threading.Thread(target=self._create, args=(f"{name}-{number}",))
            for number in range(CLIENTS)
        ]

    def begin(self, acknowledged: int) -> None:
        """Start; `enough` is set once so many were acknowledged."""
        self._enough_at = acknowledged
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait for the clients, whose server is gone."""
        for thread in self._threads:
            thread.join()

    def _create(self, name: str) -> None:
        headers = {"X-API-Key": API_KEY}
        with httpx.Client(
            base_url=self._server.url, headers=headers, trust_env=False, timeout=TIMEOUT_S
        ) as client:
            for number in range(100_000):
                key = f"{name}-{number}"
                try:
                    response = create(client, key)
                except httpx.TransportError:
                    self.unanswered.append(key)
                    return
                if response.status_code == httpx.codes.CREATED:
                    self.acknowledged[key] = response.content
                else:
                    self.refused.append((key, response.status_code))
                if len(self.acknowledged) >= self._enough_at:
                    self.enough.set()


def create(client: httpx.Client, key: str) -> httpx.Response:
    return client.post("/v1/estimate/create", json=board(), headers={"Idempotency-Key": key})


def by_key(home: Path) -> dict[str, str]:
    sql = "SELECT key, estimate_id FROM idempotency_record"
    return dict(rows_of(home, sql))


def test_nothing_acknowledged_is_lost_over_many_cuts(tmp_path: Path, is_drill: bool) -> None:
    home = tmp_path / "home"
    chance = random.Random(42)  # noqa: S311 - so that a failure can be repeated
    acknowledged: dict[str, bytes] = {}
    unanswered: list[str] = []
    for cut in range(DRILL_CUTS if is_drill else CUTS):
        with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server:
            retry(server, unanswered)
            creating = Creating(server, f"cut-{cut}")
            creating.begin(chance.randrange(1, 60))
            assert creating.enough.wait(TIMEOUT_S)
            server.process.send_signal(signal.SIGKILL)
            creating.end()
        assert creating.refused == []
        acknowledged |= creating.acknowledged
        unanswered = creating.unanswered
        assert unanswered
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server:
        retry(server, unanswered)
        check_all(server, acknowledged)


def retry(server: Server, keys: list[str]) -> None:
    """Send again what got no answer: it is created now, or was and is replayed. Never stuck."""
    before = by_key(server.home) if keys else {}
    with httpx.Client(
        base_url=server.url, headers={"X-API-Key": API_KEY}, trust_env=False, timeout=TIMEOUT_S
    ) as client:
        for key in keys:
            response = create(client, key)
            assert response.status_code == httpx.codes.CREATED, response.text
            was_stored = key in before
            assert ("idempotency-replayed" in response.headers) is was_stored
            if was_stored:
                assert response.json()["id"] == before[key]


def check_all(server: Server, acknowledged: dict[str, bytes]) -> None:
    """Each is there once, byte for byte, under its key, and its evidence verifies."""
    home = server.home
    assert len(acknowledged) > CUTS
    assert rows_of(home, "PRAGMA integrity_check") == [("ok",)]
    answers = dict(rows_of(home, "SELECT id, answer FROM Estimate"))
    keys = by_key(home)
    for key, answer in acknowledged.items():
        assert unpack(answers[keys[key]]) == answer
    ((estimates, keyed, evidence, audited),) = rows_of(
        home,
        "SELECT (SELECT count(*) FROM Estimate),"
        " (SELECT count(DISTINCT estimate_id) FROM idempotency_record),"
        " (SELECT count(*) FROM evidence e JOIN Estimate t ON t.id = e.estimate_id),"
        " (SELECT count(DISTINCT subject) FROM audit_entry WHERE action = 'estimate.create')",
    )
    assert estimates == keyed == evidence == audited
    for key in random.Random(7).sample(sorted(acknowledged), 25):  # noqa: S311 - a fixed sample
        assert verify_evidence(server, keys[key])["valid"]


# --- knowledge ---------------------------------------------------------------------------


def test_cut_while_versions_are_activated(tmp_path: Path) -> None:
    """Some version is active afterwards, and pointer, history and answers agree on it."""
    home = tmp_path / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server:
        publish(server, "v-a", row("T-100", width=90))
        stage(server, "v-b", row("T-100", width=95))
    for cut in range(6):
        with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server:
            check_active(server)
            if cut == 5:
                break
            with swapping(server) as begun:
                assert begun.wait(TIMEOUT_S)
                for _ in range(cut * 3):
                    estimate(server, main_only("T-100"))
                server.process.send_signal(signal.SIGKILL)


@contextmanager
def swapping(server: Server) -> Iterator[threading.Event]:
    """Activate and roll back without pause, until the server is gone."""
    begun = threading.Event()

    def swap() -> None:
        try:
            while True:
                if active_label(server) == "v-a":
                    good(activate(server, "v-b", runRegression=False))
                else:
                    good(roll_back(server, "v-a"))
                begun.set()
        except httpx.TransportError:
            return

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield begun
    finally:
        thread.join()


def check_active(server: Server) -> None:
    label = active_label(server)
    assert label in {"v-a", "v-b"}
    history = "SELECT label FROM knowledge_activation ORDER BY id DESC LIMIT 1"
    assert rows_of(server.home, history) == [(label,)]
    answer = good(estimate(server, main_only("T-100")), 201)
    assert answer["knowledgeVersion"] == label
    width = answer["layout"]["placements"][0]["w"]
    assert width == {"v-a": 90, "v-b": 95}[label]
    assert verify_evidence(server, answer["id"])["valid"]


# --- the first start ---------------------------------------------------------------------

STATES = ("kis-backend/.env", "data/kis.db", "data/kis.db-wal")


@pytest.mark.parametrize("state", STATES)
def test_cut_during_the_first_start(tmp_path: Path, state: str) -> None:
    """Killed as soon as this file is there; the next start completes what is missing."""
    home = tmp_path / "home"
    program = Program(home, API_KEY="", ADMIN_API_KEY="", EVIDENCE_SECRET="")
    process = subprocess.Popen(
        [PROGRAM, "serve"], env=program.environ, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until((home / state).exists)
    process.kill()
    process.wait(TIMEOUT_S)
    answer = program.json("estimate", "-", stdin=dumps(board()))
    assert answer["knowledgeVersion"] == FIRST
    counts = (
        "SELECT (SELECT count(*) FROM knowledge_version), (SELECT count(*) FROM golden_case),"
        " (SELECT count(*) FROM knowledge_activation), (SELECT count(*) FROM knowledge_pointer)"
    )
    assert rows_of(home, counts) == [(1, 3, 1, 1)]
    names = [line.partition("=")[0] for line in env_lines(home) if not line.startswith("#")]
    assert names == ["API_KEY", "ADMIN_API_KEY", "EVIDENCE_SECRET"]
    assert (home / "kis-backend" / ".env").stat().st_mode & 0o777 == 0o600


def test_stopped_during_the_first_start(tmp_path: Path) -> None:
    """A supervisor that changes its mind: no traceback, and the next start is clean."""
    home = tmp_path / "home"
    program = Program(home)
    process = subprocess.Popen(
        [PROGRAM, "serve"], env=program.environ, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    until((home / "data" / "kis.db").exists)
    process.terminate()
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert program.json("knowledge", "versions")[0]["label"] == FIRST


def env_lines(home: Path) -> list[str]:
    return (home / "kis-backend" / ".env").read_text(encoding="utf-8").splitlines()


# --- an orderly end ----------------------------------------------------------------------


class HalfSent:
    """A request whose body is not complete yet: one that is running."""

    def __init__(self, server: Server) -> None:
        """Send all but the last byte."""
        body = dumps(board()).encode()
        head = (
            f"POST /v1/estimate/create HTTP/1.1\r\nHost: kis\r\nX-API-Key: {API_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._last = body[-1:]
        self._socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        self._socket.sendall(head.encode() + body[:-1])

    def finish(self) -> bytes:
        """Send the last byte and return all that is answered."""
        self._socket.sendall(self._last)
        answer = b""
        while received := self._socket.recv(65_536):
            answer += received
        return answer

    def __enter__(self) -> Self:
        """Go on with the test while it runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._socket.close()


def test_sigterm_lets_running_requests_finish(server: Server) -> None:
    # A request that was answered shows that the first bytes of the other have arrived.
    with HalfSent(server) as running:
        good(estimate(server, board()), 201)
        server.process.send_signal(signal.SIGTERM)
        wait_until_closed(server)
        assert running.finish().startswith(b"HTTP/1.1 201 ")
    assert server.stop() == 0
    assert len(rows_of(server.home, "SELECT id FROM Estimate")) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_exit_code_of_an_orderly_end(server: Server, number: signal.Signals) -> None:
    server.process.send_signal(number)
    assert server.process.wait(TIMEOUT_S) == 0
    assert server.process.stdout is not None
    assert "Traceback" not in server.process.stdout.read().decode()
    assert "Traceback" not in (server.home / "logs" / "kis-backend.log").read_text()


@SQLITE_ONLY  # only a file is locked by its server
def test_next_server_waits_until_the_last_one_has_answered(server: Server) -> None:
    """The runbook's `pkill -f kis-backend`, and the next start on the very next line."""
    with HalfSent(server) as running:
        good(estimate(server, board()), 201)
        server.process.send_signal(signal.SIGTERM)
        wait_until_closed(server)
        with following(server) as process:
            wait_until_open(process, server.home / "data" / "kis.lock")
            assert running.finish().startswith(b"HTTP/1.1 201 ")
            assert server.stop() == 0
            wait_until_healthy(server.url)
            good(estimate(server, board()), 201)
            assert len(rows_of(server.home, "SELECT id FROM Estimate")) == 3


@contextmanager
def following(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Start another server on the same home and port."""
    process = subprocess.Popen(
        [PROGRAM, "serve"], env=server.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)


def wait_until_closed(server: Server) -> None:
    """Wait until the server takes no more connections: it has begun to end."""

    def is_closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S).close()
        except ConnectionError:
            return True
        return False

    until(is_closed)


def wait_until_open(process: subprocess.Popen[bytes], path: Path) -> None:
    """Wait until `process` has opened `path`."""

    def is_open() -> bool:
        # A descriptor may be closed again while it is looked at.
        with suppress(FileNotFoundError):
            descriptors = Path(f"/proc/{process.pid}/fd")
            return path in {link.readlink() for link in descriptors.iterdir()}
        return False

    until(is_open)
    assert process.poll() is None


def wait_until_healthy(url: str) -> None:
    def is_healthy() -> bool:
        try:
            return httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    until(is_healthy)
