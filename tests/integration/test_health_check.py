"""`kis-backend health-check` beside a server, and where there is none."""

import os
import signal
from pathlib import Path

from tests.integration.lifecycle import estimate, good
from tests.integration.program import Program, is_clear
from tests.services import Server, board

DISK_NEVER_FULL = {"ALERT_DISK_PERCENT": "100"}


def states_of(program: Program, code: int) -> dict[str, str]:
    checks = program.json("health-check", code=code, **DISK_NEVER_FULL)["checks"]
    return {each["check"]: each["state"] for each in checks}


def beside(server: Server) -> Program:
    return Program(server.home, PORT=str(server.port), DATABASE_URL=server.environ["DATABASE_URL"])


def test_nothing_installed(tmp_path: Path) -> None:
    done = Program(tmp_path / "home").run("health-check")
    assert done.returncode == 2
    assert is_clear(done)
    assert not (tmp_path / "home").exists()


def test_running_server_that_was_never_backed_up(server: Server) -> None:
    good(estimate(server, board()), 201)
    program = beside(server)
    assert states_of(program, 1) == {
        "api": "ok", "knowledge": "ok", "disk": "ok", "database": "ok", "backup": "warning",
        "errors": "ok",
    }  # fmt: skip
    lines = program.run("health-check", **DISK_NEVER_FULL).stdout.splitlines()
    assert [line.split()[2] for line in lines] == [
        "api", "knowledge", "disk", "database", "backup", "errors",
    ]  # fmt: skip
    assert all(" / " in line for line in lines)


def test_hung_server_is_down(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    states = states_of(beside(server), 2)
    assert (states["api"], states["knowledge"]) == ("critical", "unknown")


def test_server_that_has_ended_is_down(server: Server) -> None:
    server.stop()
    assert states_of(beside(server), 2)["api"] == "critical"
