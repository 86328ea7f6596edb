"""Files of boards: their kinds, encodings, and where in them a board stands."""

import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped] # has no stubs

from kis.cli.board_files import Entry, open_boards
from kis.cli.board_sheet import SheetFault

SHEET: list[list[Any]] = [
    ["반", "브랜드", "장소", "설치", "역할", "모델", "극수", "수량"],
    ["LP-1", "SANGDO", "옥내", "벽부", "메인", "SBS-54", "4P", 1],
    ["", "", "", "", "분기", "SIE-32", "2P", 3],
    ["LP-2", "SANGDO", "옥내", "벽부", "메인", "SBS-54", "4P", 1],
    ["", "", "", "", "주", "SIE-32", "2P", 3],
]


def workbook(path: Path, rows: list[list[Any]], *, above: int = 0) -> str:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows, start=above):
            sheet.write_row(number, 0, row)
    return str(path)


def table(path: Path, encoding: str = "utf-8") -> str:
    path.write_text("\r\n".join(",".join(map(str, row)) for row in SHEET), encoding=encoding)
    return str(path)


def read(path: str) -> list[Entry]:
    return list(open_boards(path).entries)


def check(entries: list[Entry], *, above: int = 0) -> None:
    first, second = entries
    assert first.board
    assert second.board
    assert json.loads(first.line)["branches"][0] == {
        "model": "SIE-32", "poles": "2P", "quantity": 3
    }  # fmt: skip
    assert second.line == b""
    assert second.board.complaint
    assert second.board.complaint.row == 5 + above
    assert [entry.number for entry in entries] == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_csv_in_the_encodings_of_korean_programs(tmp_path: Path, encoding: str) -> None:
    path = table(tmp_path / "boards.csv", encoding)
    check(read(path))
    assert open_boards(path).total == Path(path).stat().st_size


@pytest.mark.parametrize("above", [0, 3])
def test_workbook_with_or_without_rows_above_its_headings(tmp_path: Path, above: int) -> None:
    check(read(workbook(tmp_path / "boards.XLSX", SHEET, above=above)), above=above)


def test_lines_are_passed_on_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "boards.ndjson"
    lines = ['{"label":"반"}', "", "{", '{"x":1}']
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        path.write_bytes("\r\n".join(lines).encode(encoding))
        entries = read(str(path))
        assert [entry.line.decode() for entry in entries] == lines
        assert [entry.number for entry in entries] == [1, 2, 3, 4]
        assert entries[-1].position == open_boards(str(path)).total


def test_what_is_neither_encoding_is_for_the_service_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "boards.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    assert read(str(path))[0].line == b"\xff\xfe"


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(b"PK")
    (tmp_path / "empty.csv").write_bytes(b"\n,,\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "boards.txt").write_bytes(b"")
    workbook(tmp_path / "empty.xlsx", [])
    for name in ("broken.xlsx", "empty.csv", "binary.csv", "boards.txt", "empty.xlsx"):
        with pytest.raises(SheetFault):
            open_boards(str(tmp_path / name))
    with pytest.raises(OSError, match="No such file"):
        open_boards(str(tmp_path / "missing.csv"))
