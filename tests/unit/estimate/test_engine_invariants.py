"""What holds for every board, drawn from the shipped rows and from invented ones."""

from collections import Counter
from itertools import combinations
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.engine import Outcome, estimate
from kis.estimate.gates import normalise
from kis.estimate.model import AccessoryDraft, BoardDraft, DeviceDraft, Estimate, Placement
from kis.estimate.rerun import rerun
from kis.knowledge.snapshot import Snapshot, Tables
from kis.units import from_mm, round_up

from .boards import drafts, knowledge, run

many = settings(max_examples=60, deadline=None)
Box = tuple[int, int, int, int]
Line = TypeVar("Line", DeviceDraft, AccessoryDraft)


def encoded(outcome: Outcome) -> bytes:
    return msgspec.json.encode(outcome.estimate)


def box(placement: Placement) -> Box:
    """Left, top, right, bottom in tenths of a millimetre."""
    x, y = from_mm(placement.x), from_mm(placement.y)
    return x, y, x + from_mm(placement.w), y + from_mm(placement.h)


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@many
@given(data=st.data())
def test_everything_has_its_place(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    board = data.draw(drafts(snapshot))
    result = run(board, snapshot).estimate
    boxes = [box(placement) for placement in result.layout.placements]
    width, height = from_mm(result.enclosure.W), from_mm(result.enclosure.H)
    side = snapshot.rules.drawing.side_clearance_dmm
    assert [b for b in boxes if b[0] < side or b[2] > width - side] == []
    assert [b for b in boxes if b[1] < 0 or b[3] > height] == []
    assert [b for b in boxes if b[0] >= b[2] or b[1] >= b[3]] == []
    assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []
    assert placed(result) == asked_for(board, snapshot)


def placed(result: Estimate) -> Counter[tuple[str, str]]:
    return Counter((placement.role, placement.model) for placement in result.layout.placements)


def asked_for(board: BoardDraft, snapshot: Snapshot) -> Counter[tuple[str, str]]:
    """Count every breaker, and every accessory that is mounted on the plate."""
    assert board.main is not None
    counts = Counter([("main", board.main.model or "")])
    for branch in board.branches or ():
        counts["branch", branch.model or ""] += branch.quantity
    for item in board.accessories:
        row = snapshot.accessory(item.code)
        assert row is not None
        if snapshot.rules.accessories.takes_room(row):
            counts["accessory", item.code] += item.quantity
    return counts


@many
@given(data=st.data())
def test_enclosure_meets_the_requirement(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    outcome = run(data.draw(drafts(snapshot)), snapshot)
    chosen, required = outcome.estimate.enclosure, outcome.estimate.required
    assert chosen.W >= required.W
    assert chosen.H >= required.H
    assert chosen.D >= required.D
    is_floored = len(outcome.estimate.layout.busbars) > 1  # by the front of fewer busbars
    if not is_floored:
        assert (chosen.model or None) == smallest_economical(outcome, snapshot)
    if chosen.source == "madeToOrder":
        assert chosen.model is None
        assert from_mm(chosen.D) % snapshot.rules.stock.made_to_order_depth_step_dmm == 0
    else:
        row = next(row for row in outcome.stock if row.model == chosen.model)
        assert [
            row.width_dmm / 10, row.height_dmm / 10, row.depth_dmm / 10,
        ] == [chosen.W, chosen.H, chosen.D]  # fmt: skip


def smallest_economical(outcome: Outcome, snapshot: Snapshot) -> str | None:
    """Return the model of the stock that the rule gives; None: made to order."""
    required, rules = outcome.estimate.required, snapshot.rules.stock
    width = round_up(from_mm(required.W), rules.step_dmm)
    height = round_up(from_mm(required.H), rules.step_dmm)
    suits = [
        (row.width_dmm * row.height_dmm, row.depth_dmm, row.model)
        for row in outcome.stock
        if row.width_dmm >= width
        and row.height_dmm >= height
        and row.depth_dmm >= from_mm(required.D)
    ]
    front, _, model = min(suits, default=(0, 0, None))
    return model if front * 100 <= width * height * rules.max_front_percent else None


@many
@given(data=st.data())
def test_order_and_splitting_do_not_matter(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    board = data.draw(drafts(snapshot))
    branches = [part for whole in board.branches or () for part in split(data, whole)]
    accessories = [part for whole in board.accessories for part in split(data, whole)]
    other = msgspec.structs.replace(
        board,
        branches=tuple(data.draw(st.permutations(branches))),
        accessories=tuple(data.draw(st.permutations(accessories))),
    )
    assert normalise(other, snapshot.rules)[0] == normalise(board, snapshot.rules)[0]
    assert encoded(run(other, snapshot)) == encoded(run(board, snapshot))


def split(data: st.DataObject, whole: Line) -> list[Line]:
    """Return a line as it is, or as two whose quantities add up to it."""
    first = data.draw(st.integers(1, whole.quantity))
    rest = whole.quantity - first
    parts = [msgspec.structs.replace(whole, quantity=first)]
    return parts + ([msgspec.structs.replace(whole, quantity=rest)] if rest else [])


@many
@given(data=st.data())
def test_evidence_rows_are_enough(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    """The rows used, the candidates, all enclosures and the rules give the same estimate."""
    snapshot = data.draw(knowledge(seed_snapshot))
    board = data.draw(st.one_of(drafts(snapshot), by_frame(snapshot)))
    outcome = run(board, snapshot)
    normalised, _ = normalise(board, snapshot.rules)
    again = estimate(normalised, evidence_of(outcome, snapshot))
    assert encoded(again) == encoded(outcome)
    assert again.selection == outcome.selection


@st.composite
def by_frame(draw: st.DrawFn, snapshot: Snapshot) -> BoardDraft:
    """Draw a board whose branches are given by frame, poles and kind."""
    board = draw(drafts(snapshot))
    rows = snapshot.tables.breakers
    offered = [row for row in rows if row.brand == board.brand and row.grade != "compact"]
    lines = st.sampled_from(offered).map(
        lambda row: DeviceDraft(af=row.frame_size_a, poles=f"{row.poles}P", type=row.type)
    )
    return msgspec.structs.replace(board, branches=tuple(draw(st.lists(lines, max_size=4))))


def evidence_of(outcome: Outcome, snapshot: Snapshot) -> Snapshot:
    devices = (outcome.selection.main, *outcome.selection.branches)
    breakers = {row.key: row for d in devices for row in d.candidates or (d.row,)}
    accessories = {item.row.code: item.row for item in outcome.selection.accessories}
    tables = Tables(
        tuple(breakers.values()),
        snapshot.tables.enclosures,
        tuple(accessories.values()),
        snapshot.rules,
    )
    return Snapshot(tables, label="evidence")


@many
@given(data=st.data())
def test_normalised_board_is_a_request_itself(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    board = data.draw(drafts(seed_snapshot))
    normalised, _ = normalise(board, seed_snapshot.rules)
    outcome = rerun(msgspec.json.decode(msgspec.json.encode(normalised)), seed_snapshot)
    assert encoded(outcome) == encoded(run(board, seed_snapshot))
