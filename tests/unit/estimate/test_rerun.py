"""A request once more: through the gates, and under other knowledge."""

from typing import Any

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode
from kis.estimate.model import BoardDraft
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit, rerun, resize
from kis.knowledge.snapshot import Snapshot
from kis.units import Size
from tests.services import board
from tests.unit.estimate.boards import draft, with_tables


def test_board_that_passes_the_gates(seed_snapshot: Snapshot) -> None:
    admitted, origins = admit(draft("SBS-54"), seed_snapshot.rules, allow_mixed=False)
    assert admitted.main.model == "SBS-54"
    assert origins.branches == ()


@pytest.mark.parametrize("allow_mixed", [True, False])
def test_gates_have_their_say(seed_snapshot: Snapshot, allow_mixed: bool) -> None:
    with pytest.raises(DomainError) as error:
        admit(BoardDraft(brand="MIXED"), seed_snapshot.rules, allow_mixed=allow_mixed)
    codes = {finding.code for finding in error.value.findings}
    assert ErrorCode.REQ_MORE_INFO in codes
    assert (ErrorCode.BRAND_CONFLICT in codes) is not allow_mixed


def test_normalised_request_gives_the_same_estimate(seed_snapshot: Snapshot) -> None:
    """What an answer holds as its request is asked again by regressions and verification."""
    admitted, _ = admit(parse_board(board()), seed_snapshot.rules, allow_mixed=False)
    normalised = msgspec.json.decode(msgspec.json.encode(admitted))
    assert normalised != board()
    assert rerun(normalised, seed_snapshot).estimate == rerun(board(), seed_snapshot).estimate


def test_only_the_size(seed_snapshot: Snapshot) -> None:
    enclosure = rerun(board(), seed_snapshot).estimate.enclosure
    assert resize(board(), seed_snapshot) == Size(enclosure.W, enclosure.H, enclosure.D)


def test_size_of_the_board_that_a_maker_sells(seed_snapshot: Snapshot) -> None:
    size = resize(board(), seed_snapshot)
    assert (size.W, size.H, size.D) == (500, 600, 150)


def test_brands_may_be_mixed(seed_snapshot: Snapshot) -> None:
    """Whether they may was decided when it was asked."""
    mixed = board(
        brand="MIXED",
        main={"brand": "SANGDO", "model": "SBS-54"},
        branches=[{"brand": "LS", "model": "ABN-52"}],
    )
    assert resize(mixed, seed_snapshot).W > 0


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, ErrorCode.REQ_MORE_INFO),
        ([], ErrorCode.INVALID_REQUEST),
        (board(main={"model": "NO-SUCH"}), ErrorCode.NEED_KNOWLEDGE_UPDATE),
    ],
)
def test_request_that_has_no_answer(
    seed_snapshot: Snapshot, request_: Any, code: ErrorCode
) -> None:
    with pytest.raises(DomainError) as error:
        rerun(request_, seed_snapshot)
    assert error.value.main.code is code


def test_other_knowledge_gives_another_size(seed_snapshot: Snapshot) -> None:
    wider = tuple(
        msgspec.structs.replace(row, height_dmm=row.height_dmm + 1000)
        for row in seed_snapshot.tables.breakers
    )
    other = with_tables(seed_snapshot, breakers=wider)
    assert resize(board(), other).H > resize(board(), seed_snapshot).H
