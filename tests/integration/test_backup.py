"""Backups of a running service: by HTTP, by the command, and as the runbook unpacks them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good, refused
from tests.integration.program import Program
from tests.integration.traffic import Traffic
from tests.services import Client, Server, board

BACKUPS = "/v1/backups"


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


def test_a_home_without_a_database_has_nothing_to_back_up(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    done = program.run("backup", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "BACKUP_FAILED"
    assert [path.name for path in (program.home / "backups").iterdir()] == [".kis-backup.lock"]
