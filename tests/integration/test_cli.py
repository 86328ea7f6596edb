"""Every command of `kis-backend`, with and without a running server."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lifecycle import FIRST, estimate, good, row, rows_of, table
from tests.integration.program import PROGRAM, Program
from tests.services import SECRETS, Server, board, dumps, running_server

LABEL = "v-2026-01-01"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program on a home of its own; no server runs there."""
    return Program(tmp_path / "alone")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that take nothing from each other: labels of their own."""
    with running_server(tmp_path_factory.mktemp("shared"), RATE_LIMIT_PER_MINUTE="0") as server:
        yield server


@pytest.fixture
def beside(shared: Server) -> Program:
    """The program beside the server that several tests share."""
    return Program(shared.home)


@pytest.fixture(params=["alone", "server"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """The program on a home where a server runs, and on one where none does."""
    if request.param == "alone":
        yield Program(tmp_path / "alone")
        return
    with running_server(tmp_path / "home") as server:
        yield Program(server.home)


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def kinds(value: Any) -> Any:
    """Return the form of a JSON value: what stands where, whatever it is."""
    if isinstance(value, dict):
        return {name: kinds(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [kinds(inner) for inner in value]
    return type(value).__name__


# --- estimates and evidence --------------------------------------------------------------


def test_estimate_of_a_file_and_of_standard_input(either: Program, tmp_path: Path) -> None:
    file = write(tmp_path, "board.json", dumps(board()))
    from_file = either.json("estimate", file)
    from_stdin = either.json("estimate", "-", stdin=dumps(board()))
    assert kinds(from_file) == kinds(from_stdin)
    for answer in (from_file, from_stdin):
        enclosure = answer["enclosure"]
        assert (enclosure["W"], enclosure["H"], enclosure["D"]) == (500, 600, 150)
        shown = either.run("evidence", "show", answer["id"])
        assert shown.returncode == 0, shown.stderr
        package = shown.stdout
        verified = either.json("evidence", "verify", "-", stdin=package)
        assert verified["valid"] is True
    stored = rows_of(either.home, "SELECT e.id FROM Estimate e JOIN evidence v ON v.estimate_id=id")
    assert sorted(stored) == sorted([(from_file["id"],), (from_stdin["id"],)])


def test_answer_is_the_same_with_and_without_a_server(program: Program, beside: Program) -> None:
    alone, served = (p.json("estimate", "-", stdin=dumps(board())) for p in (program, beside))
    changing = ("id", "createdAt", "evidenceId")
    assert list(alone) == list(served)
    assert {k: v for k, v in alone.items() if k not in changing} == {
        k: v for k, v in served.items() if k not in changing
    }


def test_estimate_in_words(program: Program) -> None:
    done = program.run("estimate", "-", stdin=dumps(board()))
    assert done.returncode == 0, done.stderr
    for word in ("500 x 600 x 150 mm", "HB506015", "SBS-54", "SEC-53", FIRST):
        assert word in done.stdout


def test_refused_estimate_in_words_and_as_json(either: Program) -> None:
    unknown = dumps(board(main={"model": "T-1", "poles": "4P"}))
    done = either.run("estimate", "-", stdin=unknown)
    assert (done.returncode, done.stdout) == (1, "")
    assert "NEED_KNOWLEDGE_UPDATE $.main.model" in done.stderr
    assert "T-1" in done.stderr
    problem = either.json("estimate", "-", stdin=unknown, code=1)
    assert (problem["code"], problem["status"]) == ("NEED_KNOWLEDGE_UPDATE", 422)


def test_evidence_in_words_and_a_changed_package(
    shared: Server, beside: Program, tmp_path: Path
) -> None:
    answer = good(estimate(shared, board()), 201)
    package = beside.json("evidence", "show", answer["id"])
    sound = beside.run("evidence", "verify", write(tmp_path, "good.json", dumps(package)))
    assert sound.returncode == 0
    assert "Valid." in sound.stdout
    package["statement"]["result"]["enclosure"]["W"] = 400
    bad = beside.run("evidence", "verify", write(tmp_path, "bad.json", dumps(package)))
    assert bad.returncode == 1
    assert "NOT valid." in bad.stdout
    assert beside.json("evidence", "verify", "-", stdin=dumps(package), code=1)["valid"] is False


def test_evidence_of_an_unknown_estimate(beside: Program) -> None:
    assert beside.json("evidence", "show", "nobody", code=1)["code"] == "NOT_FOUND"
    assert "NOT_FOUND" in beside.run("evidence", "show", "nobody").stderr


def test_collected_samples_verify(server: Server) -> None:
    program = Program(server.home)
    ids = [good(estimate(server, board()), 201)["id"] for _ in range(3)]
    folder = server.home / "evidence-samples"
    written = program.json("evidence", "collect", "--last", "2")
    assert written == [str(folder / f"evidence-{name}.json") for name in (ids[2], ids[1])]
    for path in written:
        assert program.json("evidence", "verify", path)["valid"] is True
    everything = program.run("evidence", "collect").stdout.splitlines()
    assert len(everything) == len(list(folder.iterdir())) == 3


# --- knowledge ---------------------------------------------------------------------------


def test_knowledge_from_import_to_rollback(either: Program, tmp_path: Path) -> None:
    file = write(tmp_path, "new.csv", table(row("T-100")))
    assert either.json("knowledge", "import", file, LABEL)["added"] == 1
    assert either.json("knowledge", "validate", LABEL)["valid"] is True
    compared = either.json("knowledge", "diff", LABEL)
    assert (compared["against"], compared["difference"]["total"]["added"]) == (FIRST, 1)
    activated = either.json("knowledge", "activate", LABEL, "--reason", "new catalogue")
    assert (activated["activeVersion"], activated["regression"]["failed"]) == (LABEL, 0)
    back = either.json("knowledge", "rollback", FIRST, "--reason", "wrong widths")
    assert back["reason"] == "wrong widths"
    listed = either.json("knowledge", "versions")
    assert [(v["label"], v["active"]) for v in listed] == [(FIRST, True), (LABEL, False)]


def test_knowledge_in_words(server: Server, tmp_path: Path) -> None:
    program = Program(server.home)
    file = write(tmp_path, "new.csv", table(row("T-100"), row("T-4", poles=4, width=60)))
    steps = {
        ("import", file, LABEL): "추가 2",
        ("validate", LABEL, "--sample-size", "1"): "성공 1, 실패 0",
        ("diff", LABEL, "--against", FIRST): "T-100",
        ("activate", LABEL, "--no-regression"): f"활성 {LABEL} (이전 {FIRST})",
        ("versions",): f"* {LABEL}",
        ("rollback", FIRST, "--reason", "for a test"): f"활성 {FIRST} (이전 {LABEL})",
    }
    for arguments, expected in steps.items():
        done = program.run("knowledge", *arguments)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout


def test_json_file_and_standard_input_are_imported(beside: Program, tmp_path: Path) -> None:
    parts = {"accessories": [{"code": "T-LAMP", "kind": "lamp", "widthMm": 30, "heightMm": 30}]}
    file = write(tmp_path, "parts.JSON", json.dumps(parts))
    assert beside.json("knowledge", "import", file, "v-json")["added"] == 1
    piped = beside.json("knowledge", "import", "-", "v-stdin", stdin=table(row("T-1")))
    assert piped["added"] == 1
    replaced = beside.json("knowledge", "import", file, "v-replace", "--mode", "replace")
    assert replaced["removed"] > 0


def test_refused_knowledge_is_told_by_line_and_column(beside: Program, tmp_path: Path) -> None:
    file = write(tmp_path, "new.csv", table(row("T-1", width=0), row("T-2", width=-1)))
    done = beside.run("knowledge", "import", file, LABEL)
    assert done.returncode == 1
    assert "line 2, column width_mm" in done.stderr
    assert "line 3, column width_mm" in done.stderr
    assert len(beside.json("knowledge", "import", file, LABEL, code=1)["findings"]) == 2


def test_version_that_fails_its_samples_exits_with_1(beside: Program, tmp_path: Path) -> None:
    file = write(tmp_path, "new.csv", table(row("T-1200", af=1200, width=400)))
    beside.json("knowledge", "import", file, "v-failing")
    done = beside.run("knowledge", "validate", "v-failing")
    assert done.returncode == 1
    assert "실패 LS T-1200 3P (메인 main)" in done.stdout
    assert "성공 0, 실패 10" in done.stdout
    assert beside.json("knowledge", "validate", "v-failing", code=1)["valid"] is False
    refused = beside.run("knowledge", "activate", "v-failing")
    assert (refused.returncode, "VERSION_NOT_VALIDATED" in refused.stderr) == (1, True)


def test_regression_that_refuses_an_activation_is_shown(beside: Program, tmp_path: Path) -> None:
    """SBS-52, the main of a golden case, 100 mm higher: its enclosure grows."""
    taller = row("SBS-52", af=50, poles=2, width=50).replace("LS,TEST", "SANGDO,SB")
    file = write(tmp_path, "taller.csv", table(taller.replace(",155,", ",230,")))
    beside.json("knowledge", "import", file, "v-taller")
    beside.json("knowledge", "validate", "v-taller")
    done = beside.run("knowledge", "activate", "v-taller")
    assert (done.returncode, "REGRESSION_FAILED" in done.stderr) == (1, True)
    assert "실패 failed 기준 golden" in done.stderr
    assert "400x500x150 → " in done.stderr
    assert "regression" in beside.run("knowledge", "activate", "v-taller", "--json").stdout


# --- keys, samples -----------------------------------------------------------------------


def test_keys_are_named_and_never_shown(program: Program) -> None:
    for done in (program.run("keys"), program.run("keys", "--json")):
        assert done.returncode == 0
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())
    named = program.json("keys")
    assert [key["name"] for key in named] == ["API_KEY", "ADMIN_API_KEY", "EVIDENCE_SECRET"]
    assert [key["scope"] for key in named] == ["api", "admin", "evidence"]
    program.json("estimate", "-", stdin=dumps(board()))
    with closing(sqlite3.connect(program.home / "data" / "kis.db")) as connection:
        ((actor,),) = connection.execute(
            "SELECT DISTINCT actor FROM audit_entry WHERE action = 'estimate.create'"
        )
    assert actor == named[0]["keyId"]


def test_samples_estimate_and_the_problem_abstains(beside: Program, tmp_path: Path) -> None:
    written = beside.json("sample", str(tmp_path / "boards"))
    names = [Path(path).name for path in written]
    assert {"sample-request.json", "problem-request.json"} <= set(names)
    assert len(names) >= 5
    for path in (path for path in written if path.endswith(".json")):
        is_problem = path.endswith("problem-request.json")
        answer = beside.json("estimate", path, code=int(is_problem))
        if is_problem:
            assert answer["code"] == "NEED_KNOWLEDGE_UPDATE"
        else:
            assert answer["enclosure"]["W"] > 0


def test_samples_go_where_one_stands(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    done = subprocess.run([PROGRAM, "sample"], cwd=folder, check=True, capture_output=True)
    assert (folder / "sample-request.json").is_file()
    assert b"sample-request.json" in done.stdout
