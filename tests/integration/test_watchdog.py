"""What systemd hears of a server, and what becomes of one whose event loop is blocked."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kis.ops.watch.pulse import EVERY_S
from kis.serving.workers import BLOCKED_AFTER_S
from tests.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.integration.lifecycle import estimate, good
from tests.integration.program import until
from tests.integration.test_workers import command_of, serving, wait_for_all
from tests.services import Server, board, running_server

BLOCKABLE = f"""
import signal, time
signal.signal({signal.SIGUSR2.value}, lambda *_: time.sleep(3600))
"""
"""What Python runs first, of a folder on its path: the signal blocks the main thread alone."""
NOTICED_WITHIN_S = 15
SILENCE_S = 3.0
FEW = 3
"""Words that may be on their way as the signal arrives."""
TIMEOUT_S = 60.0


class Systemd:
    """Reads what is told at its socket."""

    def __init__(self, path: str) -> None:
        """Listen at `path`."""
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)

    def next(self, within_s: float = TIMEOUT_S) -> str:
        """Return the next word; raises TimeoutError where there is none."""
        self._socket.settimeout(within_s)
        return self._socket.recv(100).decode()

    def until_silent(self, for_s: float = 0.01) -> list[str]:
        """Return what is told until nothing is for so long."""
        words = []
        try:
            while True:
                words.append(self.next(for_s))
        except TimeoutError:
            return words

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with TemporaryDirectory() as folder:  # a socket's path must be short
        listener = Systemd(f"{folder}/notify")
        yield listener
        listener.close()


@contextmanager
def watched(systemd: Systemd, home: Path, workers: int, database_url: str) -> Iterator[Server]:
    """Run a server as systemd would, whose event loops SIGUSR2 blocks."""
    (home.parent / "first").mkdir()
    (home.parent / "first" / "sitecustomize.py").write_text(BLOCKABLE)
    with running_server(
        home, workers, NOTIFY_SOCKET=systemd.path, PYTHONPATH=str(home.parent / "first"),
        DATABASE_URL=database_url,
    ) as server:  # fmt: skip
        yield server


@SQLITE_ONLY
def test_systemd_hears_that_it_is_ready_alive_and_ends(
    systemd: Systemd, tmp_path: Path, database_url: str
) -> None:
    with watched(systemd, tmp_path / "home", 1, database_url) as server:
        assert {systemd.next(), systemd.next()} == {"READY=1", "WATCHDOG=1"}
        assert [systemd.next() for _ in range(2)] == ["WATCHDOG=1"] * 2
        server.stop()
    words = systemd.until_silent()
    assert words.count("STOPPING=1") == 1
    assert "READY=1" not in words


@SQLITE_ONLY
def test_blocked_loop_is_silent(systemd: Systemd, tmp_path: Path, database_url: str) -> None:
    with watched(systemd, tmp_path / "home", 1, database_url) as server:
        assert {systemd.next(), systemd.next()} == {"READY=1", "WATCHDOG=1"}
        os.kill(server.process.pid, signal.SIGUSR2)
        assert len(systemd.until_silent(SILENCE_S)) < FEW


def test_worker_that_is_blocked_is_replaced_in_time() -> None:
    """The supervisor looks twice a second."""
    assert BLOCKED_AFTER_S + EVERY_S + 0.5 < NOTICED_WITHIN_S


@POSTGRESQL_ONLY
def test_worker_whose_loop_is_blocked_is_replaced(
    systemd: Systemd, tmp_path: Path, database_url: str
) -> None:
    with watched(systemd, tmp_path / "home", 2, database_url) as server:
        wait_for_all(server)
        blocked = min(serving(server))
        os.kill(blocked, signal.SIGUSR2)
        until(lambda: not command_of(blocked))
        until(lambda: len(serving(server)) == 2)
        good(estimate(server, board()), 201)
        log = (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")
        assert f"worker {blocked} is replaced" in log
        words = systemd.until_silent()  # it does not hold many
        server.stop()
    words += systemd.until_silent()
    assert (words.count("READY=1"), words.count("STOPPING=1")) == (1, 1)
    assert "WATCHDOG=1" in words
