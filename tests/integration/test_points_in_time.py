"""Any moment can be had back: what was acknowledged by then, and nothing else."""

import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kis.ops.journal.rebuilding import Span, rebuild, spans
from tests.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.integration.lifecycle import estimate, good, verify_evidence
from tests.integration.program import Program, is_clear
from tests.power.kills import kill, look_into, moment_of
from tests.power.load import CLIENTS, committed_in, load
from tests.services import ADMIN_API_KEY, Server, board, dumps, running_server

POINTS = 20
KILLS = 3
LONG_S = 60


def span_in(folder: Path) -> Span | None:
    return next(iter(reversed(spans(folder))), None)


@SQLITE_ONLY  # PostgreSQL archives its own log
def test_random_points_in_time_under_load(server: Server, tmp_path: Path) -> None:
    folder = server.home / "backups" / "journal"
    load(server.url, lambda count: count >= CLIENTS and span_in(folder) is not None)
    found = load(server.url, lambda count: count >= 400)
    good(server.request("POST", "/v1/selftest", key=ADMIN_API_KEY))
    found += load(server.url, lambda count: count >= 20)
    assert server.stop() == 0
    chance = random.Random(3)  # noqa: S311 - so that a failure can be repeated
    began, ended = moment_of(found[0].sent_ns), moment_of(found[-1].answered_ns)
    points = [began + chance.random() * (ended - began) for _ in range(POINTS)]
    order = committed_in(server.home / "data" / "kis.db")
    moments = look_into(folder, points, found, order)
    assert moments.wrong == []
    assert moments.rebuilt == POINTS
    # What a self-test makes is never committed.
    rebuild(folder, datetime.now(UTC) + timedelta(days=1), tmp_path / "latest.db")
    assert committed_in(tmp_path / "latest.db") == order


def test_kills_while_it_writes(tmp_path: Path) -> None:
    outcome = kill(tmp_path / "home", KILLS, 6, 1)
    assert outcome.lost == 0
    assert outcome.moments.wrong == []
    assert outcome.moments.rebuilt > outcome.moments.refused
    assert outcome.chains < KILLS


@SQLITE_ONLY  # as above
def test_restore_to_a_moment_and_forward_again(server: Server) -> None:
    file = server.home / "data" / "kis.db"
    folder = server.home / "backups" / "journal"
    load(server.url, lambda count: count >= CLIENTS and span_in(folder) is not None)
    kept = good(estimate(server, board()), 201)["id"]
    moment = datetime.now(UTC)
    lost = [good(estimate(server, board()), 201)["id"] for _ in range(3)]
    refused = server.command("restore", "--at", moment.isoformat(), "--yes")
    assert refused.returncode == 1
    assert server.url in refused.stderr
    assert server.stop() == 0
    before = set(committed_in(file))

    done = restore(server, moment)
    assert done["losses"]["estimates"] == len(lost)
    assert done["losses"]["newest"][0]["id"] == lost[-1]
    assert set(committed_in(file)) == before - set(lost)
    with running_server(server.home) as again:
        assert verify_evidence(again, kept)["valid"]
        new = good(estimate(again, board()), 201)["id"]
    assert set(committed_in(file)) == (before - set(lost)) | {new}
    # What the restore replaced is a chain that ended: its moments stay.
    first, *_ = spans(folder)
    restore(server, first.last)
    assert set(committed_in(file)) == before


def restore(server: Server, moment: datetime) -> Any:
    done = server.command("restore", "--at", moment.isoformat(), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("moment", ["2026-11-22T10:15:00", "yesterday"])
def test_a_moment_without_its_time_zone_is_refused(tmp_path: Path, moment: str) -> None:
    done = Program(tmp_path / "home").run("restore", "--at", moment, "--yes")
    assert done.returncode == 2
    assert is_clear(done)


def test_a_moment_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    program.json("estimate", "-", stdin=dumps(board()))
    done = program.run("restore", "--at", "2020-01-01T00:00:00Z", "--yes")
    assert done.returncode == 1
    assert is_clear(done)
    assert "kis-backend backup list" in done.stderr
    assert not list((tmp_path / "home" / "data").glob("kis-before-*"))


@SQLITE_ONLY  # as above
def test_moment_after_the_end_names_the_last_one(server: Server) -> None:
    folder = server.home / "backups" / "journal"
    load(server.url, lambda count: count >= CLIENTS and span_in(folder) is not None)
    assert server.stop() == 0
    kept = committed_in(server.home / "data" / "kis.db")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    refused = server.command("restore", "--at", later, "--yes", "--json")
    assert refused.returncode == 1
    told = json.loads(refused.stdout)
    last = f"{spans(folder)[-1].last:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert told["code"] == "NOT_FOUND"
    assert last in told["detail"]
    assert f"restore --at {last}" in told["hint"]
    assert not list((server.home / "data").glob("kis-before-*"))
    restore(server, datetime.fromisoformat(last))
    assert committed_in(server.home / "data" / "kis.db") == kept


# --- kis-backend journal status ----------------------------------------------------------


@SQLITE_ONLY  # as above
def test_status_of_a_server_and_of_what_it_left(server: Server) -> None:
    good(estimate(server, board()), 201)
    deadline = time.monotonic() + LONG_S
    while not (told := status_of(server))["spans"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert told["isOn"]
    assert told["trouble"] == ""
    assert told["lagSeconds"] >= 0
    assert told["bytes"] > 0
    shown = server.command("journal", "status")
    assert shown.returncode == 0
    assert is_clear(shown)
    assert "Moments that can be restored" in shown.stdout
    assert server.stop() == 0
    left = status_of(server)
    assert left["lagSeconds"] is None
    assert left["spans"][0]["first"] == told["spans"][0]["first"]
    assert left["spans"][0]["last"] >= told["spans"][0]["last"]
    # A database that is gone is when it is asked for.
    (server.home / "data" / "kis.db").unlink()
    assert status_of(server) == left


def status_of(server: Server) -> Any:
    done = server.command("journal", "status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_another_folder_and_none(tmp_path: Path) -> None:
    elsewhere = tmp_path / "other-disk"
    with running_server(tmp_path / "home", JOURNAL_DIR=str(elsewhere)) as server:
        good(estimate(server, board()), 201)
    assert list(elsewhere.glob("*/*.log"))
    program = Program(tmp_path / "home", JOURNAL_DIR=str(elsewhere), JOURNAL_DAYS="0")
    told = program.json("journal", "status")
    assert (told["isOn"], told["folder"]) == (False, str(elsewhere))
    assert not (tmp_path / "home" / "backups" / "journal").exists()


@POSTGRESQL_ONLY  # as above
def test_postgresql_is_told_apart(server: Server) -> None:
    done = server.command("journal", "status")
    assert done.returncode == 2
    assert is_clear(done)
    answer = good(server.request("GET", "/v1/journal", key=ADMIN_API_KEY))
    assert not answer["isOn"]
    done = server.command("restore", "--at", "2026-11-22T10:15:00Z", "--yes")
    assert done.returncode == 2
    assert "docs/postgresql.md" in done.stderr


def test_a_folder_that_is_a_file_is_trouble_and_estimates_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.write_text("in the way")
    with running_server(tmp_path / "home", JOURNAL_DIR=str(folder)) as server:
        for _ in range(3):
            good(estimate(server, board()), 201)
        deadline = time.monotonic() + LONG_S
        while not (told := good(server.request("GET", "/v1/journal", key=ADMIN_API_KEY)))[
            "trouble"
        ]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert told["spans"] == []
        assert server.command("journal", "status").returncode == 1


@pytest.mark.parametrize("environ", [{"JOURNAL_DAYS": "-1"}, {"JOURNAL_DAYS": "x"}])
def test_settings_that_are_refused(tmp_path: Path, environ: dict[str, str]) -> None:
    done = Program(tmp_path / "home", **environ).run("journal", "status")
    assert done.returncode == 2
    assert "JOURNAL_DAYS" in done.stderr
