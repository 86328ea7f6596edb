"""From a requirement to an enclosure: stock where it does, else made to order.

The choice is monotone: a board with one breaker more never gets a smaller
front area. DOMAIN's 1.3 rule alone does not have that property (a small board
may take a stock enclosure of up to 1.3 x its need, and a slightly larger one,
too far from the next stock size, would be made to order smaller than that), so
a made-to-order front is lifted to the largest stock front that the same board
with fewer branches is given. See docs/adr/0003.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import msgspec

from kis.estimate.model import Installation, Rejected
from kis.knowledge.memory import remembered
from kis.knowledge.model import StockEnclosure
from kis.knowledge.rules import Stock
from kis.knowledge.snapshot import Snapshot
from kis.units import Size, round_up, to_mm

MAX_REMEMBERED_ROWS = 20_000
"""Of rejections: some 800 needs of the shipped stock, in 4 MB at most."""


class Need(msgspec.Struct, frozen=True):
    """What an enclosure must offer, in tenths of a millimetre.

    W and H are rounded up already. `front` is a least front area in square
    tenths: a dimension of its own, for boards whose smaller siblings are wide
    or tall where they are not.
    """

    width_dmm: int
    height_dmm: int
    depth_dmm: int
    front: int = 0

    @property
    def needed_front(self) -> int:
        """The front area that the need comes to."""
        return max(self.width_dmm * self.height_dmm, self.front)


class Choice(msgspec.Struct, frozen=True):
    """A chosen enclosure; `stock` is None when it is made to order."""

    width_dmm: int
    height_dmm: int
    depth_dmm: int
    stock: StockEnclosure | None

    @property
    def front(self) -> int:
        """Front area in square tenths of a millimetre."""
        return self.width_dmm * self.height_dmm

    @property
    def size(self) -> Size:
        """The outside dimensions in mm."""
        return Size(to_mm(self.width_dmm), to_mm(self.height_dmm), to_mm(self.depth_dmm))


class Siblings(msgspec.Struct, frozen=True):
    """What the same board with fewer branches needs.

    `bare` is the need without any branch. `covered_by` gives the largest needs
    that an enclosure covers; without it, anything from `bare` up is taken to be
    the need of some sibling.
    """

    bare: Need
    covered_by: Callable[[StockEnclosure], Iterable[Need]] | None = None


def stock_at(snapshot: Snapshot, place: Installation) -> tuple[StockEnclosure, ...]:
    """Return the stock enclosures that can be installed there, by front area, then depth."""
    mount = snapshot.rules.stock_mount[place.mount]
    return snapshot.stock(place.location, mount, place.material)


def choose(
    need: Need,
    siblings: Callable[[], Siblings],
    stock: Sequence[StockEnclosure],
    rules: Stock,
) -> Choice:
    """Return the smallest stock enclosure that does, or one made to order.

    `stock` is sorted by front area, then depth. Stock over
    `rules.max_front_percent` of the needed front is not used. `siblings` are asked
    for where none does, and only if some stock is of such a front.
    """
    fitting = _smallest(need, stock)
    if fitting is not None and _is_economical(fitting, need, rules):
        return Choice(fitting.width_dmm, fitting.height_dmm, fitting.depth_dmm, fitting)
    least_front = max(need.front, _front_of_siblings(need, siblings, stock, rules))
    width, height = _smallest_front(need, least_front, stock, rules.step_dmm)
    depth = round_up(need.depth_dmm, rules.made_to_order_depth_step_dmm)
    return Choice(width, height, depth, None)


def _smallest_front(
    need: Need, least_front: int, stock: Sequence[StockEnclosure], step_dmm: int
) -> tuple[int, int]:
    """Return the smallest W x H in steps that covers `need` and has `least_front`.

    Nearly always that is the need itself. Both sides may grow, and the fronts
    of stock enclosures (a few are not in steps) count as candidates, because
    only the minimum over all that is allowed is monotone.
    """
    width, height = need.width_dmm, need.height_dmm
    if width * height >= least_front:
        return width, height
    candidates = [
        (_front(row), row.width_dmm, row.height_dmm)
        for row in stock
        if row.width_dmm >= width and row.height_dmm >= height and _front(row) >= least_front
    ]
    best = min(candidates, default=(least_front + width * step_dmm, 0, 0))
    while width * height < best[0]:
        lifted = max(height, round_up(-(-least_front // width), step_dmm))
        best = min(best, (width * lifted, width, lifted))
        width += step_dmm
    return best[1], best[2]


def _front(row: StockEnclosure) -> int:
    return row.width_dmm * row.height_dmm


def _fits(row: StockEnclosure, need: Need) -> bool:
    return (
        row.width_dmm >= need.width_dmm
        and row.height_dmm >= need.height_dmm
        and row.depth_dmm >= need.depth_dmm
        and _front(row) >= need.front
    )


def _covers(need: Need, bare: Need) -> bool:
    return (
        need.width_dmm >= bare.width_dmm
        and need.height_dmm >= bare.height_dmm
        and need.depth_dmm >= bare.depth_dmm
    )


def _smallest(need: Need, stock: Sequence[StockEnclosure]) -> StockEnclosure | None:
    for index in range(bisect_left(stock, need.needed_front, key=_front), len(stock)):
        if _fits(stock[index], need):
            return stock[index]
    return None


def _is_economical(row: StockEnclosure, need: Need, rules: Stock) -> bool:
    return _front(row) * 100 <= need.needed_front * rules.max_front_percent


def _front_of_siblings(
    need: Need, siblings: Callable[[], Siblings], stock: Sequence[StockEnclosure], rules: Stock
) -> int:
    """Return the largest stock front that a board with fewer branches is given.

    Only fronts between the need's own and 1.3 x it can matter, and mostly no
    need whatever from the bare one up is given one of them.
    """
    least, most = need.needed_front, need.needed_front * rules.max_front_percent // 100
    rows = stock[bisect_right(stock, least, key=_front) : bisect_right(stock, most, key=_front)]
    if not rows:
        return 0
    smaller = siblings()
    parts = (_part(need, row, rules) for row in rows)
    covered = (part for part in parts if _covers(part, smaller.bare))
    largest = _largest_given(covered, stock, rules)
    if smaller.covered_by is None or not largest:
        return largest
    return _largest_given(chain.from_iterable(map(smaller.covered_by, rows)), stock, rules)


def _part(need: Need, row: StockEnclosure, rules: Stock) -> Need:
    """Return the largest part of `need` that `row` covers."""
    return Need(
        min(need.width_dmm, row.width_dmm // rules.step_dmm * rules.step_dmm),
        min(need.height_dmm, row.height_dmm // rules.step_dmm * rules.step_dmm),
        min(need.depth_dmm, row.depth_dmm),
        min(need.front, _front(row)),
    )


def _largest_given(needs: Iterable[Need], stock: Sequence[StockEnclosure], rules: Stock) -> int:
    """Return the largest stock front that one of `needs` is given; 0: none is."""
    given = ((_smallest(need, stock), need) for need in needs)
    return max(
        (_front(row) for row, need in given if row and _is_economical(row, need, rules)), default=0
    )


@remembered(MAX_REMEMBERED_ROWS)
def rejections_at(
    snapshot: Snapshot, place: Installation, need: Need, chosen: Choice
) -> tuple[Rejected, ...]:
    """Return `explain_rejections` for the stock of `place`: few needs are new."""
    return explain_rejections(need, chosen, stock_at(snapshot, place), snapshot.rules.stock)


def explain_rejections(
    need: Need, chosen: Choice, stock: Sequence[StockEnclosure], rules: Stock
) -> tuple[Rejected, ...]:
    """Say for each stock enclosure that is smaller than the chosen one why it does not do."""
    size = (chosen.front, chosen.depth_dmm)
    rejected = []
    for row in stock:
        if (_front(row), row.depth_dmm) >= size:
            # Larger, but the smallest that fits: too large is a reason as well.
            if chosen.stock is None and _fits(row, need):
                rejected.append(_reject(row, _too_large(row, need, rules)))
                break
            continue
        rejected.append(_reject(row, _too_small(row, need) or _too_large(row, need, rules)))
    return tuple(rejected)


def _reject(row: StockEnclosure, reason: str) -> Rejected:
    return Rejected(
        row.model, to_mm(row.width_dmm), to_mm(row.height_dmm), to_mm(row.depth_dmm), reason
    )


def _too_small(row: StockEnclosure, need: Need) -> str:
    short = []
    if row.width_dmm < need.width_dmm:
        short.append(f"W {to_mm(row.width_dmm)} < {to_mm(need.width_dmm)}")
    if row.height_dmm < need.height_dmm:
        short.append(f"H {to_mm(row.height_dmm)} < {to_mm(need.height_dmm)}")
    if row.depth_dmm < need.depth_dmm:
        short.append(f"D {to_mm(row.depth_dmm)} < {to_mm(need.depth_dmm)}")
    if not short and _front(row) < need.front:
        return f"앞면 front {_front(row) / 1e8:.2f} < {need.front / 1e8:.2f} m²"
    return ", ".join(short)


def _too_large(row: StockEnclosure, need: Need, rules: Stock) -> str:
    ratio = rules.max_front_percent / 100
    return f"앞면 front {_front(row) / 1e8:.2f} > {ratio:.1f} × {need.needed_front / 1e8:.2f} m²"
