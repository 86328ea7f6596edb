"""What must be stated is asked for, each with its path and in both languages."""

from typing import Any

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode, Finding
from kis.estimate.gates import Origins, check_statements, normalise
from kis.estimate.model import (
    MAX_ACCESSORY_LINES,
    MAX_BRANCH_LINES,
    MAX_DEVICES,
    AccessoryDraft,
    BoardDraft,
    DeviceDraft,
)
from kis.knowledge.questions import Question
from kis.knowledge.snapshot import Snapshot

from .boards import draft, line

UNSTATED = DeviceDraft()
NEED, MORE = ErrorCode.NEED_KNOWLEDGE_UPDATE, ErrorCode.REQ_MORE_INFO
BRAND, LARGE = ErrorCode.BRAND_CONFLICT, ErrorCode.BOARD_TOO_LARGE


def without(*fields: str, **stated: Any) -> BoardDraft:
    """Return a complete board of one branch without some of its statements."""
    board = draft("SBS-54", line("SIE-32"))
    return msgspec.structs.replace(board, **dict.fromkeys(fields), **stated)


def is_korean(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def found(board: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool = False) -> list[Finding]:
    return check_statements(board, snapshot.rules, allow_mixed=allow_mixed)


WRONG = {
    "no brand": (without("brand"), MORE, "$.brand"),
    "unknown brand": (without(brand="ABB"), NEED, "$.brand"),
    "mixed brands": (without(brand="MIXED"), BRAND, "$.brand"),
    "other brand in main": (without(main=line("X", brand="LS")), BRAND, "$.main.brand"),
    "unknown brand in main": (without(main=line("X", brand="ABB")), NEED, "$.main.brand"),
    "other brand in a branch": (
        without(branches=(line("SIE-32"), line("X", brand="LS"))), BRAND, "$.branches[1].brand",
    ),
    "no location": (without("location"), MORE, "$.installation.location"),
    "no mounting": (without("mount"), MORE, "$.installation.mount"),
    "no main": (without("main"), MORE, "$.main"),
    "main without model and frame": (
        without(main=DeviceDraft(poles="4P", type="MCCB")), MORE, "$.main",
    ),
    "main by frame without poles": (
        without(main=DeviceDraft(af=100), device_type="MCCB"), MORE, "$.main.poles",
    ),
    "main by frame without kind": (
        without(main=DeviceDraft(af=100, poles="4P")), MORE, "$.device.type",
    ),
    "no branches": (without("branches"), MORE, "$.branches"),
    "branch without model and frame": (
        without(branches=(line("SIE-32"), DeviceDraft(poles="2P", type="ELCB"))),
        MORE, "$.branches[1]",
    ),
    "branch by frame without poles": (
        without(branches=(DeviceDraft(af=50, type="ELCB"),)), MORE, "$.branches[0].poles",
    ),
    "branch by frame without kind": (
        without(branches=(DeviceDraft(af=50, poles="2P"),)), MORE, "$.branches[0].type",
    ),
    "no accessories": (without("accessories_enabled"), MORE, "$.accessories"),
    "accessories without items": (
        without(accessories_enabled=True), MORE, "$.accessories.items",
    ),
    "items without accessories": (
        without(accessories=(AccessoryDraft("METER-3PH"),)),
        ErrorCode.ACCESSORY_CONFLICT, "$.accessories.items",
    ),
    "too many lines": (
        without(branches=(line("SIE-32"),) * (MAX_BRANCH_LINES + 1)), LARGE, "$.branches",
    ),
    "too many accessory lines": (
        without(
            accessories_enabled=True,
            accessories=(AccessoryDraft("METER-3PH"),) * (MAX_ACCESSORY_LINES + 1),
        ),
        LARGE, "$.accessories.items",
    ),
    "too many devices": (without(branches=(line("SIE-32", MAX_DEVICES),)), LARGE, "$"),
    "too many accessories": (
        without(accessories_enabled=True, accessories=(AccessoryDraft("METER-3PH", 999),)),
        LARGE, "$",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str, seed_snapshot: Snapshot) -> None:
    board, code, path = WRONG[name]
    (finding,) = found(board, seed_snapshot)
    assert (finding.code, finding.path) == (code, path)
    assert is_korean(finding.message.ko)
    assert finding.message.en
    assert not is_korean(finding.message.en)
    assert finding.hint.ko
    assert finding.hint.en


def test_complete_board_passes(seed_snapshot: Snapshot) -> None:
    full = draft("SBS-54", line("SIE-32", MAX_DEVICES - 2), accessories=[("METER-3PH", 1)])
    assert found(full, seed_snapshot) == []


@pytest.mark.parametrize(
    "board",
    [
        without(branches=()),
        without(branches=(line("SIE-32"),) * MAX_BRANCH_LINES),
        without(main=DeviceDraft(af=100, poles="4P"), device_type="MCCB"),
        without(main=line("SBS-54", brand="SANGDO")),
        without("form", "material", "device_type"),
    ],
)
def test_statement_is_enough(board: BoardDraft, seed_snapshot: Snapshot) -> None:
    assert found(board, seed_snapshot) == []


def test_everything_is_asked_for_at_once(seed_snapshot: Snapshot) -> None:
    empty = BoardDraft(main=UNSTATED, branches=(UNSTATED,))
    assert [finding.path for finding in found(empty, seed_snapshot)] == [
        "$.brand",
        "$.installation.location",
        "$.installation.mount",
        "$.main",
        "$.main.poles",
        "$.device.type",
        "$.branches[0]",
        "$.branches[0].poles",
        "$.branches[0].type",
        "$.accessories",
    ]


@pytest.mark.parametrize(
    ("board", "korean", "english"),
    [
        (without("brand"), "브랜드 정보가 없습니다.", "The brand is not stated."),
        (
            without(accessories_enabled=True), "부속자재 품목 정보가 없습니다.",
            "The accessory items are not stated.",
        ),
        (
            without(branches=(line("SIE-32"),) * (MAX_BRANCH_LINES + 1)),
            f"분기 행이 {MAX_BRANCH_LINES + 1}개입니다. 최대 {MAX_BRANCH_LINES}개입니다.",
            f"{MAX_BRANCH_LINES + 1} branch lines; at most {MAX_BRANCH_LINES} are allowed.",
        ),
        (
            without(branches=(line("SIE-32", MAX_DEVICES),)),
            f"기기가 {MAX_DEVICES + 1}개입니다. 최대 {MAX_DEVICES}개입니다.",
            f"{MAX_DEVICES + 1} devices; at most {MAX_DEVICES} are allowed.",
        ),
    ],
)  # fmt: skip
def test_sentences_are_grammatical_in_both_languages(
    board: BoardDraft, korean: str, english: str, seed_snapshot: Snapshot
) -> None:
    (finding,) = found(board, seed_snapshot)
    assert (finding.message.ko, finding.message.en) == (korean, english)


def test_mixed_brands_are_suggested_only_where_they_are_allowed(seed_snapshot: Snapshot) -> None:
    (finding,) = found(without(main=line("X", brand="LS")), seed_snapshot)
    assert "ALLOW_MIXED_BRAND=true" in finding.hint.ko
    assert "ALLOW_MIXED_BRAND=true" in finding.hint.en


def test_unknown_brand_is_a_question(seed_snapshot: Snapshot) -> None:
    (finding,) = found(without(brand="ABB"), seed_snapshot)
    assert finding.data == {"question": Question(kind="brand", brand="ABB")}


class TestMixed:
    def test_brands_may_differ_where_it_is_allowed(self, seed_snapshot: Snapshot) -> None:
        board = without(brand="MIXED", branches=(line("X", brand="LS"),))
        assert found(board, seed_snapshot, allow_mixed=True) == []

    def test_line_by_frame_needs_a_brand(self, seed_snapshot: Snapshot) -> None:
        board = without(
            brand="MIXED", branches=(line("X"), DeviceDraft(af=50, poles="2P", type="ELCB"))
        )
        (finding,) = found(board, seed_snapshot, allow_mixed=True)
        assert (finding.code, finding.path) == (MORE, "$.branches[1].brand")
        assert finding.hint.ko

    def test_main_by_model_keeps_its_brand_open(self, seed_snapshot: Snapshot) -> None:
        board, _ = normalise(without(brand="MIXED"), seed_snapshot.rules)
        assert board.main.brand == ""


class TestNormalise:
    def test_defaults(self, seed_snapshot: Snapshot) -> None:
        board, _ = normalise(without(), seed_snapshot.rules)
        assert board.form == "ECONOMIC"
        assert board.installation.material == "STEEL"
        assert board.main.brand == "SANGDO"

    def test_kind_of_the_board_is_for_the_main_and_for_lines_by_frame(
        self, seed_snapshot: Snapshot
    ) -> None:
        by_frame = DeviceDraft(af=50, poles="2P")
        own_kind = DeviceDraft(af=50, poles="3P", type="ELCB")
        stated = without(device_type="MCCB", branches=(line("SIE-32"), by_frame, own_kind))
        board, _ = normalise(stated, seed_snapshot.rules)
        assert board.main.type == "MCCB"
        kinds = {(branch.model or branch.poles): branch.type for branch in board.branches}
        assert kinds == {"SIE-32": None, "2P": "MCCB", "3P": "ELCB"}

    def test_equal_lines_become_one_and_keep_their_first_place(
        self, seed_snapshot: Snapshot
    ) -> None:
        lines = (line("SIE-32", 2), line("SES-54"), line("SIE-32", 3), line("SIE-32", name="lift"))
        stated = without(
            branches=lines,
            accessories_enabled=True,
            accessories=(
                AccessoryDraft("TIMER-24H"), AccessoryDraft("METER-3PH"),
                AccessoryDraft("TIMER-24H", 4),
            ),
        )  # fmt: skip
        board, origins = normalise(stated, seed_snapshot.rules)
        assert [(b.model, b.name, b.quantity) for b in board.branches] == [
            ("SES-54", "", 1), ("SIE-32", "", 5), ("SIE-32", "lift", 1),
        ]  # fmt: skip
        assert [(i.code, i.quantity) for i in board.accessories.items] == [
            ("METER-3PH", 1), ("TIMER-24H", 5),
        ]  # fmt: skip
        assert origins == Origins(branches=(1, 0, 3), accessories=(1, 0))

    def test_order_is_by_poles_then_frame_then_model(self, seed_snapshot: Snapshot) -> None:
        lines = (
            DeviceDraft(af=50, poles="2P"), DeviceDraft(af=100, poles="2P"),
            line("B", poles="4P"), line("A", poles="4P"), line("C"),
        )  # fmt: skip
        stated = without(branches=lines, device_type="MCCB")
        _, origins = normalise(stated, seed_snapshot.rules)
        assert origins.branches == (3, 2, 1, 0, 4)

    def test_words_are_kept(self, seed_snapshot: Snapshot) -> None:
        stated = without(label="LP-1", customer="한빛전기", note="3층")
        board, _ = normalise(stated, seed_snapshot.rules)
        assert (board.label, board.customer, board.note) == ("LP-1", "한빛전기", "3층")

    def test_incomplete_board_is_refused(self, seed_snapshot: Snapshot) -> None:
        with pytest.raises(DomainError) as refusal:
            normalise(without("branches"), seed_snapshot.rules)
        assert refusal.value.main.code is MORE
