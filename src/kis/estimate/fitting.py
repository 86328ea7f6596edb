"""How many busbars, how wide, which enclosure: the smallest front that does.

An estimate must not get smaller when a breaker is added. Three choices are
made here in a way that keeps this true (docs/adr/0003): the number of busbars
never falls, a board with n busbars is never given less front than the largest
board of the same width with n - 1, and of all widths the one with the smallest
front is taken.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from kis.estimate.accessories import Arrangement, Unit, arrange, space_at, widest_dmm
from kis.estimate.busbars import Row
from kis.estimate.dealing import deal
from kis.estimate.enclosure import Choice, Need, Siblings, choose
from kis.estimate.sizing import Budget
from kis.knowledge.model import StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.units import round_up


class Fit(msgspec.Struct, frozen=True):
    """A chosen enclosure with the requirement that it meets (unrounded W and H)."""

    need: Need
    width_dmm: int
    height_dmm: int
    main_band_dmm: int
    busbars: list[list[Row]]
    arrangement: Arrangement
    choice: Choice


def fit(
    needs: Budget,
    siblings: Callable[[], Siblings],
    rows: tuple[Row, ...],
    units: list[Unit],
    main_width_dmm: int,
    stock: tuple[StockEnclosure, ...],
    tallest_stock_dmm: int,
    rules: RuleSet,
) -> Fit:
    """Return the smallest enclosure for `needs` with `rows` and accessories `units`.

    `siblings` gives the same board with fewer branches.
    """
    busbars = _deal(rows, needs, tallest_stock_dmm)
    count = max(1, len(busbars))
    load = _load_dmm(busbars)
    height = needs.height_dmm(load)
    if count > 1 or units:
        # What siblings need is told for one busbar and without accessories only.
        siblings = partial(_bare_alone, siblings)
    finder = _Finder(needs, siblings, busbars, units, main_width_dmm, stock, rules)
    least_front = 0
    if count > 1:
        fewer = finder.smallest(needs.width_dmm(count - 1), tallest_stock_dmm, 0, 0)
        least_front = fewer.choice.front
    free = height - needs.outside_dmm - load
    return finder.smallest(needs.width_dmm(count), height, free, least_front)


def _bare_alone(siblings: Callable[[], Siblings]) -> Siblings:
    return Siblings(siblings().bare)


def _load_dmm(busbars: list[list[Row]]) -> int:
    """Return C: the rows of the tallest busbar."""
    return max([sum([row.height_dmm for row in bar]) for bar in busbars], default=0)


def _deal(rows: tuple[Row, ...], needs: Budget, tallest_stock_dmm: int) -> list[list[Row]]:
    """Use one busbar more until the board is no taller than the tallest stock enclosure.

    Where that cannot be, more busbars are no help: one takes all.
    """
    if not rows:
        return []
    limit = tallest_stock_dmm
    heights = [row.height_dmm for row in rows]
    if needs.height_dmm(max(heights)) > limit:
        return [list(rows)]
    room = limit - needs.outside_dmm
    count = max(1, -(-sum(heights) // room))
    while True:
        dealt = deal(rows, count)
        if needs.height_dmm(_load_dmm(dealt)) <= limit or count >= len(rows):
            return dealt
        count += 1


class _Finder(msgspec.Struct, frozen=True):
    """Everything that stays the same while widths are tried."""

    needs: Budget
    siblings: Callable[[], Siblings]
    busbars: list[list[Row]]
    units: list[Unit]
    main_width_dmm: int
    stock: tuple[StockEnclosure, ...]
    rules: RuleSet

    def smallest(self, width_dmm: int, height_dmm: int, free_dmm: int, least_front: int) -> Fit:
        """Return the fit with the smallest front over all widths from `width_dmm` up.

        A wider enclosure can be the smaller one when it shortens the rows of
        accessories. Widths end where even the branches alone would need more
        front than the best so far.
        """
        step = self.rules.stock.step_dmm
        side = self.rules.drawing.side_clearance_dmm
        least_width = max(width_dmm, widest_dmm(self.units) + 2 * side)
        best = self._at(least_width, height_dmm, free_dmm, least_front)
        if not self.units:
            return best
        width = round_up(least_width, step) + step
        while (
            width <= self.rules.accessories.widen_up_to_dmm
            and width * round_up(height_dmm, step) < best.choice.front
        ):
            other = self._at(width, height_dmm, free_dmm, least_front)
            if other.choice.front < best.choice.front:
                best = other
            width += step
        return best

    def _at(self, width_dmm: int, height_dmm: int, free_dmm: int, least_front: int) -> Fit:
        step = self.rules.stock.step_dmm
        rounded = round_up(width_dmm, step)
        arrangement = arrange(
            self.units,
            space_at(rounded, self.main_width_dmm, self.rules.drawing),
            self.needs.main_dmm,
            free_dmm,
            self.rules.accessories,
        )
        beside = arrangement.beside
        band = max(self.needs.main_dmm, beside.height_dmm if beside else 0)
        height = height_dmm + max(0, arrangement.height_dmm - free_dmm)
        height += band - self.needs.main_dmm
        need = Need(rounded, round_up(height, step), self.needs.depth_dmm, least_front)
        choice = choose(need, self.siblings, self.stock, self.rules.stock)
        return Fit(need, width_dmm, height, band, self.busbars, arrangement, choice)
