"""Each line is looked up, by model or by frame; what cannot be told is asked for."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode, Finding
from kis.estimate.gates import normalise
from kis.estimate.model import BoardDraft, DeviceDraft, SelectedDevice, Selection
from kis.estimate.selection import MAX_CANDIDATES, select
from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.questions import Question
from kis.knowledge.snapshot import Snapshot

from .boards import breaker, draft, line, with_tables

NEED = ErrorCode.NEED_KNOWLEDGE_UPDATE


def select_from(board: BoardDraft, snapshot: Snapshot) -> Selection:
    normalised, origins = normalise(board, snapshot.rules)
    return select(normalised, snapshot, origins)


def refused(board: BoardDraft, snapshot: Snapshot) -> tuple[Finding, ...]:
    with pytest.raises(DomainError) as refusal:
        select_from(board, snapshot)
    return refusal.value.findings


def by_frame(af: int, poles: str, kind: BreakerType = "MCCB", **stated: Any) -> DeviceDraft:
    return DeviceDraft(af=af, poles=poles, type=kind, **stated)


def ls(main: DeviceDraft, **stated: Any) -> BoardDraft:
    return draft(main, brand="LS", **stated)


def twins(*, brands: Sequence[str], poles: Sequence[int]) -> tuple[Breaker, ...]:
    """Return bodies of one model."""
    return tuple(
        msgspec.structs.replace(breaker("TWIN", number), brand=brand)
        for brand in brands
        for number in poles
    )


WRONG = {
    "unknown main": (draft("SBS-999"), NEED, "$.main.model"),
    "unknown branch": (draft("SBS-54", line("NO")), NEED, "$.branches[0].model"),
    "model of another maker": (
        draft("ABN-104"), ErrorCode.BRAND_CONFLICT, "$.main.model",
    ),
    "model of another maker in a mixed board": (
        draft("SBS-54", line("ABN-104", brand="SANGDO"), brand="MIXED"),
        ErrorCode.BRAND_CONFLICT, "$.branches[0].brand",
    ),
    "other poles": (
        draft(line("SBS-54", poles="3P")), ErrorCode.POLES_MISMATCH, "$.main.poles",
    ),
    "other poles in a branch": (
        draft("SBS-54", line("SES-54"), line("SIE-32", poles="3P")),
        ErrorCode.POLES_MISMATCH, "$.branches[1].poles",
    ),
    "other kind of main": (
        draft("SBS-54", device_type="ELCB"), ErrorCode.DEVICE_TYPE_MISMATCH, "$.device.type",
    ),
    "other kind of branch": (
        draft("SBS-54", line("SIE-32", type="MCCB"), device_type="MCCB"),
        ErrorCode.DEVICE_TYPE_MISMATCH, "$.branches[0].type",
    ),
    "other frame": (
        draft(line("SBS-54", af=100)), ErrorCode.FRAME_SIZE_MISMATCH, "$.main.af",
    ),
    "no such rated current": (
        draft(line("SBS-54", at=25)), ErrorCode.RATED_CURRENT_MISMATCH, "$.main.at",
    ),
    "rated current above the frame": (
        ls(line("BKN-1P", at=64)), ErrorCode.RATED_CURRENT_MISMATCH, "$.main.at",
    ),
    "no row of that frame": (ls(by_frame(225, "3P")), NEED, "$.main.af"),
    "no row of that kind": (ls(by_frame(63, "3P")), NEED, "$.main.af"),
    "only compact rows of that frame": (
        draft("SBS-54", by_frame(30, "2P", "ELCB")), NEED, "$.branches[0].af",
    ),
    "no row of that frame with that current": (
        ls(by_frame(200, "2P", at=125)), ErrorCode.RATED_CURRENT_MISMATCH, "$.main.at",
    ),
    "unknown accessory": (
        draft("SBS-54", accessories=[("METER-3PH", 1), ("NO", 1)]),
        NEED, "$.accessories.items[1].code",
    ),
    "accessory without a height": (
        draft("SBS-54", accessories=[("FUSE-HOLDER", 1)]), NEED, "$.accessories.items[0].code",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str, seed_snapshot: Snapshot) -> None:
    board, code, path = WRONG[name]
    (finding,) = refused(board, seed_snapshot)
    assert (finding.code, finding.path) == (code, path)
    assert any("가" <= letter <= "힣" for letter in finding.message.ko)
    assert finding.message.en.isascii()
    assert finding.hint.ko
    assert finding.hint.en
    assert ("question" in finding.data) == (code is NEED)


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        (
            "other poles", "SBS-54는 4P인데 3P를 요청했습니다.",
            "극수를 4P로 바꾸거나 3P 모델을 고르십시오.",
        ),
        (
            "other kind of main", "SBS-54는 MCCB인데 ELCB를 요청했습니다.",
            "종류를 MCCB로 바꾸거나 ELCB 모델을 고르십시오.",
        ),
        (
            "other frame", "SBS-54의 프레임은 50AF인데 100AF를 요청했습니다.",
            "프레임을 50AF로 바꾸거나 비우십시오.",
        ),
        (
            "rated current above the frame", "정격전류 64A인 제품이 없습니다 (BKN-1P).",
            "가능한 값: 63 이하",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_korean(
    name: str, message: str, hint: str, seed_snapshot: Snapshot
) -> None:
    (finding,) = refused(WRONG[name][0], seed_snapshot)
    assert (finding.message.ko, finding.hint.ko) == (message, hint)


@pytest.mark.parametrize(
    ("board", "path"),
    [
        (draft("TWIN", brand="MIXED"), "$.main.brand"),
        (draft("TWIN", brand="LS"), "$.main.poles"),
    ],
)
def test_model_of_several_rows_must_be_told_apart(
    board: BoardDraft, path: str, seed_snapshot: Snapshot
) -> None:
    rows = twins(brands=("LS", "SANGDO"), poles=(3, 4))
    (finding,) = refused(board, with_tables(seed_snapshot, breakers=rows))
    assert (finding.code, finding.path) == (ErrorCode.REQ_MORE_INFO, path)
    assert "LS TWIN 3P, LS TWIN 4P" in finding.hint.ko
    assert finding.message.ko != finding.message.en


def test_all_that_is_wrong_with_a_line_is_told(seed_snapshot: Snapshot) -> None:
    """SES-54 is an ELCB of SANGDO with 50AF and four poles."""
    board = draft(line("SES-54", af=100, poles="3P", at=999), brand="LS", device_type="MCCB")
    assert [(finding.code, finding.path) for finding in refused(board, seed_snapshot)] == [
        (ErrorCode.BRAND_CONFLICT, "$.main.model"),
        (ErrorCode.POLES_MISMATCH, "$.main.poles"),
        (ErrorCode.DEVICE_TYPE_MISMATCH, "$.device.type"),
        (ErrorCode.FRAME_SIZE_MISMATCH, "$.main.af"),
        (ErrorCode.RATED_CURRENT_MISMATCH, "$.main.at"),
    ]


def test_what_any_row_of_a_model_has_is_not_wrong(seed_snapshot: Snapshot) -> None:
    rows = twins(brands=("LS",), poles=(3, 4))
    wide = msgspec.structs.replace(rows[1], frame_size_a=rows[0].frame_size_a + 50)
    snapshot = with_tables(seed_snapshot, breakers=(rows[0], wide))
    board = ls(line("TWIN", af=wide.frame_size_a, poles="2P"))
    (finding,) = refused(board, snapshot)
    assert finding.code is ErrorCode.POLES_MISMATCH


def test_lines_are_told_in_the_order_of_the_request(seed_snapshot: Snapshot) -> None:
    """The normalised board has four poles before three."""
    board = draft(
        "SBS-54", line("NO-1", poles="3P"), line("SES-54"), line("NO-2", poles="4P"),
        accessories=[("NO-B", 1), ("NO-A", 1)],
    )  # fmt: skip
    assert [finding.path for finding in refused(board, seed_snapshot)] == [
        "$.branches[0].model", "$.branches[2].model",
        "$.accessories.items[0].code", "$.accessories.items[1].code",
    ]  # fmt: skip


def test_paths_lead_to_the_lines_as_they_were_typed(seed_snapshot: Snapshot) -> None:
    """The board is sorted by poles, codes and names; the paths are not."""
    board = draft(
        "SBS-54",
        line("Z"), line("SIE-32"), line("A", 2, poles="4P"), line("SES-54"), line("A", poles="4P"),
        accessories=[("Z", 1), ("METER-3PH", 1), ("A", 1)],
    )  # fmt: skip
    paths = {finding.path: finding.message.en for finding in refused(board, seed_snapshot)}
    assert sorted(paths) == [
        "$.accessories.items[0].code", "$.accessories.items[2].code",
        "$.branches[0].model", "$.branches[2].model",
    ]  # fmt: skip
    assert "SANGDO A 4P" in paths["$.branches[2].model"]
    assert "SANGDO Z" in paths["$.branches[0].model"]


QUESTIONS = {
    "unknown main": Question(kind="breakerModel", brand="SANGDO", model="SBS-999"),
    "no row of that frame": Question(
        kind="breakerFrame", brand="LS", frame_size_a=225, poles=3, type="MCCB"
    ),
    "unknown accessory": Question(kind="accessory", code="NO"),
    "accessory without a height": Question(kind="outline", code="FUSE-HOLDER"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_unknown_is_a_question(name: str, seed_snapshot: Snapshot) -> None:
    (finding,) = refused(WRONG[name][0], seed_snapshot)
    assert finding.data == {"question": QUESTIONS[name]}


def test_compact_rows_are_offered_by_model(seed_snapshot: Snapshot) -> None:
    (finding,) = refused(WRONG["only compact rows of that frame"][0], seed_snapshot)
    assert "SIE-32, SIE-32 고감도" in finding.hint.ko
    assert "SIE-32, SIE-32 고감도" in finding.hint.en
    chosen = select_from(draft("SBS-54", line("SIE-32")), seed_snapshot)
    assert chosen.branches[0].row.grade == "compact"


class TestByFrame:
    def chosen(self, device: DeviceDraft, snapshot: Snapshot, form: str) -> SelectedDevice:
        return select_from(ls(device, form=form), snapshot).main

    @pytest.mark.parametrize(
        ("device", "economic", "standard"),
        [
            (by_frame(50, "3P"), "ABN-53", "ABS-53"),
            (by_frame(50, "3P", "ELCB"), "EBN-53", "EBS-53"),
            (by_frame(50, "2P", "ELCB"), "EBN-52", "EBN-52"),  # the only one that is not compact
            (by_frame(125, "3P"), "ABS-103", "ABS-103"),  # standard before premium
            (by_frame(63, "2P", "MCB"), "BKN-2P", "BKN-2P"),
            # The economy row ends at 600 A.
            (by_frame(800, "3P", "ELCB", at=800), "EBS-803", "EBS-803"),
            (by_frame(800, "3P", "ELCB"), "EBN-803", "EBS-803"),
        ],
    )
    def test_grade_by_form(
        self, device: DeviceDraft, economic: str, standard: str, seed_snapshot: Snapshot
    ) -> None:
        assert self.chosen(device, seed_snapshot, "ECONOMIC").row.model == economic
        assert self.chosen(device, seed_snapshot, "STANDARD").row.model == standard

    def test_then_the_smaller_body_then_the_name(self, seed_snapshot: Snapshot) -> None:
        def body(model: str, width: int, height: int, depth: int, grade: str | None) -> Breaker:
            return breaker(model, width=width, height_dmm=height, depth_dmm=depth, grade=grade)

        rows = (
            body("A-none", 100, 100, 100, None),
            body("B-large", 760, 1300, 600, "economy"),
            body("C-deep", 750, 1300, 610, "economy"),
            body("E-name", 750, 1300, 600, "economy"),
            body("D-name", 650, 1500, 600, "economy"),
            body("F-standard", 100, 100, 100, "standard"),
            body("G-compact", 10, 10, 10, "compact"),
        )
        main = self.chosen(
            by_frame(100, "3P"), with_tables(seed_snapshot, breakers=rows), "ECONOMIC"
        )
        models = [row.model for row in main.candidates]
        assert models == ["D-name", "E-name", "C-deep", "B-large", "F-standard"]
        assert len(models) == MAX_CANDIDATES
        assert main.row == main.candidates[0]

    def test_line_by_model_has_no_candidates(self, seed_snapshot: Snapshot) -> None:
        assert select_from(draft("SBS-54"), seed_snapshot).main.candidates == ()


def test_mixed_board_takes_each_line_from_its_maker(seed_snapshot: Snapshot) -> None:
    board = draft(
        "TS250U",
        line("SBE-103"),
        by_frame(50, "3P", brand="LS"),
        by_frame(50, "4P", brand="SANGDO"),
        brand="MIXED",
    )
    selection = select_from(board, seed_snapshot)
    assert selection.main.row.brand == "LS"
    assert [(b.row.brand, b.row.model) for b in selection.branches] == [
        ("SANGDO", "SBS-54"), ("LS", "ABN-53"), ("SANGDO", "SBE-103"),
    ]  # fmt: skip


def test_duct_and_door_need_no_outline(seed_snapshot: Snapshot) -> None:
    rows = (
        *seed_snapshot.tables.accessories,
        msgspec.structs.replace(seed_snapshot.tables.accessories[0], code="LAMP", kind="lamp",
                                width_dmm=None),
    )  # fmt: skip
    board = draft("SBS-54", accessories=[("LAMP", 3), ("DUCT-40x60", 2)])
    selection = select_from(board, with_tables(seed_snapshot, accessories=rows))
    assert [(a.row.code, a.quantity) for a in selection.accessories] == [
        ("DUCT-40x60", 2), ("LAMP", 3),
    ]  # fmt: skip
