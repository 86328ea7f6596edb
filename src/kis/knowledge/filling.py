"""Boards that fill a stock enclosure, so that an estimate has cause to choose it.

The engine turns to an order made to size where the enclosure that fits is much too
large; a small board would never try a large enclosure. What a board requires is
reckoned here by the ECONOMIC rule; the estimate itself remains the engine's.
"""

from collections.abc import Iterable
from typing import NamedTuple

from kis.knowledge.model import Breaker, StockEnclosure
from kis.knowledge.rules import RuleSet, row_for_frame

MAX_BRANCHES = 100


class Filling(NamedTuple):
    """A main, and how many branches of its own kind make the board fill the enclosure."""

    main: Breaker
    branches: int


def best_fillings(
    enclosure: StockEnclosure, mains: Iterable[Breaker], rules: RuleSet
) -> list[Filling]:
    """Return the boards of `mains` that fit into `enclosure`, the largest front first."""
    found = []
    for main in mains:
        filled = _fill(enclosure, main, rules)
        if filled is not None:
            front, branches = filled
            found.append((-front, main.key, Filling(main, branches)))
    return [filling for _, _, filling in sorted(found, key=lambda entry: entry[:2])]


def _fill(enclosure: StockEnclosure, main: Breaker, rules: RuleSet) -> tuple[int, int] | None:
    """Return the front area and the branches of a board with `main`; None if it does not fit."""
    depth_row = row_for_frame(rules.depth.table, main.frame_size_a)
    depth_dmm = main.depth_dmm + rules.depth.body_clearance_dmm
    if depth_row is None or enclosure.depth_dmm < max(depth_row.depth_dmm, depth_dmm):
        return None
    # What is required is rounded up to whole steps: the rest of the enclosure is no use.
    step = rules.stock.step_dmm
    width, height = (side // step * step for side in (enclosure.width_dmm, enclosure.height_dmm))
    allowance = rules.economic.width_allowance_dmm_by_main_poles[f"{main.poles}P"]
    main_height = main.height_dmm + rules.economic.height_allowance_dmm
    if main.width_dmm + allowance > width or main_height > height:
        return None
    across = max(main.width_dmm, 2 * main.height_dmm) + allowance
    rows = min((height - main_height) // main.width_dmm, MAX_BRANCHES // 2)
    if across > width or not rows:
        return (main.width_dmm + allowance) * main_height, 0
    return across * (main_height + rows * main.width_dmm), 2 * rows
