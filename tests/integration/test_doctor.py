"""`kis-backend doctor`, and what the other commands say of what it finds."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kis.access.keys import Scope, key_id_for
from kis.ops.doctor import DISK_FREE_LEAST
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good
from tests.integration.program import Program, is_clear
from tests.services import API_KEY, Server, board, dumps

OVERWRITTEN = slice(4096, 4096 * 9)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program on a home where it was used once."""
    program = Program(tmp_path / "home", API_KEY="")
    program.json("estimate", "-", stdin=dumps(board()))
    return program


def examine(program: Program) -> dict[str, bool]:
    """Return what is good and what is not; the exit code must say the same."""
    done = program.run("doctor", "--json")
    checkups: list[dict[str, Any]] = program.json("doctor", code=done.returncode)
    assert done.returncode == int(not all(checkup["isGood"] for checkup in checkups))
    # How full the disk of the tests is, nobody knows.
    usage = shutil.disk_usage(program.home)
    found = {checkup["what"]: checkup["isGood"] for checkup in checkups}
    assert found.pop("disk") is (usage.free / usage.total >= DISK_FREE_LEAST)
    return found


GOOD = {"program": True, "secrets": True, "keys": True, "database": True, "storedKeys": True}


def test_sound_home(program: Program) -> None:
    assert examine(program) == GOOD
    assert "OK   database" in program.run("doctor").stdout


def test_secrets_that_others_can_read_are_told_and_left_as_they_are(program: Program) -> None:
    env_file = program.home / "kis-backend" / ".env"
    env_file.chmod(0o644)
    assert examine(program) == {**GOOD, "secrets": False}
    done = program.run("doctor")
    assert done.returncode == 1
    assert is_clear(done)
    assert "644" in done.stdout
    assert env_file.stat().st_mode & 0o777 == 0o644


def test_damaged_database(program: Program) -> None:
    path = program.home / "data" / "kis.db"
    raw = bytearray(path.read_bytes())
    raw[OVERWRITTEN] = b"\xa5" * (OVERWRITTEN.stop - OVERWRITTEN.start)
    path.write_bytes(raw)
    found = examine(program)
    assert found == {what: what != "database" for what in GOOD if what != "storedKeys"}
    for command in (("serve",), ("estimate", "-"), ("knowledge", "versions")):
        done = program.run(*command, stdin=dumps(board()))
        assert (done.returncode, done.stdout) == (2, "")
        assert is_clear(done)
        assert "doctor" in done.stderr
    assert path.read_bytes() == raw


@pytest.mark.parametrize("content", ["cast(substr(content, 3) AS TEXT)", "'text'", "x'789c00'"])
def test_damaged_knowledge_is_told_by_name_and_not_by_its_bytes(
    program: Program, content: str
) -> None:
    with closing(sqlite3.connect(program.home / "data" / "kis.db")) as connection:
        connection.execute(f"UPDATE knowledge_document SET content = {content}")
        connection.commit()
    for command in (("doctor",), ("estimate", "-"), ("knowledge", "versions")):
        done = program.run(*command, stdin=dumps(board()))
        shown = done.stdout + done.stderr
        assert done.returncode in (1, 2)
        assert is_clear(done)
        assert re.search(r"knowledge document [0-9a-f]{64} cannot be unpacked", shown), shown
        assert shown.replace("\n", "").isprintable()


def test_home_that_is_not_there(tmp_path: Path) -> None:
    done = Program(tmp_path / "nowhere").run("doctor")
    assert (done.returncode, done.stdout) == (1, "")
    assert is_clear(done)
    assert not (tmp_path / "nowhere").exists()


@SQLITE_ONLY  # only a file is locked by its server
def test_beside_a_running_server(server: Server) -> None:
    good(estimate(server, board()), 201)
    assert examine(Program(server.home)) == GOOD
    assert "서버가 쓰고 있습니다" in Program(server.home).run("doctor").stdout


@SQLITE_ONLY  # only a file is locked by its server
def test_key_of_the_env_that_was_revoked_beside_a_running_server(server: Server) -> None:
    """All commands are refused then: they are told where to look."""
    key_id = key_id_for(Scope.API, API_KEY)
    assert server.command("keys", "revoke", "api", key_id).returncode == 0
    refused = server.command("estimate", "-", stdin=dumps(board()))
    assert (refused.returncode, ".env" in refused.stderr) == (1, True)
    assert examine(Program(server.home)) == {**GOOD, "storedKeys": False}
