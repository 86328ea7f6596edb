"""kis-backend maintenance, beside estimates; and the runbook's own way beside a server."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.db import postgres
from kis.ops import maintenance
from kis.ops.installation import TABLES
from tests import sql
from tests.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.integration.lifecycle import estimate, good, refused, rows_of, verify_evidence
from tests.integration.program import Program, is_clear
from tests.services import ADMIN_API_KEY, Client, Server, board

MAINTENANCE = "/v1/maintenance"
AUDITED = "SELECT actor, action, subject FROM audit_entry WHERE action = 'database.maintain'"


def maintain(client: Client) -> Any:
    return good(client.admin("POST", MAINTENANCE))


def states(answer: Any, state: str) -> list[str]:
    return [step["name"] for step in answer["steps"] if step["state"] == state]


def test_it_is_for_administrators(client: Client) -> None:
    refused(client.post(MAINTENANCE, {}), 403, "FORBIDDEN")


def test_everything_is_done_and_told(client: Client) -> None:
    good(estimate(client, board()), 201)
    answer = maintain(client)
    assert states(answer, "failed") == []
    assert {table["table"]: table["rows"] for table in answer["tables"]}["Estimate"] == 1
    assert answer["before"]["database"] > 0
    assert answer["after"]["database"] > 0
    ((actor, *_),) = rows_of(client.settings.home, AUDITED)
    assert actor.startswith("admin-")


@SQLITE_ONLY  # PostgreSQL does all of it live
def test_what_a_file_cannot_have_live_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        good(estimate(client, board(label=str(number))), 201)
    monkeypatch.setattr(maintenance, "SMALL_ROWS", 2)
    answer = maintain(client)
    left = ["knowledge_document", "golden_case", "Estimate", "evidence"]
    assert states(answer, "left") == [f"REINDEX {table}" for table in left]
    assert "PRAGMA optimize" in states(answer, "done")
    assert "--full" in answer["remarkKo"]
    assert "--full" in answer["remarkEn"]
    analysed = rows_of(client.settings.home, "SELECT DISTINCT tbl FROM sqlite_stat1")
    assert ("Estimate",) in analysed


@POSTGRESQL_ONLY  # where it is not the writer that does it
def test_every_table_is_vacuumed_and_no_index_left_behind(client: Client) -> None:
    home = client.settings.home
    # What a REINDEX CONCURRENTLY that was cut leaves: an index that is not valid.
    rows_of(home, "CREATE INDEX ix_cut_ccnew ON audit_entry (subject)")
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_cut_ccnew'::regclass"
    rows_of(home, invalid)
    answer = maintain(client)
    done = states(answer, "done")
    assert {f'VACUUM (ANALYZE) "{table.name}"' for table in TABLES} <= set(done)
    assert 'REINDEX INDEX CONCURRENTLY "pk_Estimate"' in done
    assert states(answer, "left") == [
        f'REINDEX INDEX CONCURRENTLY "{index}"'
        for index in (
            "pk_knowledge_question", "uq_knowledge_question_subject", "pk_idempotency_record",
        )
    ]  # fmt: skip
    assert 'DROP INDEX CONCURRENTLY "ix_cut_ccnew"' in done
    assert rows_of(home, "SELECT 1 FROM pg_class WHERE relname = 'ix_cut_ccnew'") == []


@POSTGRESQL_ONLY  # a table is locked by somebody else
def test_table_that_is_locked_hinders_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 100)
    with sql.hands_on(client.settings.home) as hands:
        hands.execute("BEGIN")
        hands.execute("LOCK TABLE golden_case IN SHARE UPDATE EXCLUSIVE MODE")
        answer = good(client.admin("POST", MAINTENANCE))
        hands.execute("ROLLBACK")
    assert all("golden_case" in name for name in states(answer, "failed"))
    assert states(answer, "failed")


def test_estimates_go_on_meanwhile(client: Client) -> None:
    async def create(number: int) -> httpx.Response:
        return await client.asend(
            "POST", "/v1/estimate/create", json=board(label=str(number)),
            headers={"Idempotency-Key": f"key-{number}"},
        )  # fmt: skip

    async def upkeep() -> httpx.Response:
        return await client.asend("POST", MAINTENANCE, key=ADMIN_API_KEY)

    for turn in range(3):
        numbers = range(turn * 40, turn * 40 + 40)
        maintained, *created = client.gather(upkeep(), *map(create, numbers))
        assert states(good(maintained), "failed") == []
        assert {answer.status_code for answer in created} == {201}
    assert verify_evidence(client, created[-1].json()["id"])["valid"]


# --- the command -------------------------------------------------------------------------------


def test_command_beside_a_server_and_without_one(server: Server) -> None:
    done = server.command("maintenance")
    assert done.returncode == 0, done.stderr
    assert "크기 Size:" in done.stdout
    server.stop()
    answer = json.loads(server.command("maintenance", "--json").stdout)
    assert (answer["full"], states(answer, "failed")) == (False, [])


@SQLITE_ONLY  # there is no other kind of --full
def test_full_with_the_server_stopped(server: Server) -> None:
    created = good(estimate(server, board()), 201)
    beside = server.command("maintenance", "--full")
    assert beside.returncode == 1
    assert is_clear(beside)
    server.stop()
    file = server.home / "data" / "kis.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE filler AS SELECT randomblob(4000000) AS content")
        connection.execute("DROP TABLE filler")
        connection.commit()
    done = server.command("maintenance", "--full", "--json")
    answer = json.loads(done.stdout)
    assert (answer["full"], states(answer, "failed")) == (True, [])
    assert answer["before"]["free"] > 3_000_000
    assert (answer["after"]["free"], answer["after"]["log"]) == (0, 0)
    assert file.stat().st_size == answer["after"]["database"] < answer["before"]["database"]
    assert [path.name for path in file.parent.iterdir() if path.name.startswith("etilqs")] == []
    (entry,) = rows_of(server.home, AUDITED)
    assert entry == ("command", "database.maintain", "full")
    assert rows_of(server.home, "SELECT id FROM Estimate") == [(created["id"],)]
    assert json.loads(server.command("db", "check", "--json").stdout)[-1]["isGood"]


@POSTGRESQL_ONLY  # it needs none
def test_full_on_a_server_is_refused(server: Server) -> None:
    done = server.command("maintenance", "--full")
    assert done.returncode == 2
    assert is_clear(done)


def test_full_before_the_first_start(tmp_path: Path) -> None:
    done = Program(tmp_path).run("maintenance", "--full")
    assert done.returncode == 2
    assert is_clear(done)
    assert not (tmp_path / "data" / "kis.db").exists()


# --- the runbook's own -------------------------------------------------------------------------


RUNBOOKS = """
sqlite3 {file} "VACUUM;"
sqlite3 {file} "ANALYZE;"
sqlite3 {file} <<EOF
PRAGMA optimize;
VACUUM;
ANALYZE;
REINDEX;
EOF
"""


@SQLITE_ONLY  # the shell of SQLite
def test_runbooks_shell_beside_a_server_does_no_harm(server: Server) -> None:
    """Whatever the shell says to a database in use: what was answered is there, and goes on."""
    file = server.home / "data" / "kis.db"
    created = [good(estimate(server, board(label="before")), 201)["id"]]
    script = RUNBOOKS.format(file=file) * 5
    with subprocess.Popen(["bash", "-c", script], stderr=subprocess.DEVNULL) as shell:
        while shell.poll() is None:
            answer = estimate(server, board(label=f"반 {len(created)}"))
            # The writer waits five seconds for a shell that writes, then refuses.
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == httpx.codes.CREATED:
                created.append(answer.json()["id"])
    created.append(good(estimate(server, board(label="after")), 201)["id"])
    assert all(verify_evidence(server, name)["valid"] for name in (created[0], created[-1]))
    server.stop()
    assert {row[0] for row in rows_of(server.home, "SELECT id FROM Estimate")} == set(created)
    assert rows_of(server.home, "PRAGMA integrity_check") == [("ok",)]
