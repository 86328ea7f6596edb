"""What is shown of an upload before it is stored."""

import json
from typing import Any

from kis.knowledge.content import encode_tables
from kis.knowledge.previewing import FIRST_WHERE_WRONG, Preview, Sheet, preview
from tests.unit.knowledge.rows import HEADER, META, breaker, seed_tables, write_csv

BASE = encode_tables(seed_tables())


def look(format_name: str, content: object) -> Preview:
    return preview(BASE, format_name, content, "add", [], 50)


def line(model: str, width: object = 75) -> str:
    return f"LS,METASOL,{model},50,3P,{width},130,60,{META}"


def problems(sheet: Sheet) -> list[tuple[int, str, str]]:
    """Row, column and value of each cell that something is wrong with."""
    return [
        (row.number, column, cell.text)
        for row in sheet.rows
        for column, cell in zip(sheet.columns, row.cells, strict=True)
        if cell.findings
    ]


def test_good_table_is_shown_with_what_it_changes() -> None:
    found = look("csv", write_csv([breaker("T-1"), breaker("T-2")]))
    (sheet,) = found.sheets
    assert (sheet.total, [row.cells[2].text for row in sheet.rows]) == (2, ["T-1", "T-2"])
    assert found.difference is not None
    assert found.difference.total.added == 2
    assert not found.findings


def test_errors_stand_at_their_cells_however_far_down() -> None:
    rows = [line(f"T-{n}") for n in range(100)]
    rows[90] = line("T-90", "27o")
    rows[95] = "LS,METASOL,T-95,50,3P"
    found = look("csv", "\n".join([HEADER, *rows]).encode())
    (sheet,) = found.sheets
    assert problems(sheet) == [(92, "width_mm", "27o")]
    assert [row.number for row in sheet.rows if row.findings] == [97]
    assert (len(sheet.rows), sheet.total) == (FIRST_WHERE_WRONG + 2, 100)
    assert found.difference is None
    assert not found.elsewhere


def test_what_is_wrong_inside_a_cell_stands_at_the_cell() -> None:
    meta = '"{""type"":""MCCB"",""at"":[15,-1]}"'
    (sheet,) = look("csv", f"{HEADER}\n{line('T-1').replace(META, meta)}").sheets
    assert [(number, column) for number, column, _ in problems(sheet)] == [(2, "meta")]


def test_wrong_heading_stands_in_the_heading() -> None:
    found = look("csv", f"{HEADER.replace('poles', 'pole')}\n{line('T-1')}")
    (sheet,) = found.sheets
    assert sheet.rows[0].number == 1
    assert problems(sheet)[0][1] == "pole"
    assert sheet.rows[0].findings[0].data["column"] == "poles"


def test_json_has_a_sheet_for_each_part() -> None:
    upload: dict[str, Any] = {
        "accessories": [{"code": "A-1", "kind": "meter", "widthMm": "9o"}, 5],
        "enclosures": [{"model": "E-1"}],
    }
    found = look("json", json.dumps(upload).encode())
    sheets = {sheet.part: sheet for sheet in found.sheets}
    assert (1, "widthMm", "9o") in problems(sheets["accessories"])
    assert [row.number for row in sheets["accessories"].rows if row.findings] == [2]
    assert (1, "material", "") in problems(sheets["enclosures"])


def test_what_is_no_table_at_all_is_told() -> None:
    for name, content in (("xlsx", b"no"), ("csv", b"\x80\xff"), ("json", b"{"), ("json", b"[]")):
        found = look(name, content)
        assert found.findings
        assert found.difference is None
    assert look("xlsx", b"no").elsewhere
