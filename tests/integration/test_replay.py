"""`kis-backend knowledge replay` as the owner runs it: beside a server, and interrupted."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kis.estimate.verdict import judge
from kis.knowledge.first import FIRST_LABEL
from tests import sql
from tests.integration.lifecycle import (
    activate,
    estimate,
    good,
    import_table,
    refused,
    table,
    validate,
)
from tests.integration.program import PROGRAM, Program, is_clear, until
from tests.services import ADMIN_API_KEY, Client, Server, board, running_client
from tests.unit.estimate.stored import bare
from tests.unit.ops.stored import SHIPPED

WIDER = "v-wider"
MANY = 12_000
"""Different boards, enough that one process is at work for seconds."""
FAST = "--workers=1"


def wider_row() -> str:
    """Return SIE-32 twice as wide: the board of the tests has six of them."""
    (known,) = (r for r in SHIPPED.tables.breakers if r.model == "SIE-32")
    sides = (known.width_dmm * 2 / 10, known.height_dmm / 10, known.depth_dmm / 10)
    width, height, depth = (f"{side:g}" for side in sides)
    meta = f'"{{""type"":""{known.type}""}}"'
    return (
        f"SANGDO,{known.series or 'X'},SIE-32,{known.frame_size_a},{known.poles}P,"
        f"{width},{height},{depth},{meta}"
    )


def add_wider(to: Any) -> None:
    """Stage and validate a version that makes some boards larger."""
    good(import_table(to, WIDER, table(wider_row())), 201)
    assert validate(to, WIDER)["valid"]


def fill(home: Path, count: int) -> None:
    """Store `count` different boards beside the ones that are there."""
    with sql.hands_on(home) as hands:
        hands.execute("BEGIN")
        for number in range(count):
            hands.execute(
                "INSERT INTO Estimate (id, created_at, main_model, owner, client, width_mm,"
                " height_mm, depth_mm, enclosure_model, knowledge_version, request, answer) VALUES"
                " (?, '2026-01-01 00:00:00.000000', 'SBS-54', 'x', 'x', ?, ?, ?, ?, ?, ?, ?)",
                _stored(number),
            )
        hands.execute("COMMIT")


def _stored(number: int) -> tuple[object, ...]:
    lines = [
        {"model": "SIE-32", "quantity": 1 + number % 30},
        {"model": "SEC-53", "quantity": 1 + number // 30 % 20},
        {"model": "SES-54", "quantity": 1 + number // 600},
    ]
    request = bare(SHIPPED, branches=lines)
    verdict = judge(request, SHIPPED)
    assert verdict.sides is not None
    return (f"{number:036d}", *verdict.sides, verdict.model, FIRST_LABEL, request, b"")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A home with many estimates and no server."""
    home = tmp_path_factory.mktemp("replay") / "home"
    with running_client(home, RATE_LIMIT_PER_MINUTE="0") as client:
        add_wider(client)
    fill(home, MANY)
    return Program(home)


def replay(program: Program, *more: str, code: int = 0) -> Any:
    return program.json("knowledge", "replay", "--version", WIDER, *more, code=code)


# --- what it tells --------------------------------------------------------------------------


def test_beside_a_running_server(server: Server) -> None:
    add_wider(server)
    made = good(estimate(server, board()), 201)
    good(estimate(server, board(branches=[{"model": "SEC-53", "quantity": 2}])), 201)
    done = server.command("knowledge", "replay", "--version", WIDER, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["total"], report["passed"], report["changed"]) == (2, 1, 1)
    assert report["causes"][0]["row"] == {"brand": "SANGDO", "model": "SIE-32", "poles": "2P"}
    assert report["cases"][0]["id"] == made["id"]
    assert report["cases"][0]["before"] == {axis: made["enclosure"][axis] for axis in "WHD"}
    good(estimate(server, board()), 201)


def test_all_cores_give_what_one_gives(filled: Program) -> None:
    report = replay(filled, "--last", "3000", FAST)
    assert report["total"] == 3_000
    assert report["changed"] > 0
    assert replay(filled, "--last", "3000", "--workers", "2") == report


def test_a_dask_cluster_gives_what_one_core_gives(filled: Program) -> None:
    alone = replay(filled, "--restart", "--workers", "1")
    assert alone["changed"] > 0
    assert replay(filled, "--restart", "--dask", "local", "--workers", "2") == alone


def test_a_dask_cluster_that_is_not_there(filled: Program) -> None:
    done = filled.run("knowledge", "replay", "--version", WIDER, "--dask", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert "no Dask cluster at nowhere" in done.stderr


def test_table_and_csv(filled: Program, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    done = filled.run(
        "knowledge", "replay", "--version", WIDER, "--last", "500", FAST, "--csv", str(path)
    )
    assert done.returncode == 0, done.stderr
    assert "전체 total 500" in done.stdout
    assert "SANGDO SIE-32 2P" in done.stdout
    raw = path.read_bytes()
    assert raw.startswith("\ufeffkind,name".encode())
    assert b"cause,breakers SANGDO SIE-32 2P,changed" in raw


def test_against_another_version(filled: Program) -> None:
    more = ("--last", "500", FAST)
    forth = replay(filled, "--against", FIRST_LABEL, *more)
    assert forth["against"] == FIRST_LABEL
    assert {**forth, "against": None} == replay(filled, *more)


def test_from_a_date_on(filled: Program) -> None:
    assert replay(filled, "--since", "2099-01-01", FAST)["total"] == 0


def test_begun_anew_all_the_same(filled: Program) -> None:
    assert replay(filled, "--last", "500", FAST, "--restart")["total"] == 500


# --- refused ----------------------------------------------------------------------------------


def test_unknown_version(filled: Program) -> None:
    done = filled.run("knowledge", "replay", "--version", "nowhere")
    assert done.returncode == 1
    assert "VERSION_NOT_FOUND" in done.stderr
    assert is_clear(done)
    problem = filled.json("knowledge", "replay", "--version", "nowhere", code=1)
    assert (problem["code"], problem["path"]) == ("VERSION_NOT_FOUND", "$.versionLabel")


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+10:00"])
def test_since_that_is_no_date(filled: Program, since: str) -> None:
    done = filled.run("knowledge", "replay", "--version", WIDER, "--since", since)
    assert done.returncode == 2
    assert is_clear(done)


def test_csv_that_cannot_be_written(filled: Program, tmp_path: Path) -> None:
    done = filled.run(
        "knowledge", "replay", "--version", WIDER, "--last", "1", FAST, "--csv", str(tmp_path)
    )
    assert done.returncode == 2
    assert is_clear(done)


def test_no_database_yet(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    done = program.run("knowledge", "replay", "--version", WIDER)
    assert done.returncode == 1
    assert "make run" in done.stderr
    assert is_clear(done)
    assert not (program.home / "data" / "kis.db").exists()


# --- interrupted --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(filled: Program) -> Any:
    """The report of a replay that nothing interrupted."""
    report = replay(filled)
    assert report["total"] == MANY
    return report


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGINT, "2"), (signal.SIGINT, "1"), (signal.SIGTERM, "2"), (signal.SIGKILL, "2"),
    ],
)  # fmt: skip
def test_interrupted_replay_gives_the_same_report(
    filled: Program, whole: Any, number: signal.Signals, workers: str
) -> None:
    folder = filled.home / "knowledge-staging"
    arguments = (PROGRAM, "knowledge", "replay", "--version", WIDER, "--json", "--workers", workers)
    with subprocess.Popen(
        arguments, env=filled.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:  # fmt: skip
        until(lambda: any(folder.glob("replay-*.json")) or process.poll() is not None)
        # As a terminal does it: Ctrl+C reaches the workers too.
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert stdout == b""
    if number is signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130, stderr
        assert "같은 명령을 다시 실행하면 이어서 합니다" in stderr.decode()
        assert b"Traceback" not in stderr
    done = filled.run("knowledge", "replay", "--version", WIDER, "--json")
    assert done.returncode == 0, done.stderr
    assert "이어서 합니다" in done.stderr
    assert not any(folder.glob("*replay-*.json"))
    assert json.loads(done.stdout) == whole


# --- over HTTP ----------------------------------------------------------------------------------


def test_over_http(client: Client) -> None:
    add_wider(client)
    made = good(estimate(client, board()), 201)
    body = {"versionLabel": WIDER, "last": 10}
    report = good(client.admin("POST", "/v1/knowledge/replay", body))
    assert (report["total"], report["changed"], report["against"]) == (1, 1, None)
    assert report["cases"][0]["id"] == made["id"]
    assert [cause["row"]["model"] for cause in report["causes"]] == ["SIE-32"]
    against = {**body, "against": FIRST_LABEL}
    assert good(client.admin("POST", "/v1/knowledge/replay", against))["changed"] == 1
    # Golden cases change as well; after them comes what the replay told.
    regression = good(activate(client, WIDER, force=True, reason="for a test"))["regression"]
    assert (regression["changed"], regression["cases"][-1]["name"]) == (1, made["id"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"versionLabel": "nowhere"}, 404, "VERSION_NOT_FOUND"),
        ({"versionLabel": FIRST_LABEL, "against": "nowhere"}, 404, "VERSION_NOT_FOUND"),
        ({"versionLabel": FIRST_LABEL, "last": 10_001}, 400, "INVALID_REQUEST"),
        ({"versionLabel": FIRST_LABEL, "last": 0}, 400, "INVALID_REQUEST"),
        ({"versionLabel": FIRST_LABEL, "since": "2026-01-01"}, 400, "INVALID_REQUEST"),
        ({}, 400, "INVALID_REQUEST"),
    ],
)
def test_order_that_cannot_be(client: Client, body: Any, status: int, code: str) -> None:
    refused(client.admin("POST", "/v1/knowledge/replay", body), status, code)


def test_only_the_owner_may(client: Client) -> None:
    refused(client.post("/v1/knowledge/replay", {"versionLabel": FIRST_LABEL}), 403, "FORBIDDEN")


def test_creates_go_on_meanwhile(client: Client) -> None:
    fill(client.settings.home, 2_000)

    async def both() -> list[Any]:
        order = {"versionLabel": FIRST_LABEL, "last": 2_000}
        replaying = asyncio.create_task(
            client.asend("POST", "/v1/knowledge/replay", key=ADMIN_API_KEY, json=order)
        )
        creates = []
        while not replaying.done():
            creates.append(await client.asend("POST", "/v1/estimate/create", json=board()))
        return [good(await replaying), *[good(each, 201) for each in creates]]

    ((report, *made),) = client.gather(both())
    assert report["passed"] == report["total"] == 2_000
    assert len(made) > 5
