"""Stored estimates once more under another version: counted, compared, explained. Pure.

Sums are integers in tenths of a millimetre, and cases are ranked by what they are,
so the report does not depend on where a replay was interrupted.
"""

from bisect import insort
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from kis.estimate.causes import Cause
from kis.estimate.verdict import Judgement, Sides, Verdict
from kis.units import DMM_PER_MM

MAX_CASES = 200
"""How many cases are kept: changed ones with the largest change, the first failed ones."""

MAX_EFFECTS = 20_000
SIDES = ("width", "height", "depth")


class StoredSize(NamedTuple):
    """An estimate as far as a replay needs it. Lengths in mm; `request` is a bare one."""

    id: str
    width_mm: float
    height_mm: float
    depth_mm: float
    enclosure_model: str | None
    knowledge_version: str
    request: bytes

    @property
    def verdict(self) -> Verdict:
        """What was answered."""
        return Verdict((self.width_mm, self.height_mm, self.depth_mm), self.enclosure_model)


class Figure(msgspec.Struct):
    """How one measure changed: dmm, or square dmm for the front. Growth is positive."""

    grown: int = 0
    shrunk: int = 0
    change: int = 0
    most_grown: int = 0
    most_shrunk: int = 0

    def add(self, change: int, times: int) -> None:
        """Count so many estimates whose measure changed by so much."""
        self.grown += times * (change > 0)
        self.shrunk += times * (change < 0)
        self.change += change * times
        self.most_grown = max(self.most_grown, change)
        self.most_shrunk = min(self.most_shrunk, change)


class Refusals(msgspec.Struct):
    """How many estimates fail with one code, and the first of them."""

    count: int
    first: str


class CauseCount(msgspec.Struct):
    """How many estimates a cause appears in."""

    cause: Cause
    changed: int = 0
    failed: int = 0


class ReplayCase(msgspec.Struct, frozen=True):
    """One estimate that does not come out as before; `rank` orders, largest first."""

    id: str
    rank: int
    before: Verdict
    after: Verdict
    causes: tuple[Cause, ...]

    @property
    def order(self) -> tuple[int, str]:
        """The key to sort by."""
        return -self.rank, self.id


class Tally(msgspec.Struct):
    """What was counted so far. It can be stored as JSON and gone on with."""

    total: int = 0
    passed: int = 0
    changed: int = 0
    failed: int = 0
    to_stock: int = 0
    to_made: int = 0
    front_before: int = 0
    front_after: int = 0
    figures: dict[str, Figure] = msgspec.field(
        default_factory=lambda: {name: Figure() for name in (*SIDES, "front")}
    )
    refusals: dict[str, Refusals] = msgspec.field(default_factory=dict)
    causes: list[CauseCount] = msgspec.field(default_factory=list)
    changed_cases: list[ReplayCase] = msgspec.field(default_factory=list)
    failed_cases: list[ReplayCase] = msgspec.field(default_factory=list)


Explain = Callable[[StoredSize, Verdict, Verdict], tuple[Cause, ...]]
"""Tells the causes of one estimate, from its verdicts before and after."""


class _Effect(msgspec.Struct):
    """How often the same became of the same; few things become of a million estimates."""

    rank: int
    count: int = 0


class Counter:
    """Adds estimates, in the order of ids, to a tally, which `settle` completes.

    `explain` is asked for those that are not as before.
    """

    def __init__(self, tally: Tally, explain: Explain) -> None:
        """Go on with `tally`."""
        self.tally = tally
        self._explain = explain
        self._causes = {count.cause: count for count in tally.causes}
        self._effects: dict[tuple[Verdict, Verdict, tuple[Cause, ...]], _Effect] = {}
        is_full = len(tally.changed_cases) == MAX_CASES
        self._least_rank = tally.changed_cases[-1].rank if is_full else -1

    def add(self, rows: Iterable[StoredSize], judgements: Iterable[Judgement]) -> None:
        """Count `rows` with the judgement of each."""
        total = passed = 0
        for row, judgement in zip(rows, judgements, strict=True):
            total += 1
            after, before = judgement.after, judgement.before
            if before is None:
                # The quick way through nearly all rows: no object is made.
                if after.sides == row[1:4] and (after.model is None) == (row[4] is None):
                    passed += 1
                    continue
                before = row.verdict
            if is_same(before, after):
                passed += 1
            else:
                self._count_odd(row, before, after)
        self.tally.total += total
        self.tally.passed += passed

    def _count_odd(self, row: StoredSize, before: Verdict, after: Verdict) -> None:
        causes = self._explain(row, before, after)
        key = (before, after, causes)
        effect = self._effects.get(key)
        if effect is None:
            if len(self._effects) >= MAX_EFFECTS:
                self.settle()
            effect = self._effects[key] = _Effect(_rank(before, after))
        effect.count += 1
        tally = self.tally
        if after.sides is None:
            if effect.count == 1:
                tally.refusals.setdefault(after.code, Refusals(0, row.id))
            if len(tally.failed_cases) < MAX_CASES:
                tally.failed_cases.append(ReplayCase(row.id, 0, before, after, causes))
        elif effect.rank > self._least_rank:
            # Ids ascend: of equal cases the first ones are kept.
            worst = tally.changed_cases
            case = ReplayCase(row.id, effect.rank, before, after, causes)
            insort(worst, case, key=lambda case: case.order)
            del worst[MAX_CASES:]
            self._least_rank = worst[-1].rank if len(worst) == MAX_CASES else -1

    def settle(self) -> None:
        """Put into the tally what was counted by effect; it is complete after this."""
        for (before, after, causes), effect in self._effects.items():
            is_failed = after.sides is None
            for cause in causes:
                self._count_cause(cause, effect.count, is_failed=is_failed)
            if is_failed:
                self.tally.failed += effect.count
                self.tally.refusals[after.code].count += effect.count
            else:
                self.tally.changed += effect.count
                self._measure(before, after, effect.count)
        self._effects.clear()

    def _count_cause(self, cause: Cause, times: int, *, is_failed: bool) -> None:
        count = self._causes.get(cause)
        if count is None:
            count = self._causes[cause] = CauseCount(cause)
            self.tally.causes.append(count)
        if is_failed:
            count.failed += times
        else:
            count.changed += times

    def _measure(self, before: Verdict, after: Verdict, times: int) -> None:
        """Count by how much estimates changed."""
        if before.sides is None or after.sides is None:
            return  # there was no size before: nothing to measure by
        tally = self.tally
        old, new = in_dmm(before.sides), in_dmm(after.sides)
        for name, was, becomes in zip(SIDES, old, new, strict=True):
            tally.figures[name].add(becomes - was, times)
        front_before, front_after = old[0] * old[1], new[0] * new[1]
        tally.figures["front"].add(front_after - front_before, times)
        tally.front_before += front_before * times
        tally.front_after += front_after * times
        tally.to_stock += times * (before.model is None and after.model is not None)
        tally.to_made += times * (before.model is not None and after.model is None)


def _rank(before: Verdict, after: Verdict) -> int:
    """Return by how much the front changes, whichever way."""
    if before.sides is None or after.sides is None:
        return 0
    old, new = in_dmm(before.sides), in_dmm(after.sides)
    return abs(new[0] * new[1] - old[0] * old[1])


def is_same(before: Verdict, after: Verdict) -> bool:
    """Whether an estimate comes out as before: the same size, of stock or made to order.

    What is refused now is never the same, though it may have been refused before.
    """
    return (
        after.sides is not None
        and before.sides == after.sides
        and (before.model is None) == (after.model is None)
    )


def in_dmm(sides: Sides) -> tuple[int, int, int]:
    """Return sides in whole tenths of a millimetre."""
    width, height, depth = (round(side * DMM_PER_MM) for side in sides)
    return width, height, depth
