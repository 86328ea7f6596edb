"""`kis-backend stop`: it ends the server of this home, and no other process."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from kis.serving.pid_file import pid_file
from tests.integration.program import PROGRAM, Program, is_clear
from tests.services import Server, board, running_server, settings_in


@pytest.fixture
def program(server: Server) -> Program:
    return Program(server.home, PORT=str(server.port))


def test_a_server_ends_well(server: Server, program: Program) -> None:
    done = program.run("stop")
    assert (done.returncode, server.process.wait(1)) == (0, 0)
    assert is_clear(done)
    assert program.json("stop") == {"outcome": "not running"}


def test_a_server_that_hangs_is_killed(server: Server, program: Program) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    assert program.json("stop", "--patience", "1") == {"outcome": "killed"}
    assert server.process.wait(1) == -signal.SIGKILL


@pytest.mark.parametrize("written", ["-1\n", "1\n", "no number\n"])
def test_the_file_may_say_what_it_likes(server: Server, program: Program, written: str) -> None:
    """The system knows who has it; nobody else is ended."""
    settings = settings_in(server.home, PORT=str(server.port))
    pid_file(settings).write_text(written)
    assert program.json("stop") == {"outcome": "ended"}
    assert server.process.wait(1) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a PID namespace")
def test_a_server_of_another_container_is_left_alone(server: Server, program: Program) -> None:
    inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", PROGRAM, "stop"]
    done = subprocess.run(
        inside, env=program.environ, check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, "another container" in done.stderr) == (1, True)
    assert server.request("GET", "/livez").status_code == 200


def test_a_file_of_a_killed_server_names_nobody(server: Server, program: Program) -> None:
    settings = settings_in(server.home, PORT=str(server.port))
    server.process.kill()
    server.process.wait(5)
    # As if another process had got its id meanwhile.
    pid_file(settings).write_text(f"{os.getpid()}\n")
    assert program.json("stop") == {"outcome": "not running"}


def test_where_nothing_was_started_there_is_nothing_to_end(tmp_path: Path) -> None:
    assert Program(tmp_path).json("stop") == {"outcome": "not running"}


def test_a_server_at_another_port_is_told_of(server: Server, program: Program) -> None:
    """The port may have been given to `serve` alone."""
    elsewhere = Program(server.home)
    done = elsewhere.run("stop")
    assert (done.returncode, f"PORT={server.port} kis-backend stop" in done.stderr) == (1, True)
    assert server.process.poll() is None
    program.run("stop")
    assert elsewhere.json("stop") == {"outcome": "not running"}


def test_it_can_start_again(tmp_path: Path) -> None:
    for _ in range(2):
        with running_server(tmp_path / "home") as server:
            assert server.request("POST", "/v1/estimate/create", json=board()).status_code == 201
            Program(server.home, PORT=str(server.port)).run("stop")
