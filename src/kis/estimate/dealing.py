"""Rows dealt to several busbars so that the tallest busbar is as low as it can be.

That is number partitioning. For two busbars a subset sum gives the optimum. For
more, a fill by subset sums is tried first: it mostly meets the lower bound and
is then the optimum too. Where it does not, an exact search closes the gap; the
boards for which that happens have few, large rows. Only a search that runs out
of steps leaves the fill's answer, which is then not proved to be the least.
"""

from collections import Counter
from collections.abc import Iterator
from heapq import heapreplace
from math import gcd

from kis.estimate.busbars import Row

MAX_STEPS = 8_000
MOST_FILLED = 24
"""More busbars than anyone builds; beyond, rows go to the lowest one, tallest row first."""
TWO = 2

Counts = tuple[int, ...]
"""How many rows of each height there are, in the order of `_Search.heights`."""


def deal(rows: tuple[Row, ...], busbars: int) -> list[list[Row]]:
    """Deal `rows` to `busbars`, at most one busbar a row; each keeps their order."""
    if busbars == 1:
        return [list(rows)]
    # In units of the greatest common divisor the bit sets stay short.
    unit = gcd(*(row.height_dmm for row in rows)) or 1
    heights = [row.height_dmm // unit for row in rows]
    least = max(-(-sum(heights) // busbars), *heights)
    if busbars > MOST_FILLED:
        return [[rows[index] for index in bar] for bar in _to_the_lowest(heights, busbars)]
    filled = _fill_all(heights, busbars, least)
    tallest = max(sum(heights[index] for index in bar) for bar in filled)
    if busbars > TWO and tallest > least:
        found = _Search(heights).least_deal(busbars, least, tallest)
        filled = _indices(heights, found) if found else filled
    return [[rows[index] for index in bar] for bar in filled]


def _indices(heights: list[int], bars: list[Counter[int]]) -> list[list[int]]:
    """Return which rows make up `bars`, given as heights and how often each occurs."""
    places: dict[int, list[int]] = {}
    for index in range(len(heights) - 1, -1, -1):
        places.setdefault(heights[index], []).append(index)
    return [
        sorted(places[height].pop() for height, count in bar.items() for _ in range(count))
        for bar in bars
    ]


def _to_the_lowest(heights: list[int], busbars: int) -> list[list[int]]:
    bars: list[list[int]] = [[] for _ in range(busbars)]
    lowest = [(0, place) for place in range(busbars)]
    for index in sorted(range(len(heights)), key=lambda index: -heights[index]):
        load, place = lowest[0]
        heapreplace(lowest, (load + heights[index], place))
        bars[place].append(index)
    return [sorted(bar) for bar in bars]


# --- filling by subset sums -------------------------------------------------------------


def _fill_all(heights: list[int], busbars: int, target: int) -> list[list[int]]:
    """Fill busbar after busbar up to `target`, which rises until everything fits.

    For two busbars the first rise lands on the optimum: a subset just above the
    target has a complement below it.
    """
    while True:
        bars, shortfall = _fill(heights, busbars, target)
        if not shortfall:
            return bars
        target += shortfall if busbars == TWO else -(-shortfall // busbars)


def _fill(heights: list[int], busbars: int, target: int) -> tuple[list[list[int]], int]:
    """Fill busbars with row indices up to `target`; return them and what is left over."""
    left = list(range(len(heights)))
    bars: list[list[int]] = []
    for _ in range(busbars - 1):
        taken = _closest_subset([heights[index] for index in left], target)
        bars.append([left[place] for place in sorted(taken)])
        left = [index for place, index in enumerate(left) if place not in taken]
    bars.append(left)
    return bars, max(0, sum(heights[index] for index in left) - target)


def _closest_subset(heights: list[int], target: int) -> set[int]:
    """Return the indices of a subset with the greatest sum not above `target`."""
    mask = (1 << (target + 1)) - 1
    reachable = [1]
    for height in heights:
        before = reachable[-1]
        reachable.append((before | before << height) & mask)
    remaining = reachable[-1].bit_length() - 1
    taken = set()
    for index in range(len(heights) - 1, -1, -1):
        if reachable[index] >> remaining & 1:
            continue
        taken.add(index)
        remaining -= heights[index]
    return taken


# --- the exact search -----------------------------------------------------------------------


class _Search:
    """Looks for a deal under a limit, busbar by busbar, the largest row left first.

    What a busbar leaves free is waste; all busbars together may waste no more
    than limit x busbars - total, which cuts the search down early.
    """

    def __init__(self, heights: list[int]) -> None:
        counts = Counter(heights)
        self.heights = sorted(counts, reverse=True)
        self._counts = tuple(counts[height] for height in self.heights)
        self._total = sum(heights)
        self._steps = 0
        self._dead: set[tuple[Counts, int]] = set()

    def least_deal(self, busbars: int, least: int, tallest: int) -> list[Counter[int]] | None:
        """Return a deal under the least limit from `least` on; None: `tallest` stands."""
        for limit in range(least, tallest):
            self._dead.clear()
            found = self._deal(self._counts, busbars, limit, limit * busbars - self._total)
            if found is not None:
                return found
            if self._steps > MAX_STEPS:
                return None
        return None

    def _deal(
        self, counts: Counts, busbars: int, limit: int, waste: int
    ) -> list[Counter[int]] | None:
        if not any(counts):
            return [Counter() for _ in range(busbars)]
        if busbars == 0 or (counts, busbars) in self._dead:
            return None
        for used, free in self._bars(counts, limit, waste):
            if self._steps > MAX_STEPS:
                return None
            left = tuple(has - takes for has, takes in zip(counts, used, strict=True))
            rest = self._deal(left, busbars - 1, limit, waste - free)
            if rest is not None:
                bar = Counter(dict(zip(self.heights, used, strict=True)))
                return [+bar, *rest]
        if self._steps <= MAX_STEPS:
            self._dead.add((counts, busbars))
        return None

    def _bars(self, counts: Counts, limit: int, waste: int) -> Iterator[tuple[Counts, int]]:
        """Yield the ways to fill a busbar that holds the largest row left, large rows first."""
        first = next(place for place, count in enumerate(counts) if count)
        below = [0] * (len(counts) + 1)
        for place in range(len(counts) - 1, -1, -1):
            below[place] = below[place + 1] + self.heights[place] * counts[place]

        def fill(place: int, free: int, used: Counts) -> Iterator[tuple[Counts, int]]:
            self._steps += 1
            if place == len(counts):
                yield used, free
                return
            most = min(counts[place], free // self.heights[place])
            least = 1 if place == first else 0
            for takes in range(most, least - 1, -1):
                left = free - takes * self.heights[place]
                if left - below[place + 1] > waste or self._steps > MAX_STEPS:
                    return
                yield from fill(place + 1, left, (*used, takes))

        for used, free in fill(first, limit, (0,) * first):
            if free <= waste:
                yield used, free
