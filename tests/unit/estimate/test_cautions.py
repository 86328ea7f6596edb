"""What an answer warns of, and where it does not."""

import msgspec
import pytest

from kis.estimate.model import BoardDraft, Caution, DeviceDraft
from kis.knowledge.model import Accessory
from kis.knowledge.snapshot import Snapshot

from .boards import draft, line, run, with_tables


def cautions(board: BoardDraft, snapshot: Snapshot) -> dict[str, Caution]:
    return {caution.code: caution for caution in run(board, snapshot).estimate.warnings}


def rows(count: int) -> DeviceDraft:
    return line("SIE-32", count)


CASES = {
    "ready-made board": (draft("SBS-54", rows(8)), []),
    "twenty branches": (draft("SBE-104", rows(20)), []),
    "twenty-one branches": (draft("SBE-104", rows(21)), ["ECONOMIC_RULE_UNCONFIRMED"]),
    "two lines of eleven": (
        draft("SBE-104", rows(11), line("SES-54", 11)), ["ECONOMIC_RULE_UNCONFIRMED"],
    ),
    "main of 125AF": (draft("SBS-104", rows(8)), ["ECONOMIC_RULE_UNCONFIRMED"]),
    "main of 125AF, STANDARD": (draft("SBS-104", rows(30), form="STANDARD"), []),
    "main of low confidence": (draft("SBS-53"), ["LOW_CONFIDENCE_ROW"]),
    "branches of low confidence": (
        draft("SBS-54", line("SES-104"), line("SES-104", name="lift"), line("SES-103")),
        ["LOW_CONFIDENCE_ROW", "LOW_CONFIDENCE_ROW"],
    ),
    "accessory of unknown depth": (
        draft("SBS-54", accessories=[("METER-3PH", 1)]), ["ACCESSORY_DEPTH_UNKNOWN"],
    ),
    "accessory of known depth": (draft("SBS-54", accessories=[("SPD-VAL-MS-2P", 1)]), []),
    "duct of unknown depth": (draft("SBS-54", accessories=[("DUCT-40x60", 1)]), []),
    "free-standing": (draft("SBS-54", mount="STAND"), ["NO_STOCK_FOR_INSTALLATION"]),
    "many accessories": (
        draft("SBS-54", accessories=[("TB-FT030-10P", 200)]), ["TALLER_THAN_STOCK"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cautions(name: str, seed_snapshot: Snapshot) -> None:
    board, expected = CASES[name]
    found = run(board, seed_snapshot).estimate.warnings
    assert [caution.code for caution in found] == expected
    for caution in found:
        assert any("가" <= letter <= "힣" for letter in caution.message_ko)
        assert caution.message_en.isascii()


def test_unconfirmed_rule_says_why(seed_snapshot: Snapshot) -> None:
    caution = cautions(draft("SBS-404", rows(25)), seed_snapshot)["ECONOMIC_RULE_UNCONFIRMED"]
    assert "메인 400AF, 분기 25개" in caution.message_ko
    assert "400 AF, 25" in caution.message_en


def test_low_confidence_says_which_and_why(seed_snapshot: Snapshot) -> None:
    caution = cautions(draft("SBS-53"), seed_snapshot)["LOW_CONFIDENCE_ROW"]
    for message in (caution.message_ko, caution.message_en):
        assert "SANGDO SBS-53 3P" in message
        assert "outline differs" in message


def test_unknown_depths_are_named_together(seed_snapshot: Snapshot) -> None:
    lamp = Accessory("LAMP", "lamp", 300, 300)
    snapshot = with_tables(seed_snapshot, accessories=(*seed_snapshot.tables.accessories, lamp))
    items = [("TIMER-24H", 1), ("METER-3PH", 2), ("SPD-VAL-MS-2P", 1), ("LAMP", 1)]
    caution = cautions(draft("SBS-54", accessories=items), snapshot)["ACCESSORY_DEPTH_UNKNOWN"]
    assert caution.message_en.endswith(": METER-3PH, TIMER-24H.")


def test_larger_than_needed_names_both_sizes(seed_snapshot: Snapshot) -> None:
    board = draft("ABN-64", line("ABN-63", 39), brand="LS")
    caution = cautions(board, seed_snapshot)["LARGER_THAN_NEEDED"]
    for message in (caution.message_ko, caution.message_en):
        assert "600x1900 mm" in message
        assert "600x2100 mm" in message


def test_installation_without_stock_is_named_in_korean(seed_snapshot: Snapshot) -> None:
    caution = cautions(draft("SBS-54", mount="STAND"), seed_snapshot)["NO_STOCK_FOR_INSTALLATION"]
    assert caution.message_ko.startswith("옥내·자립·스틸 기성함이 지식에 없어")


def test_taller_than_stock_names_both_heights(seed_snapshot: Snapshot) -> None:
    low = tuple(row for row in seed_snapshot.tables.enclosures if row.height_dmm <= 6000)
    snapshot = with_tables(seed_snapshot, enclosures=low)
    board = draft("SBS-54", line("SES-54", 2), accessories=[("TIMER-24H", 16)])
    caution = cautions(board, snapshot)["TALLER_THAN_STOCK"]
    for message in (caution.message_ko, caution.message_en):
        assert "900" in message
        assert "600" in message


def test_as_tall_as_the_tallest_stock_is_no_caution(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", line("SES-54", 2), accessories=[("TIMER-24H", 16)])
    tallest = msgspec.structs.replace(seed_snapshot.tables.enclosures[0], height_dmm=9000)
    snapshot = with_tables(seed_snapshot, enclosures=(tallest,))
    assert run(board, snapshot).estimate.enclosure.H == 900
    assert "TALLER_THAN_STOCK" not in cautions(board, snapshot)
