"""`kis-backend db migrate` and `db check`, and a copy whose database goes away or fills up."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good
from tests.integration.moves import Installation, end_of, installed, query
from tests.integration.program import PROGRAM, Program, is_clear
from tests.integration.test_db_copy import MANY_ENTRIES, has_rows
from tests.postgres import PostgresServer
from tests.services import Server, board

LARGEST_FILE_KB = 1_500


@pytest.fixture
def program(tmp_path: Path, database_url: str) -> Program:
    return Program(tmp_path / "home", DATABASE_URL=database_url)


def test_migrate_says_from_where_to_where(program: Program) -> None:
    assert program.json("db", "migrate") == {"from": None, "to": "0001"}
    assert program.json("db", "migrate") == {"from": "0001", "to": "0001"}
    assert "0001" in program.run("db", "migrate").stdout


@SQLITE_ONLY  # a server lets any number of processes write
def test_migrate_beside_a_server(server: Server) -> None:
    done = Program(server.home).run("db", "migrate")
    assert (done.returncode, done.stdout) == (1, "")
    assert is_clear(done)
    assert server.url in done.stderr


def test_check_beside_a_server(server: Server) -> None:
    good(estimate(server, board()), 201)
    done = server.command("db", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 verified: 1 valid, 0 not" in done.stdout
    assert done.stderr == ""


def test_check_finds_what_was_forged(program: Program, database_url: str) -> None:
    installed(program.home, database_url)
    assert all(checkup["isGood"] for checkup in program.json("db", "check"))
    query(database_url, "UPDATE evidence SET rows = '{}'")
    done = program.run("db", "check", "--evidence", "2", "--workers", "1")
    assert done.returncode == 1
    assert is_clear(done)
    assert done.stdout.count("문제 evidence") == 3
    wrong = program.run("db", "check", "--evidence", "many")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert is_clear(wrong)


# --- a copy whose database goes away -----------------------------------------------------


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    home = tmp_path / "home"
    made = installed(home, f"sqlite:///{home}/data/kis.db", estimates=1)
    query(made.url, MANY_ENTRIES)
    return made


@pytest.fixture
def lost() -> Iterator[PostgresServer]:
    """A server of its own, to be killed."""
    server = PostgresServer()
    server.execute("CREATE DATABASE kis")
    yield server
    server.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(installation: Installation, tmp_path: Path, number: int) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    met = partial(has_rows, target, "knowledge_document")
    ended = end_of(installation, target, met, number)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert is_clear(ended)
    assert "goes on from there" in ended.stderr
    assert installation.report(target)["complete"]


def test_server_gone_half_way(installation: Installation, lost: PostgresServer) -> None:
    target = lost.url("kis")
    ended = end_of(installation, target, partial(has_rows, target, "audit_entry"), lost.kill)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert is_clear(ended)
    assert "goes on from there" in ended.stderr
    lost.start()
    assert has_rows(target, "audit_entry")
    assert installation.report(target)["complete"]


def test_disk_full(installation: Installation, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    command = f'"{PROGRAM}" db copy --from "{installation.url}" --to "{target}"'
    done = installation.program.shell(f"ulimit -f {LARGEST_FILE_KB}; {command}")
    assert (done.returncode, done.stdout) == (1, "")
    assert is_clear(done)
    assert "goes on from there" in done.stderr
    assert installation.report(target)["complete"]
