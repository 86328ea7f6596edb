"""A disk that is full: refused in words, and gone on with by itself once there is room."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lifecycle import estimate, good
from tests.power.load import committed_in
from tests.services import ADMIN_API_KEY, Server, board, running_server

LONG_S = 60
MOST = 3_000
ENOUGH_MIB = 128


def mount(folder: Path, mib: int, *options: str) -> bool:
    """Mount a disk of our own, which has so much room; whether this machine lets us."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join((f"size={mib}m", *options)), "none", folder],
        check=False, capture_output=True,
    )  # fmt: skip
    return not done.returncode


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Callable[[], None]]:
    """Make `folder` a disk with little room; yield what gives it more."""
    folder.mkdir()
    if os.geteuid() != 0 or not mount(folder, mib):
        pytest.skip("it takes root to mount a small disk")
    try:
        yield lambda: _require(mount(folder, ENOUGH_MIB, "remount"))
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _require(done: bool) -> None:
    assert done


def until(is_met: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG_S
    while not is_met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def journal_of(server: Server) -> Any:
    return good(server.request("GET", "/v1/journal", key=ADMIN_API_KEY))


def health_of(server: Server) -> Any:
    return good(server.request("GET", "/health", key=None))


def require_degraded(server: Server) -> None:
    """What is known can be had, nothing is stored; whoever asks is told why, and goes on asking."""
    for _ in range(3):
        health = health_of(server)
        assert (health["status"], health["totalRows"]) == ("degraded", 108)
        assert list(health) == [
            "status", "timestamp", "uptime", "knowledgeVersion", "activeTables", "totalRows",
            "reasons",
        ]  # fmt: skip
        (reason,) = health["reasons"]
        assert "디스크가 가득" in reason
        assert good(server.request("GET", "/readyz", key=None)) == {
            "ready": True, "reasons": [reason]
        }  # fmt: skip
        time.sleep(1)
    found = json.loads(server.command("health-check", "--json").stdout)
    (api,) = [each for each in found["checks"] if each["check"] == "api"]
    assert (api["state"], "디스크가 가득" in api["ko"]) == ("warning", True)


def test_the_disk_of_everything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    acknowledged = set()
    with small_disk(home, 16) as give_room, running_server(home) as server:
        for _ in range(MOST):
            response = estimate(server, board())
            if response.status_code != 201:
                break
            acknowledged.add(response.json()["id"])
        assert response.status_code in (503, 507), response.text
        assert response.json()["code"] in ("NOT_READY", "DISK_FULL")
        assert server.request("GET", "/livez").status_code == 200
        require_degraded(server)
        for number in sorted(acknowledged)[:5]:
            good(server.request("GET", f"/v1/estimate/{number}"))
        give_room()
        until(lambda: health_of(server)["status"] == "healthy")  # though nobody estimates
        assert "reasons" not in health_of(server)
        until(lambda: estimate(server, board()).status_code == 201)
        acknowledged |= {good(estimate(server, board()), 201)["id"] for _ in range(20)}
        until(lambda: not journal_of(server)["trouble"] and journal_of(server)["spans"])
        assert server.stop() == 0
        assert acknowledged <= set(committed_in(home / "data" / "kis.db"))


def test_the_disk_of_the_journal(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "other-disk"
    with (
        small_disk(folder, 4) as give_room,
        running_server(home, JOURNAL_DIR=str(folder), RATE_LIMIT_PER_MINUTE="0") as server,
    ):
        for _ in range(MOST):
            good(estimate(server, board()), 201)
            if (folder_is_full := room_in(folder) < 100_000) and journal_of(server)["trouble"]:
                break
        assert folder_is_full
        for _ in range(50):
            good(estimate(server, board()), 201)
        give_room()
        until(lambda: not journal_of(server)["trouble"] and journal_of(server)["spans"])
        last = good(estimate(server, board()), 201)["id"]
        assert server.stop() == 0
        assert last in committed_in(home / "data" / "kis.db")
    log = (home / "logs" / "kis-backend.log").read_text(encoding="utf-8")
    assert log.count("the journal cannot be written") == 1
    assert log.count("the journal is written again") == 1


def room_in(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
