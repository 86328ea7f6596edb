"""Workbooks: read row for line, so that what is wrong is told by the row people see."""

from collections.abc import Sequence
from io import BytesIO

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from kis.knowledge.breaker_rows import COLUMNS
from kis.knowledge.formats import parse_upload
from kis.knowledge.problems import Problems
from kis.knowledge.xlsx_format import MAX_UNPACKED_BYTES, read_sheet
from tests.unit.knowledge.rows import paths, refused

META = '{"type":"MCCB","at":[15,20]}'


def workbook(*rows: Sequence[object], above: int = 0) -> bytes:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows, start=above):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell)
    book.close()
    return out.getvalue()


def row(model: str, width: object = 90.5) -> list[object]:
    return ["LS", "T", model, 100, "3P", width, 155, 60, META]


def test_workbook_is_read_like_a_table() -> None:
    parsed = parse_upload("XLSX", workbook(COLUMNS, row("T-1"), row("T\n2", 90)), brands=("LS",))
    assert parsed.breakers is not None
    assert [(each.model, each.width_dmm) for each in parsed.breakers] == [
        ("T 2", 900),
        ("T-1", 905),
    ]
    assert parsed.breakers[0].rated_currents_a == (15, 20)


def test_wrong_cells_are_told_by_the_rows_that_people_see() -> None:
    content = workbook(COLUMNS, [], row("T-1"), [], row("T-2", "9o"), above=2)
    assert paths(refused("xlsx", content)) == ["line 7, column width_mm"]


def test_empty_cells_beside_the_table_are_passed_over() -> None:
    text = read_sheet(workbook(COLUMNS, [*row("T-1"), "", " "]), Problems())
    assert text is not None
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("content", [b"", b"PK", b"a,b\n", "text", None])
def test_what_is_no_workbook_is_refused(content: object) -> None:
    assert paths(refused("xlsx", content)) == ["$.content"]


def test_workbook_may_not_unfold_to_any_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_UNPACKED_BYTES >= 10 * 50_000_000
    monkeypatch.setattr("kis.knowledge.xlsx_format.MAX_UNPACKED_BYTES", 10)
    assert paths(refused("xlsx", workbook(COLUMNS, row("T-1")))) == ["$.content"]
