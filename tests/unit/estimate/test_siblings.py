"""What the same board with fewer branches needs."""

from itertools import product

import pytest

from kis.estimate.busbars import pair_rows
from kis.estimate.enclosure import Need
from kis.estimate.model import Form, Selection
from kis.estimate.siblings import siblings
from kis.estimate.sizing import budget
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot
from kis.units import round_up

from .boards import breaker, draft, enclosure, line, run, selected

STEP_DMM = 1000
TALLEST_DMM = 25_000
MAIN = selected(breaker("M", 4, 100, 1000, height_dmm=1500))
BRANCHES = (
    selected(breaker("LOW", 3, 50, 750, height_dmm=1000), 3),
    selected(breaker("FOUR", 4, 50, 1000, height_dmm=1000), 3),
    selected(breaker("HIGH", 3, 250, 1050, height_dmm=1650, depth_dmm=2100), 2),
)
BOARD = Selection(MAIN, BRANCHES, ())


def smaller_boards() -> list[Selection]:
    """Return the board with each choice among its branches."""
    choices = product(*(range(branch.line.quantity + 1) for branch in BRANCHES))
    return [
        BOARD.with_branches(
            tuple(
                selected(branch.row, count)
                for branch, count in zip(BRANCHES, counts, strict=True)
                if count
            )
        )
        for counts in choices
    ]


def need_of(board: Selection, form: Form, rules: RuleSet) -> Need:
    needs = budget(form, board, rules)
    rows = sum(row.height_dmm for row in pair_rows(board.branches, form, rules))
    return Need(
        round_up(needs.width_dmm(1), STEP_DMM),
        round_up(needs.height_dmm(rows), STEP_DMM),
        needs.depth_dmm,
    )


@pytest.mark.parametrize("form", ["ECONOMIC", "STANDARD"])
def test_bare_is_the_main_alone(form: Form, seed_snapshot: Snapshot) -> None:
    rules = seed_snapshot.rules
    found = siblings(form, BOARD, rules, TALLEST_DMM)
    assert found.bare == need_of(BOARD.with_branches(()), form, rules)


@pytest.mark.parametrize("form", ["ECONOMIC", "STANDARD"])
def test_an_enclosure_covers_what_smaller_boards_need(form: Form, seed_snapshot: Snapshot) -> None:
    """Every need is within one that is told, and each height told is one that a board has."""
    rules = seed_snapshot.rules
    needs = {need_of(board, form, rules) for board in smaller_boards()}
    covered_by = siblings(form, BOARD, rules, TALLEST_DMM).covered_by
    assert covered_by is not None
    told_of_all: set[Need] = set()
    for width, height, depth in product((500, 600, 700, 900), range(300, 1800, 50), (150, 250)):
        row = enclosure(width, height, depth)
        told = set(covered_by(row))
        fitting = {need for need in needs if _fits(need, row)}
        assert {need.height_dmm for need in told} <= {need.height_dmm for need in fitting}
        assert all(any(_within(need, most) for most in told) for need in fitting)
        told_of_all |= told
    assert len(told_of_all) > 4


def _fits(need: Need, row: object) -> bool:
    return all(getattr(need, side) <= getattr(row, side) for side in need.__struct_fields__[:3])


def _within(need: Need, most: Need) -> bool:
    sides = need.__struct_fields__
    return all(getattr(need, side) <= getattr(most, side) for side in sides)


def test_made_to_order_is_the_need_where_no_smaller_board_is_given_more(
    seed_snapshot: Snapshot,
) -> None:
    """One SBS-104 beside the main is all there is: nothing lies between 400x500 and 700x500."""
    board = draft("SBS-54", line("SBS-104"), mount="WALL")
    result = run(board, seed_snapshot).estimate
    assert (result.required.W, result.required.H) == (610, 450)
    assert (result.enclosure.W, result.enclosure.H) == (700, 500)


def test_made_to_order_is_larger_where_a_smaller_board_is_given_stock(
    seed_snapshot: Snapshot,
) -> None:
    """600x1800 is given stock of 700x1800; 600x1900 has less front, so it is 600x2100."""
    boards = [draft("ABN-64", line("ABN-63", quantity), brand="LS") for quantity in (38, 39)]
    small, large = (run(board, seed_snapshot).estimate for board in boards)
    assert [large.required.W, large.required.H] == [560, 1830]
    assert [small.enclosure.source, small.enclosure.W, small.enclosure.H] == ["stock", 700, 1800]
    assert [large.enclosure.source, large.enclosure.W, large.enclosure.H] == [
        "madeToOrder",
        600,
        2100,
    ]
