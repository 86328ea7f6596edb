"""Boards as estimators type them: Korean or English headings, merged cells, and mistakes."""

from typing import Any

import pytest

from kis.cli.board_sheet import COLUMNS, SheetBoard, SheetFault, read_boards, read_headings
from kis.estimate.request import parse_board

KOREAN = ["반", "브랜드", "형식", "장소", "설치", "역할", "모델", "프레임", "극수", "정격(A)",
          "종류", "수량", "코드"]  # fmt: skip
FIRST = [
    "LP-1",
    "SANGDO",
    "경제형",
    "옥내",
    "벽부",
    "메인",
    "SBS-54",
    "50AF",
    "4P",
    "",
    "MCCB",
    "1",
]


def boards(headings: list[Any], *rows: list[Any]) -> list[SheetBoard]:
    return list(read_boards(read_headings(headings), enumerate(rows, start=2)))


def one(*rows: list[Any]) -> SheetBoard:
    (found,) = boards(KOREAN, *rows)
    return found


def branch(label: str = "", model: str = "SIE-32", **cells: Any) -> list[Any]:
    row = {"label": label, "role": "분기", "model": model, "poles": "2P", "quantity": 3, **cells}
    names = ["label", "brand", "form", "location", "mount", "role", "model", "af", "poles", "at",
             "type", "quantity", "code"]  # fmt: skip
    return [row.get(name, "") for name in names]


def test_a_board_of_several_rows() -> None:
    found = one(FIRST, branch(), branch(model="SES-54", poles=4.0, quantity=2.0, at="50A"))
    assert found.complaint is None
    assert found.request == {
        "label": "LP-1",
        "brand": "SANGDO",
        "form": "ECONOMIC",
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": "MCCB"},
        "main": {"model": "SBS-54", "af": 50, "poles": "4P"},
        "branches": [
            {"model": "SIE-32", "poles": "2P", "quantity": 3},
            {"model": "SES-54", "poles": "4P", "quantity": 2, "at": 50},
        ],
        "accessories": {"enabled": False, "items": []},
    }
    parse_board(found.request)


def test_boards_follow_each_other_and_empty_rows_part_nothing() -> None:
    found = boards(KOREAN, FIRST, [], branch("LP-1"), ["", None, " "], ["LP-2", *FIRST[1:]])
    assert [(b.label, b.row, len(b.request["branches"])) for b in found] == [
        ("LP-1", 2, 1), ("LP-2", 6, 0)
    ]  # fmt: skip


def test_accessories_are_rows_too() -> None:
    item = branch(role="부속자재", model="", poles="", quantity=2, code="MC-32..40")
    found = one(FIRST, item)
    assert found.request["accessories"] == {
        "enabled": True, "items": [{"code": "MC-32..40", "quantity": 2}]
    }  # fmt: skip
    assert found.place("$.accessories.items[0].code") == (3, "code")


def test_what_is_not_known_is_passed_on_as_typed() -> None:
    found = one(FIRST, branch(poles="many", quantity="둘", at="fifty"))
    assert found.request["branches"] == [
        {"model": "SIE-32", "poles": "many", "quantity": "둘", "at": "fifty"}
    ]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$.main.model", (2, "model")),
        ("$.branches[1].poles", (5, "poles")),
        ("$.branches[0].brand", (3, "maker")),
        ("$.branches", (2, "")),
        ("$.branches[7].at", (2, "at")),
        ("$.installation.location", (2, "location")),
        ("$.device.type", (2, "type")),
        ("$.device", (2, "type")),
        ("$.idempotencyKey", (2, "key")),
        ("$.brand", (2, "brand")),
        ("$", (2, "")),
        ("", (2, "")),
    ],
)
def test_a_path_leads_back_to_a_cell(path: str, place: tuple[int, str]) -> None:
    found = one(FIRST, branch(), [], branch(model="SES-54"))
    assert found.place(path) == place


def test_mixed_boards_name_the_maker_of_each_breaker() -> None:
    (found,) = boards(
        ["label", "brand", "role", "model", "maker"],
        ["A", "혼용", "main", "ABN-104", "LS"],
        ["", "", "branch", "SIE-32", "SANGDO"],
    )
    assert found.request["brand"] == "MIXED"
    assert found.request["main"]["brand"] == "LS"
    assert found.request["branches"][0]["brand"] == "SANGDO"


@pytest.mark.parametrize(
    ("rows", "place", "word"),
    [
        ([FIRST, branch(role="주")], (3, "role"), "main, branch"),
        ([FIRST, branch(role="")], (3, "role"), "unknown"),
        ([FIRST, branch(role="메인")], (3, "role"), "two mains"),
        ([FIRST, branch(brand="LS")], (3, "brand"), "first row"),
        ([["", *FIRST[1:]]], (2, "label"), "names no board"),
    ],
)
def test_what_the_service_cannot_be_asked(
    rows: list[Any], place: tuple[int, str], word: str
) -> None:
    complaint = one(*rows).complaint
    assert complaint
    assert (complaint.row, complaint.column) == place
    assert word in complaint.text.en


def test_a_board_that_comes_twice() -> None:
    first, other, again = boards(KOREAN, FIRST, ["LP-2", *FIRST[1:]], FIRST)
    assert first.complaint is other.complaint is None
    assert again.complaint
    assert (again.complaint.row, again.complaint.column) == (4, "label")


def test_headings_in_any_order_language_and_spelling() -> None:
    headings = read_headings(["Role", " 정격 전류 (A)", "", "반 이름", "Quantity"])
    assert headings.places == {"role": 0, "at": 1, "label": 3, "quantity": 4}
    assert headings.shown["at"] == "정격 전류 (A)"


def test_every_alias_is_known() -> None:
    for name, aliases in COLUMNS.items():
        for alias in aliases:
            needed = [n for n in ("label", "role") if n != name]
            assert name in read_headings([alias, *needed]).places


@pytest.mark.parametrize(
    ("headings", "word"),
    [
        (["반", "역할", "폭"], "unknown"),
        (["반", "역할", "label"], "twice"),
        (["반"], "no column role"),
    ],
)
def test_headings_that_are_refused(headings: list[Any], word: str) -> None:
    with pytest.raises(SheetFault, match=word):
        read_headings(headings)
