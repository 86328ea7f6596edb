"""One breaker more never makes the front of the enclosure smaller."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.model import BoardDraft, DeviceDraft, Estimate
from kis.knowledge.snapshot import Snapshot

from .boards import TALL, draft, drafts, enclosure, knowledge, line, run, with_tables
from .boards import breaker as body

many = settings(max_examples=30, deadline=None)


def front(result: Estimate) -> float:
    return result.enclosure.W * result.enclosure.H


def with_branch(board: BoardDraft, branch: DeviceDraft) -> BoardDraft:
    return msgspec.structs.replace(board, branches=(*(board.branches or ()), branch))


def fronts(board: BoardDraft, added: list[DeviceDraft], snapshot: Snapshot) -> list[float]:
    """Return the front of `board` and of each board on the way to all of `added`.

    It ends before the third busbar: see the last test.
    """
    found: list[float] = []
    for branch in [None, *added]:
        board = board if branch is None else with_branch(board, branch)
        result = run(board, snapshot).estimate
        if len(result.layout.busbars) > 2:
            break
        found.append(front(result))
    return found


@many
@given(data=st.data(), most=st.sampled_from([1, 12]))
def test_front_grows_breaker_by_breaker(
    seed_snapshot: Snapshot, data: st.DataObject, most: int
) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    board = data.draw(drafts(snapshot, most=most))
    rows = [row for row in snapshot.tables.breakers if row.brand == board.brand]
    few = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=3))
    picks = data.draw(st.lists(st.sampled_from(few), min_size=1, max_size=40))
    added = [DeviceDraft(model=row.model, poles=f"{row.poles}P") for row in picks]
    grown = fronts(board, added, snapshot)
    assert [(a, b) for a, b in pairwise(grown) if b < a] == []


@pytest.mark.parametrize("form", ["ECONOMIC", "STANDARD"])
@pytest.mark.parametrize("mount", ["SURFACE", "FLUSH", "STAND"])
@pytest.mark.parametrize(("location", "material"), [("INDOOR", "STEEL"), ("OUTDOOR", "SUS")])
def test_front_grows_from_the_main_alone(
    form: str, mount: str, location: str, material: str, seed_snapshot: Snapshot
) -> None:
    board = draft("SBS-104", form=form, mount=mount, location=location, material=material)
    added = [line("SIE-32"), line("SBE-103"), line("SES-203"), line("SEE-104")] * 12
    grown = fronts(board, added, seed_snapshot)
    assert len(grown) > 20
    assert grown == sorted(grown)


def test_wider_board_is_no_smaller_than_the_stock_of_a_narrower_one(
    seed_snapshot: Snapshot,
) -> None:
    """800x600 is given stock of 800x700; 900x600 would be smaller, so it is 1000x600."""
    bodies = (
        body("M", height_dmm=1300),
        body("WIDE", width=2500, height_dmm=2500),
        body("TALL", 3, 30, 100, height_dmm=3000),
    )
    stock = (enclosure(800, 700, 150),)
    snapshot = with_tables(seed_snapshot, breakers=bodies, enclosures=(*stock, TALL))
    board = draft("M", line("WIDE", 2), brand="LS")
    assert run(board, snapshot).estimate.enclosure.model == stock[0].model
    assert fronts(board, [line("TALL")], snapshot) == [800 * 700, 1000 * 600]


def test_odd_body_does_not_part_facing_four_poles(seed_snapshot: Snapshot) -> None:
    """A 4P of 60 mm and a 3P of 61 mm in one class: DIN devices come close to that."""
    bodies = (
        body("M", width=900, height_dmm=1510),
        body("F", 4, 50, 600, height_dmm=900),
        body("T", 3, 50, 610, height_dmm=900),
    )
    snapshot = with_tables(seed_snapshot, breakers=bodies)
    board = draft("M", line("F", 30), brand="LS", form="STANDARD")
    before, after = fronts(board, [line("T")], snapshot)
    assert after >= before


def test_front_grows_beyond_two_busbars(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-604", line("SBS-804", 24), line("SEE-104", 8), line("SBE-104", 2),
                  line("SEE-102"))  # fmt: skip
    before = run(board, seed_snapshot).estimate
    after = run(with_branch(board, line("SBE-104")), seed_snapshot).estimate
    assert len(before.layout.busbars) == 3
    assert front(after) >= front(before)
