"""kis-backend estimate --batch: files of boards in, files of results out."""

import csv
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from tests.integration.lifecycle import rows_of
from tests.integration.program import PROGRAM, Program, is_clear
from tests.services import board, dumps, running_server

SAMPLE = "boards.csv"
BAD = """반,브랜드,형식,장소,설치,역할,모델,극수,종류,수량
A,SANGDO,경제형,옥내,벽부,메인,SBS-54,4P,MCCB,1
,,,,,분기,NOPE-1,2P,,2
B,SANGDO,경제형,옥내,벽부,메인,SBS-54,4P,MCCB,1
,,,,,주,SIE-32,2P,,2
=C,SANGDO,경제형,옥내,벽부,메인,SBS-54,4P,MCCB,1
"""


@pytest.fixture(scope="module", params=["alone", "beside a server"])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    home = tmp_path_factory.mktemp("batch") / "home"
    if request.param == "alone":
        yield Program(home)
        return
    with running_server(home) as server:
        yield Program(server.home)


@pytest.fixture
def sample(program: Program, tmp_path: Path) -> str:
    program.run("sample", str(tmp_path))
    return str(tmp_path / SAMPLE)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def read_workbook(path: Path) -> list[list[Any]]:
    sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    return sheet.to_python()


def test_the_sample_in_all_kinds_of_results(program: Program, sample: str, tmp_path: Path) -> None:
    for name in ("out.xlsx", "out.csv", "out.ndjson"):
        done = program.run("estimate", "--batch", sample, "-o", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert "견적 3, 거절 0" in done.stdout
        assert done.stderr == ""
    table = read_table(tmp_path / "out.csv")
    assert [(row["반 Board"], row["W"], row["H"], row["D"]) for row in table] == [
        ("LP-1", "600", "600", "150"), ("LP-2", "500", "600", "150"), ("M-1", "600", "600", "150")
    ]  # fmt: skip
    headings, *rows = read_workbook(tmp_path / "out.xlsx")
    assert headings == list(table[0])
    assert [row[1:5] for row in rows] == [
        ["LP-1", 600, 600, 150], ["LP-2", 500, 600, 150], ["M-1", 600, 600, 150]
    ]  # fmt: skip
    lines = (tmp_path / "out.ndjson").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line)["estimate"] for line in lines]
    ids = {row["견적 Estimate id"] for row in table} | {row[-3] for row in rows}
    ids |= {answer["id"] for answer in answers}
    stored = {name for (name,) in rows_of(program.home, "SELECT id FROM Estimate")}
    assert len(ids) == 9
    assert ids <= stored


def test_refusals_are_told_by_row_and_column(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(BAD, encoding="utf-8")
    done = program.run("estimate", "--batch", str(file), "-o", str(tmp_path / "out.csv"))
    assert done.returncode == 1
    assert "견적 1, 거절 2" in done.stdout
    assert is_clear(done)
    assert "NEED_KNOWLEDGE_UPDATE 3행 모델 열 (row 3, column 모델 (model))" in done.stderr
    assert "INVALID_REQUEST 5행 역할 열 (row 5, column 역할 (role))" in done.stderr
    unknown, wrong, good = read_table(tmp_path / "out.csv")
    assert (unknown["오류 Code"], unknown["W"]) == ("NEED_KNOWLEDGE_UPDATE", "")
    assert (wrong["번호 No."], wrong["반 Board"]) == ("2", "B")
    # No sheet takes the label for a formula.
    assert (good["반 Board"], good["오류 Code"]) == ("'=C", "")
    done = program.run("estimate", "--batch", str(file), "-o", str(tmp_path / "out.xlsx"))
    assert read_workbook(tmp_path / "out.xlsx")[3][1] == "=C"


def test_lines_from_standard_input_to_standard_output(program: Program) -> None:
    lines = [dumps({"idempotencyKey": "cli-1", **board()}), "", "{", dumps(board())]
    done = program.run("estimate", "--batch", "-", stdin="\n".join(lines))
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(a["line"], a["status"]) for a in answers] == [(1, 201), (3, 400), (4, 201)]
    again = program.run("estimate", "--batch", "-", stdin=lines[0])
    assert (again.returncode, json.loads(again.stdout)["replayed"]) == (0, True)


def test_figures_as_json(program: Program, sample: str, tmp_path: Path) -> None:
    output = str(tmp_path / "out.csv")
    told = program.json("estimate", "--batch", sample, "-o", output)
    assert told == {"boards": 3, "estimated": 3, "refused": 0, "output": output}


def test_a_bar_on_a_terminal_alone(program: Program, sample: str, tmp_path: Path) -> None:
    def shown(*options: str) -> bytes:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, "estimate", "--batch", sample, "-o", str(tmp_path / "x.csv"), *options],
            env={**program.environ, "TERM": "xterm"}, stderr=theirs, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        # While it runs: a terminal that nobody reads holds 4 kB, and then its writer.
        read = b""
        with suppress(OSError):  # the other end is closed
            while part := os.read(ours, 1 << 16):
                read += part
        os.close(ours)
        assert process.wait(60) == 0
        return read

    assert b"100%" in shown()
    assert shown("--json") == b""


def test_orders_that_make_no_sense(program: Program, sample: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.csv")
    for arguments in (
        [], [sample, "--batch", sample], [sample, "-o", "x.csv"],
        ["--batch", missing], ["--batch", str(tmp_path)], ["--batch", sample, "-o", sample],
        ["--batch", sample, "-o", str(tmp_path / "x.txt")],
        ["--batch", sample, "-o", str(tmp_path / "no" / "x.csv")],
    ):  # fmt: skip
        done = program.run("estimate", *arguments)
        assert done.returncode == 2, done.stdout
        assert is_clear(done), done.stderr
