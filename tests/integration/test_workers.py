"""Several processes on one port: `kis-backend serve --workers N`."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests import sql
from tests.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.integration.lifecycle import activate, estimate, good, main_only, publish, row, stage
from tests.integration.program import Program, is_clear, until
from tests.integration.test_disconnect import BODY, connect, head
from tests.integration.test_drain import is_listening, received
from tests.integration.traffic import Traffic
from tests.services import API_KEY, Server, board, running_server

WORKERS = 2
ESTABLISHED = "01"


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server of two processes."""
    with running_server(
        tmp_path / "home", WORKERS, RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as server:
        wait_for_all(server)
        yield server


def wait_for_all(server: Server) -> None:
    """Wait until it says that it is ready: one worker answers before the others."""
    assert server.process.stdout is not None
    assert b"KIS http" in server.process.stdout.readline()


def serving(server: Server) -> set[int]:
    """Return the ids of the worker processes, without the supervisor's and its helper's."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return {pid for pid in map(int, children.split()) if b"spawn_main" in command_of(pid)}


def command_of(pid: int) -> bytes:
    """Return the command line of a process; empty when it has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def connections_of(server: Server) -> dict[int, int]:
    """Return how many clients' connections each worker has."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {
        f"socket:[{line[9]}]"
        for line in lines
        if int(line[1].split(":")[1], 16) == server.port and line[3] == ESTABLISHED
    }
    return {pid: len(ours & open_files_of(pid)) for pid in serving(server)}


def open_files_of(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found.add(str(link.readlink()))
    return found


def acknowledged(answer: httpx.Response) -> set[int]:
    """Return the process ids of the workers that have the new version."""
    said = good(answer)["workers"]
    assert all(worker["problem"] == "" for worker in said)
    return {int(w["worker"].split(":")[1]) for w in said if w["state"] == "acknowledged"}


@SQLITE_ONLY
def test_a_file_takes_one_process(tmp_path: Path, database_url: str) -> None:
    done = Program(tmp_path / "home", DATABASE_URL=database_url).run("serve", "--workers", "2")
    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr
    assert is_clear(done)


@POSTGRESQL_ONLY
def test_a_database_that_cannot_be_used_is_told_before_any_worker_starts(
    tmp_path: Path, database_url: str
) -> None:
    nowhere = f"{database_url}_not_there"
    done = Program(tmp_path / "home", DATABASE_URL=nowhere).run("serve", "--workers", "2")
    assert done.returncode == 2
    assert is_clear(done)
    assert "not_there" in done.stderr


@POSTGRESQL_ONLY
def test_worker_that_cannot_start_ends_the_server(tmp_path: Path, database_url: str) -> None:
    with running_server(tmp_path / "home", DATABASE_URL=database_url) as server:
        server.stop()
    sql.run(tmp_path / "home", "UPDATE knowledge_document SET content = 'damaged'")
    done = Program(tmp_path / "home", DATABASE_URL=database_url).run("serve", "--workers", "2")
    assert done.returncode == 2
    assert is_clear(done)
    assert "kis-backend.log" in done.stderr
    # Neither is tried again and again, however long the supervisor took to look.
    log = (tmp_path / "home" / "logs" / "kis-backend.log").read_text(encoding="utf-8")
    assert log.count("is replaced") <= 2


@POSTGRESQL_ONLY
def test_every_worker_has_a_version_once_it_is_activated(workers: Server) -> None:
    stage(workers, "v-a", row("T-100", width=90))
    assert acknowledged(activate(workers, "v-a")) == serving(workers)
    for _ in range(4 * WORKERS):
        answer = good(estimate(workers, main_only("T-100")), 201)
        assert answer["knowledgeVersion"] == "v-a"


@POSTGRESQL_ONLY
def test_clients_that_came_at_once_are_spread(workers: Server) -> None:
    """And stay served: a worker takes all that come at once, but does not keep them."""
    with Traffic(workers, 8, board()).running() as traffic:
        until(lambda: all(connections_of(workers).values()))
    assert traffic.failed() == []


@POSTGRESQL_ONLY
def test_killed_worker_is_replaced(workers: Server) -> None:
    publish(workers, "v-a", row("T-100", width=90))
    stage(workers, "v-b", row("T-100", width=95))
    before = serving(workers)
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(serving(workers) - {killed}) == WORKERS)
    said = acknowledged(activate(workers, "v-b"))
    assert before - {killed} <= said
    assert killed not in said
    for _ in range(4 * WORKERS):
        good(estimate(workers, main_only("T-100")), 201)


@POSTGRESQL_ONLY
def test_hung_worker_is_replaced(workers: Server) -> None:
    hung = min(serving(workers))
    os.kill(hung, signal.SIGSTOP)
    until(lambda: not command_of(hung))
    until(lambda: len(serving(workers)) == WORKERS)
    good(estimate(workers, board()), 201)


@POSTGRESQL_ONLY
def test_restart_of_all_workers_refuses_nobody(workers: Server) -> None:
    """At most a connection is closed as its next request arrives, which was not begun then."""
    before = serving(workers)
    traffic = Traffic(workers, 4, board())
    with traffic.running():
        workers.process.send_signal(signal.SIGHUP)
        until(lambda: not serving(workers) & before)
    # An end that is read before the request is sent, or a reset that is read after it.
    closed = [
        f for f in traffic.failed() if isinstance(f, httpx.RemoteProtocolError | httpx.ReadError)
    ]
    assert traffic.failed() == closed
    assert len(closed) <= 4
    answered = {answer.body["id"] for answer in traffic.answers}
    stored = sql.run(workers.home, "SELECT id FROM Estimate")
    assert answered == {name for (name,) in stored}
    assert len(serving(workers)) == WORKERS


@POSTGRESQL_ONLY
def test_stopping_ends_all_of_them(workers: Server) -> None:
    pids = serving(workers)
    assert workers.stop() == 0
    assert not any(command_of(pid) for pid in pids)


@POSTGRESQL_ONLY
def test_nobody_is_let_in_while_the_last_requests_are_answered(workers: Server) -> None:
    """Who connects is refused at once: nobody would take the connection any more."""
    with connect(workers) as slow:
        slow.sendall(head("k-slow") + BODY[:-1])
        until(lambda: sum(connections_of(workers).values()) == 1)
        workers.process.send_signal(signal.SIGTERM)
        until(lambda: not is_listening(workers))
        slow.sendall(BODY[-1:])
        assert received(slow).startswith(b"HTTP/1.1 201 ")
    assert workers.stop() == 0


@POSTGRESQL_ONLY
def test_no_worker_outlives_a_killed_supervisor(workers: Server) -> None:
    pids = serving(workers)
    workers.kill()
    until(lambda: not any(command_of(pid) for pid in pids))


@POSTGRESQL_ONLY
def test_workers_share_one_rate_limit(tmp_path: Path, database_url: str) -> None:
    """Within 1 %: what a bucket holds, and what refills while it is used."""
    limit, seconds, processes = 1_000, 3, 4
    with running_server(
        tmp_path / "home", processes, RATE_LIMIT_PER_MINUTE=str(limit),
        DATABASE_URL=database_url,
    ) as server:  # fmt: skip
        statuses: Counter[int] = Counter()
        began = time.monotonic()
        threads = [
            threading.Thread(target=ask_until, args=(server, began + seconds, statuses))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed_s = time.monotonic() - began
    assert set(statuses) == {200, 429}
    assert statuses[200] == pytest.approx(limit * (1 + elapsed_s / 60), rel=0.01)


def ask_until(server: Server, end: float, statuses: Counter[int]) -> None:
    """Ask for the list of estimates until that moment, or as long as the bucket is not empty."""
    with httpx.Client(headers={"X-API-Key": API_KEY}, trust_env=False) as client:
        mine: Counter[int] = Counter()
        while time.monotonic() < end or not mine[429]:
            mine[client.get(f"{server.url}/v1/estimate?limit=1").status_code] += 1
    statuses.update(mine)
