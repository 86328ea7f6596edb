"""The list under the views."""

import pytest

from kis.estimate.drawing.listing import Table, ranges_of, table_of
from kis.estimate.model import BillItem
from kis.estimate.tracing import Part


def part(devices: tuple[str, ...], circuit: str = "", **stated: str) -> Part:
    item = {"category": "branch", "name": "분기 차단기", "model": "X", **stated}
    bill = BillItem(quantity=len(devices), unit="EA", **item)  # type: ignore[arg-type]
    return Part(bill, "branches[0]", circuit, devices)


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for column in table.columns for row in column]


@pytest.mark.parametrize(
    ("devices", "shown"),
    [((), ""), (("M1",), "M1"), (("B1", "B2"), "B1–B2"), (("B1", "B3"), "B1, B3"),
     (("B1", "B2", "B3", "B9", "A10", "A11"), "B1–B3, B9, A10–A11"), (("?", "B1"), "?, B1")],
)  # fmt: skip
def test_numbers_in_a_row_are_drawn_together(devices: tuple[str, ...], shown: str) -> None:
    assert ranges_of(devices) == shown


def test_what_a_row_says() -> None:
    table = table_of(
        [
            part(("M1",), category="main", specification="MCCB 4P 50AF"),
            part(("B1", "B2"), "전등", specification="ELCB 2P 30AF/20AT"),
            part(("A1",), category="accessory", name="계기", model="METER-3PH"),
            part((), category="busbar", model="", specification="L165 mm"),
        ],
        "ko",
        1,
    )
    assert cells(table) == [
        ("M1", "X", "메인 MCCB 4P 50AF", "1", ""),
        ("B1–B2", "X", "ELCB 2P 30AF/20AT", "2", "전등"),
        ("A1", "METER-3PH", "계기", "1", ""),
        ("–", "–", "분기 모선 L165 mm", "0", ""),
    ]


def test_accessories_in_english() -> None:
    table = table_of([part(("A1",), category="accessory", name="배선덕트")], "en", 1)
    assert cells(table)[0][2] == "Wiring duct"


def test_without_names_there_is_no_column_for_them() -> None:
    table = table_of([part(("B1",)), part(("B2",))], "ko", 1)
    assert table.head.cells[-1] == "수량"
    assert {len(row) for row in cells(table)} == {4}


@pytest.mark.parametrize(("columns", "lengths"), [(1, [5]), (2, [3, 2]), (3, [2, 2, 1])])
def test_columns(columns: int, lengths: list[int]) -> None:
    table = table_of([part((f"B{n}",)) for n in range(5)], "ko", columns)
    assert [len(column) for column in table.columns] == lengths


def test_list_of_nothing() -> None:
    table = table_of([], "ko", 2)
    assert table.columns == ()
    assert table.stretched(50).head == table.head


def test_what_is_long_is_cut() -> None:
    long = part(("B1",), "아주 긴 회로 이름입니다 정말로", model="M" * 60)
    row = cells(table_of([long], "ko", 1))[0]
    assert row[1].endswith("…")
    assert row[-1].endswith("…")


def test_stretching_only_widens() -> None:
    table = table_of([part(("B1",))], "ko", 1)
    assert table.stretched(60).width == pytest.approx(60)
    assert table.stretched(1) == table
