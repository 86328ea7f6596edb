"""Backups of a running service: by HTTP, by the command, and as the runbook unpacks them."""

import json
import os
import pwd
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.backends import BACKENDS, SQLITE_ONLY, new_database, own_programs
from tests.integration.key_calls import ADMIN_ID
from tests.integration.lifecycle import audit_of, estimate, good, refused
from tests.integration.program import Program, until
from tests.integration.traffic import Traffic
from tests.services import Client, Server, board, running_server

__all__ = ["own_programs"]

BACKUPS = "/v1/backups"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, database_file: Path) -> str:
    """The address of an empty database; of PostgreSQL with the programs of its version."""
    if request.param == "postgresql":
        request.getfixturevalue("own_programs")
    return new_database(request.param, database_file, request)


def back_up(client: Client) -> Any:
    return good(client.admin("POST", BACKUPS), 201)


def stored_ids(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM Estimate")}


def test_it_is_for_administrators(client: Client) -> None:
    refused(client.post(BACKUPS, {}), 403, "FORBIDDEN")
    refused(client.get(BACKUPS), 403, "FORBIDDEN")
    assert good(client.admin("GET", BACKUPS)) == []


@SQLITE_ONLY  # of the file
def test_back_up_now(client: Client) -> None:
    good(estimate(client, board()), 201)
    made = back_up(client)
    assert made["isLatest"]
    assert made["manifest"]["contents"]["rows"]["Estimate"] == 1
    assert made["manifest"]["contents"]["evidence"] == {"verified": 1, "invalid": 0}
    second = back_up(client)
    made["isLatest"] = False
    assert good(client.admin("GET", BACKUPS)) == [second, made]


@SQLITE_ONLY  # of the file
def test_what_was_acknowledged_before_is_in_it_and_the_runbook_unpacks_it(server: Server) -> None:
    program = Program(server.home)
    traffic = Traffic(server, 2, board())
    with traffic.running():
        before = [answer.body["id"] for answer in traffic.answers]
        made = program.json("backup")
    assert traffic.failed() == []
    assert made["manifest"]["kind"] == "sqlite"
    script = "cd $KIS_HOME/backups && gunzip -c kis-backup-latest.db.gz > ../kis.db"
    assert program.shell(script).returncode == 0
    assert before
    assert set(before) <= stored_ids(server.home / "kis.db")
    good(estimate(server, board()), 201)


@SQLITE_ONLY  # of the file
def test_list_and_verify(client: Client) -> None:
    program = Program(client.settings.home)
    assert program.run("backup", "verify").returncode == 1
    good(estimate(client, board()), 201)
    first, second = (back_up(client)["file"] for _ in range(2))
    assert f"* {second}" in program.run("backup", "list").stdout
    (found,) = program.json("backup", "verify")
    assert (found["file"], found["isGood"]) == (second, True)
    broken = client.settings.home / "backups" / first
    broken.write_bytes(broken.read_bytes()[:-1])
    done = program.run("backup", "verify", "--all")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith(f"OK   {second}")
    assert f"문제 {first}" in done.stdout
    assert program.run("backup", "verify", "no-such-file").returncode == 2


@SQLITE_ONLY  # of the file
def test_logs_are_packed_on_demand(client: Client) -> None:
    program = Program(client.settings.home)
    made = program.json("backup", "--logs")
    listed = program.shell(f"tar -tzf $KIS_HOME/backups/{made['logs']}")
    assert "logs/kis-backend.log" in listed.stdout.split()


# --- the audit trail ---------------------------------------------------------------------


def audited(home: Path, manifest: Any) -> list[str]:
    """Return who is told to have made a backup, each time that it is told of."""
    entries = audit_of(home, manifest["file"])
    assert {entry[1:] for entry in entries} <= {
        ("database.backup", "", manifest["packed"]["sha256"])
    }
    return [entry[0] for entry in entries]


def test_backup_by_http_is_audited(client: Client) -> None:
    assert audited(client.settings.home, back_up(client)["manifest"]) == [ADMIN_ID]


def test_backup_by_the_command_is_audited(server: Server) -> None:
    """Beside a server, which writes it down itself, and without one."""
    program = Program(server.home)
    is_file = program.environ["DATABASE_URL"].startswith("sqlite")
    lock = server.home / "data" / "kis.lock"
    beside = json.loads(server.command("backup", "--json").stdout)["manifest"]
    assert audited(server.home, beside) == [ADMIN_ID if is_file else "cli"]
    assert server.stop() == 0
    alone = program.json("backup")["manifest"]
    assert audited(server.home, alone) == ["cli"]
    assert lock.exists() == is_file


@SQLITE_ONLY  # there is no other journal
def test_journal_goes_on_after_a_backup_without_a_server(server: Server) -> None:
    program = Program(server.home)
    chains = server.home / "backups" / "journal"
    until(lambda: bool(program.json("journal", "status")["spans"]))
    assert server.stop() == 0
    before = [path.name for path in chains.iterdir()]
    program.json("backup")
    with running_server(server.home) as again:
        good(estimate(again, board()), 201)
        assert [path.name for path in chains.iterdir()] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works for others")
@SQLITE_ONLY  # of the file
def test_root_leaves_nothing_that_the_user_of_the_service_cannot_write(server: Server) -> None:
    program = Program(server.home)
    until(lambda: bool(program.json("journal", "status")["spans"]))
    assert server.stop() == 0
    theirs = pwd.getpwnam("nobody")
    for path in (server.home, *server.home.rglob("*")):
        os.chown(path, theirs.pw_uid, theirs.pw_gid, follow_symlinks=False)
    manifest = program.json("backup")["manifest"]
    assert audited(server.home, manifest) == ["cli"]
    folders = (server.home / "data", server.home / "backups" / "journal")
    owners = {path.stat().st_uid for folder in folders for path in folder.rglob("*")}
    assert owners == {theirs.pw_uid}


@SQLITE_ONLY  # PostgreSQL takes no other process for it
def test_backup_that_no_server_writes_down_is_one_all_the_same(server: Server) -> None:
    done = Program(server.home, ADMIN_API_KEY="other-" * 6).run("backup")
    assert done.returncode == 0
    assert "감사 기록에 남기지 못했습니다" in done.stderr
    (backup,) = (server.home / "backups").glob("kis-backup-2*.gz")
    assert audit_of(server.home, backup.name) == []


def test_backup_that_is_not_there_is_not_noted(client: Client) -> None:
    for name in ("kis-backup-20260101_000000.db.gz", "..%2f.env"):
        refused(client.admin("POST", f"{BACKUPS}/{name}/note"), 404, "NOT_FOUND")


def test_a_home_without_a_database_has_nothing_to_back_up(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    done = program.run("backup", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "BACKUP_FAILED"
    assert [path.name for path in (program.home / "backups").iterdir()] == [".kis-backup.lock"]
