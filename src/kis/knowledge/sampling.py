"""Sample boards for a staged version: requests that use its changed rows."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

import msgspec

from kis.knowledge.model import Breaker, BreakerKey
from kis.knowledge.snapshot import Tables

BRANCH_QUANTITY = 4
MOST_ROUNDS = 10
FORMS = ("ECONOMIC", "STANDARD")


class SampleRequest(msgspec.Struct, frozen=True):
    """An estimate request in wire form, and the row that it tries as what."""

    row: BreakerKey
    role: Literal["main", "branch"]
    request: dict[str, object]


def sample_requests(
    tables: Tables, changed: Sequence[BreakerKey], sample_size: int
) -> list[SampleRequest]:
    """Return `sample_size` boards, each trying one row, the same every time.

    Rows are the changed ones that `tables` holds, evenly spread where there are
    more; where none is left, all rows. Fewer rows come round again in other
    boards: as main alone and as branches under the smallest other main of the
    brand that has at least their frame and poles, in both forms, then with more
    branches each time. A row that no main can hold is its own main.
    """
    wanted = set(changed)
    rows = [row for row in tables.breakers if row.key in wanted] or list(tables.breakers)
    mains = _Mains(tables.breakers)
    tried = _spread(rows, sample_size)
    if not tried:
        return []
    return [
        _sample(tried[index % len(tried)], index // len(tried) + index % len(tried) % 2, mains)
        for index in range(sample_size)
    ]


def _sample(row: Breaker, turn: int, mains: "_Mains") -> SampleRequest:
    """Return the board that tries `row` at its `turn`: role, then form, then size change."""
    form = FORMS[turn // 2 % len(FORMS)]
    more = turn // 4 % MOST_ROUNDS
    main = mains.smallest_above(row) if turn % 2 else None
    if main is None:
        branches = [_branch(row, BRANCH_QUANTITY * more)] if more else []
        return SampleRequest(row.key, "main", _request(row, branches, form))
    branches = [_branch(row, BRANCH_QUANTITY * (1 + more))]
    return SampleRequest(row.key, "branch", _request(main, branches, form))


def _branch(row: Breaker, quantity: int) -> dict[str, object]:
    return {"model": row.model, "poles": f"{row.poles}P", "quantity": quantity}


class _Mains:
    """Breakers of each brand and poles by frame, then model."""

    def __init__(self, rows: Sequence[Breaker]) -> None:
        self._by_poles: dict[tuple[str, int], list[Breaker]] = {}
        for row in rows:
            self._by_poles.setdefault((row.brand, row.poles), []).append(row)
        for group in self._by_poles.values():
            group.sort(key=lambda row: (row.frame_size_a, row.model))

    def smallest_above(self, branch: Breaker) -> Breaker | None:
        """Return the first other row with at least the frame and poles of `branch`."""
        found: list[Breaker] = []
        for poles in range(branch.poles, 5):
            group = self._by_poles.get((branch.brand, poles), [])
            start = bisect_left(group, branch.frame_size_a, key=lambda row: row.frame_size_a)
            found += [row for row in group[start : start + 2] if row.key != branch.key][:1]
        return min(found, key=lambda row: (row.frame_size_a, row.poles), default=None)


def _spread(rows: Sequence[Breaker], at_most: int) -> list[Breaker]:
    if len(rows) <= at_most:
        return list(rows)
    return [rows[index * len(rows) // at_most] for index in range(at_most)]


def _request(main: Breaker, branches: list[dict[str, object]], form: str) -> dict[str, object]:
    return {
        "brand": main.brand,
        "form": form,
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": main.type},
        "main": {"model": main.model, "af": main.frame_size_a, "poles": f"{main.poles}P"},
        "branches": branches,
        "accessories": {"enabled": False, "items": []},
    }
