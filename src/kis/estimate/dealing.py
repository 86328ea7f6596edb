"""Rows dealt to several busbars so that the tallest busbar is as low as it can be.

That is number partitioning. Rows first go to the lowest busbar, tallest row
first; then the tallest busbar and another share their rows anew by a subset sum,
as long as that lowers it. For two busbars the result is the optimum. For more it
mostly meets the lower bound and is then the optimum too. Where it does not, an
exact search closes the gap or proves that there is none; only a search that runs
out of steps leaves an answer that is not proved to be the least.
"""

from collections import Counter
from collections.abc import Iterator
from heapq import heapreplace
from math import gcd

from kis.estimate.busbars import Row

MAX_STEPS = 8_000
TWO = 2

Counts = tuple[int, ...]
"""How many rows of each height there are, in the order of `_Search.heights`."""
Bars = list[list[int]]
"""The indices of the rows on each busbar."""


def deal(rows: tuple[Row, ...], busbars: int) -> list[list[Row]]:
    """Deal `rows` to `busbars`, at most one busbar a row; each keeps their order."""
    if busbars == 1:
        return [list(rows)]
    # In units of the greatest common divisor the bit sets stay short.
    unit = gcd(*(row.height_dmm for row in rows)) or 1
    heights = [row.height_dmm // unit for row in rows]
    bars = _to_the_lowest(heights, busbars)
    loads = _loads(bars, heights)
    sums = _reachable(heights, max(loads))
    least = _least(heights, busbars, sums)
    tallest = _balance(bars, loads, heights, least)
    if busbars > TWO and tallest > least:
        limits = [limit for limit in range(least, tallest) if sums >> limit & 1]
        found = _Search(heights).first_deal(busbars, limits)
        bars = _indices(heights, found) if found else bars
    return [[rows[index] for index in sorted(bar)] for bar in bars]


def _loads(bars: Bars, heights: list[int]) -> list[int]:
    return [sum(heights[index] for index in bar) for bar in bars]


def _reachable(heights: list[int], most: int) -> int:
    """Return the sums of subsets up to `most`: bit n is set where n is one."""
    mask = (1 << (most + 1)) - 1
    sums = 1
    for height in heights:
        sums |= sums << height & mask
    return sums


def _least(heights: list[int], busbars: int, sums: int) -> int:
    """Return a height that the tallest busbar cannot be below.

    The busbars are subsets: under a limit each holds at most the greatest
    reachable sum below it, and all of them together must hold everything.
    """
    total = sum(heights)
    least = max(-(-total // busbars), *heights)
    while True:
        most = (sums & ((1 << (least + 1)) - 1)).bit_length() - 1
        if most * busbars >= total:
            return most
        above = sums >> (least + 1)
        least += (above & -above).bit_length()


def _indices(heights: list[int], bars: list[Counter[int]]) -> list[list[int]]:
    """Return which rows make up `bars`, given as heights and how often each occurs."""
    places: dict[int, list[int]] = {}
    for index in range(len(heights) - 1, -1, -1):
        places.setdefault(heights[index], []).append(index)
    return [
        [places[height].pop() for height, count in bar.items() for _ in range(count)]
        for bar in bars
    ]


# --- sharing anew ---------------------------------------------------------------------------


def _to_the_lowest(heights: list[int], busbars: int) -> Bars:
    bars: Bars = [[] for _ in range(busbars)]
    lowest = [(0, place) for place in range(busbars)]
    for index in sorted(range(len(heights)), key=lambda index: -heights[index]):
        load, place = lowest[0]
        heapreplace(lowest, (load + heights[index], place))
        bars[place].append(index)
    return bars


def _balance(bars: Bars, loads: list[int], heights: list[int], least: int) -> int:
    """Let the tallest of `bars` share with others while that lowers it; return its height."""
    while True:
        tallest = max(range(len(bars)), key=loads.__getitem__)
        others = sorted(range(len(bars)), key=loads.__getitem__)
        if loads[tallest] <= least or not any(
            _share(bars, loads, heights, tallest, other) for other in others if other != tallest
        ):
            return loads[tallest]


def _share(bars: Bars, loads: list[int], heights: list[int], tallest: int, other: int) -> bool:
    """Divide the rows of two busbars as evenly as can be; False: nothing is gained."""
    together = loads[tallest] + loads[other]
    rows = bars[tallest] + bars[other]
    taken = _closest_subset([heights[index] for index in rows], together // 2)
    lower = sum(heights[rows[place]] for place in taken)
    if together - lower >= loads[tallest]:
        return False
    bars[tallest] = [index for place, index in enumerate(rows) if place not in taken]
    bars[other] = [rows[place] for place in sorted(taken)]
    loads[tallest], loads[other] = together - lower, lower
    return True


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

    def first_deal(self, busbars: int, limits: list[int]) -> list[Counter[int]] | None:
        """Return a deal under the first of `limits` that allows one; None: none does."""
        for limit in limits:
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
