"""Remarks on rows that look wrong beside their neighbours."""

import pytest

from kis.knowledge.model import Breaker
from kis.knowledge.validation import check_neighbours

from .rows import breaker, seed_tables, tables_of

NARROWER = "WIDER_POLES_NARROWER"
OUTLINE = "OUTLINE_DIFFERS"
UNLIKE = "ELCB_UNLIKE_MCCB"
LOW = "LOW_CONFIDENCE"

THREE = breaker("N-53", 3, grade="economy")
FOUR = breaker("N-54", 4, grade="economy")
TWO = breaker("N-52", 2, grade="economy")


def remarks_on(rows: list[Breaker], *changed: Breaker) -> list[tuple[str, str | int]]:
    keys = [row.key for row in changed or rows]
    return [(remark.code, remark.row[1]) for remark in check_neighbours(tables_of(*rows), keys)]


def test_what_the_shipped_rows_are_remarked_for() -> None:
    tables = seed_tables()
    remarks = check_neighbours(tables, [row.key for row in tables.breakers])
    assert [(remark.code, remark.row) for remark in remarks] == [
        (LOW, ("SANGDO", "SBS-53", 3)),
        (OUTLINE, ("SANGDO", "SBS-53", 3)),
        (LOW, ("SANGDO", "SES-103", 3)),
        (LOW, ("SANGDO", "SES-104", 4)),
        (UNLIKE, ("SANGDO", "SES-53", 3)),
    ]
    assert all(remark.message.ko and remark.message.en for remark in remarks)
    assert "confirm with the maker" in remarks[0].message.en


def test_only_changed_rows_are_looked_at() -> None:
    tables = seed_tables()
    assert check_neighbours(tables, []) == []
    assert check_neighbours(tables, [("LS", "unknown", 3)]) == []
    (remark, _) = check_neighbours(tables, [("SANGDO", "SBS-53", 3), ("LS", "ABN-53", 3)])[:2]
    assert remark.row == ("SANGDO", "SBS-53", 3)


@pytest.mark.parametrize(
    ("rows", "changed", "expected"),
    [
        ([TWO, THREE, FOUR], [], []),
        ([THREE, breaker("N-54", 4, width_dmm=740)], [], ["N-54"]),
        ([THREE, breaker("N-54", 4, width_dmm=740)], [1], ["N-54"]),
        ([THREE, breaker("N-54", 4, width_dmm=740)], [0], ["N-53"]),
        ([THREE, breaker("N-54", 4, width_dmm=750)], [], []),
        ([TWO, breaker("N-54", 4, width_dmm=490)], [], ["N-54"]),
        ([breaker("N-53", 3, width_dmm=1010), FOUR], [0], ["N-53"]),
        # Another series, frame or brand is no neighbour.
        ([THREE, breaker("N-54", 4, width_dmm=740, series="OTHER")], [], []),
        ([THREE, breaker("N-54", 4, width_dmm=740, frame_size_a=60)], [], []),
        ([THREE, breaker("N-54", 4, width_dmm=740, brand="SANGDO")], [], []),
    ],
)
def test_bodies_narrower_than_fewer_poles(
    rows: list[Breaker], changed: list[int], expected: list[str]
) -> None:
    found = remarks_on(rows, *[rows[index] for index in changed])
    assert [model for code, model in found if code == NARROWER] == expected


def test_one_wide_row_does_not_blame_the_wider_poles() -> None:
    wide = breaker("X-53", 3, width_dmm=2000)
    rows = [THREE, breaker("M-53", 3), wide, FOUR]
    assert remarks_on(rows) == [(NARROWER, "X-53")]


def test_a_row_narrower_than_others_of_its_own_poles_is_no_matter() -> None:
    assert remarks_on([THREE, breaker("M-53", 3), breaker("X-53", 3, width_dmm=700)]) == []
    assert remarks_on([THREE, breaker("M-53", 3), breaker("X-53", 3, width_dmm=800)]) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([TWO, THREE, FOUR], []),
        ([TWO, THREE, breaker("N-54", 4, grade="economy", height_dmm=960)], ["N-54"]),
        ([TWO, THREE, breaker("N-54", 4, grade="economy", depth_dmm=590)], ["N-54"]),
        # Compact bodies are lower by design: they agree with each other.
        (
            [
                TWO,
                THREE,
                breaker("C-52", 2, grade="compact", height_dmm=960),
                breaker("C-53", 3, grade="compact", height_dmm=960),
            ],
            [],
        ),
        # Alone in its grade, a row is compared with the whole series and frame.
        ([TWO, THREE, breaker("C-52", 2, height_dmm=960)], ["C-52"]),
        ([TWO, THREE, breaker("C-52", 2, grade="compact", height_dmm=960)], ["C-52"]),
        # With a single neighbour nobody can tell which of the two is right.
        ([THREE, breaker("N-54", 4, grade="economy", height_dmm=960)], ["N-53", "N-54"]),
        # Three that differ from each other have no majority.
        (
            [
                THREE,
                breaker("N-54", 4, grade="economy", height_dmm=960),
                breaker("N-52", 2, grade="economy", height_dmm=900),
            ],
            [],
        ),
        ([THREE], []),
    ],
)
def test_outlines_that_differ_from_the_majority(rows: list[Breaker], expected: list[str]) -> None:
    assert [model for code, model in remarks_on(rows) if code == OUTLINE] == expected


ELCB = breaker("E-53", 3, grade="economy", type="ELCB", series="E")


@pytest.mark.parametrize(
    ("elcb", "expected"),
    [
        (ELCB, []),
        (breaker("E-53", 3, grade="economy", type="ELCB", series="E", width_dmm=900), ["E-53"]),
        (breaker("E-53", 3, grade="economy", type="ELCB", series="E", depth_dmm=610), ["E-53"]),
        (breaker("E-53", 3, grade="standard", type="ELCB", series="E", width_dmm=900), []),
        (breaker("E-54", 4, grade="economy", type="ELCB", series="E", width_dmm=900), []),
        (breaker("E-53", 3, grade="economy", type="RCBO", series="E", width_dmm=900), []),
    ],
)
def test_elcbs_unlike_their_mccb(elcb: Breaker, expected: list[str]) -> None:
    for changed in ([elcb], [THREE], []):
        found = remarks_on([THREE, elcb], *changed)
        assert [model for code, model in found if code == UNLIKE] == expected


def test_an_elcb_may_be_like_any_of_several_mccbs() -> None:
    other = breaker("S-53", 3, grade="economy", series="S", width_dmm=900)
    assert remarks_on([THREE, other, ELCB]) == []


def test_messages_tell_sizes_in_mm() -> None:
    odd = breaker("N-54", 4, width_dmm=178, height_dmm=961)
    remarks = check_neighbours(tables_of(TWO, THREE, odd), [odd.key])
    narrow, outline = sorted(remarks, key=lambda remark: remark.code, reverse=True)
    assert "17.8 mm" in narrow.message.ko
    assert "75 mm of 3P" in narrow.message.en
    assert "96.1 x 60 mm" in outline.message.en
    assert "130 x 60 mm" in outline.message.ko


def test_note_of_a_table_is_quoted_in_both_languages() -> None:
    noted = breaker("L-53", 3, confidence="low", warning="looks wrong")
    (remark,) = check_neighbours(tables_of(noted), [noted.key])
    assert remark.message.ko == "LS L-53 3P: 신뢰도가 낮은 행입니다. 표의 메모: “looks wrong”"
    assert remark.message.en == (
        'LS L-53 3P: a row of low confidence. Note in the table: "looks wrong"'
    )
    plain = breaker("L-53", 3, confidence="low")
    (remark,) = check_neighbours(tables_of(plain), [plain.key])
    assert remark.message.ko.endswith("신뢰도가 낮은 행입니다.")
