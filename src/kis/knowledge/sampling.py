"""Sample boards for a staged version: requests that use its changed rows."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec

from kis.knowledge.diff import Changed
from kis.knowledge.filling import Filling, best_fillings
from kis.knowledge.model import Accessory, Breaker, Part, RowKey, StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Tables

BRANCH_QUANTITY = 4
MOST_ROUNDS = 10
FORMS = ("ECONOMIC", "STANDARD")
OTHERS_SHARE = 4
"""Beside breakers, accessories and enclosures get one board in so many each, at most."""
MOST_MAINS = 200
"""So many mains at most are looked through for one that fills an enclosure."""

Role = Literal["main", "branch", "accessory", "enclosure"]
Request = dict[str, object]
Row = TypeVar("Row", Breaker, Accessory, StockEnclosure)


class SampleRequest(msgspec.Struct, frozen=True):
    """An estimate request in wire form, and the row of which part it tries as what."""

    part: Part
    row: RowKey
    role: Role
    request: Request


class _Shares(NamedTuple):
    """How many boards each part gets."""

    breakers: int
    accessories: int
    enclosures: int


def sample_requests(tables: Tables, changed: Changed, sample_size: int) -> list[SampleRequest]:
    """Return `sample_size` boards, each trying one row, the same every time.

    Rows are the changed ones that `tables` holds, evenly spread where there are more.
    Every part that has some gets a board if there are enough, breakers the most; with
    nothing else to try they are all breakers. Fewer rows come round again in other
    boards: a breaker as main alone and as branches under the smallest other main of
    the brand that has at least its frame and poles, in both forms, then with more
    branches each time (where no main can hold it, it is its own); an accessory in
    both forms, then more of it each time. An enclosure is tried by boards that fill
    it, at its place and of its material.

    Accessories without the outline that they need are passed over: every estimate
    with one asks for it. Without any breaker there is no board.
    """
    if not tables.breakers:
        return []
    breakers = _chosen(tables.breakers, changed.breakers, lambda row: row.key)
    accessories = _chosen(tables.accessories, changed.accessories, lambda row: row.code)
    accessories = [row for row in accessories if tables.rules.accessories.can_place(row)]
    enclosures = _chosen(tables.enclosures, changed.enclosures, lambda row: row.model)
    if not breakers and (changed.rules or not (accessories or enclosures)):
        breakers = list(tables.breakers)
    shares = _share(sample_size, _Shares(len(breakers), len(accessories), len(enclosures)))
    mains = _Mains(tables.breakers)
    return [
        *(
            _try_breaker(row, turn + is_odd, mains)
            for row, turn, is_odd in _turns(breakers, shares.breakers)
        ),
        *(
            _try_accessory(row, turn + is_odd, mains.plainest())
            for row, turn, is_odd in _turns(accessories, shares.accessories)
        ),
        *(
            _try_enclosure(row, turn, mains, tables.rules)
            for row, turn, _ in _turns(enclosures, shares.enclosures)
        ),
    ]


def plain_boards(tables: Tables, at_most: int) -> list[Request]:
    """Return at most so many boards of one breaker each, as main and as branches."""
    return [
        _request(row, FORMS[0], _branches(row, BRANCH_QUANTITY))
        for row in _spread(tables.breakers, at_most)
    ]


def _chosen(
    rows: Sequence[Row], keys: Collection[object], key_of: Callable[[Row], object]
) -> list[Row]:
    wanted = set(keys)
    return [row for row in rows if key_of(row) in wanted]


def _share(sample_size: int, rows: _Shares) -> _Shares:
    """Share the boards out among the parts that have rows."""
    if not rows.breakers:
        accessories = sample_size if rows.accessories else 0
        if rows.enclosures:
            accessories -= accessories // 2
        return _Shares(0, accessories, sample_size - accessories)
    most = max(1, sample_size // OTHERS_SHARE)
    # An accessory in both forms and an enclosure once are enough: breakers use the rest.
    accessories = min(rows.accessories * len(FORMS), most, max(0, sample_size - 1))
    enclosures = min(rows.enclosures, most, max(0, sample_size - 1 - accessories))
    return _Shares(sample_size - accessories - enclosures, accessories, enclosures)


def _turns(rows: Sequence[Row], boards: int) -> Iterator[tuple[Row, int, int]]:
    """Yield the row of each board, how often it came round before, and 1 for every other row."""
    tried = _spread(rows, boards)
    for index in range(boards):
        turn, place = divmod(index, len(tried))
        yield tried[place], turn, place % 2


def _spread(rows: Sequence[Row], at_most: int) -> Sequence[Row]:
    if len(rows) <= at_most:
        return rows
    return [rows[index * len(rows) // at_most] for index in range(at_most)]


def _try_breaker(row: Breaker, turn: int, mains: "_Mains") -> SampleRequest:
    """Return the board that tries `row` at its `turn`: role, then form, then size change."""
    form = FORMS[turn // 2 % len(FORMS)]
    more = turn // 4 % MOST_ROUNDS
    main = mains.smallest_above(row) if turn % 2 else None
    if main is None:
        branches = _branches(row, BRANCH_QUANTITY * more)
        return SampleRequest("breakers", row.key, "main", _request(row, form, branches))
    branches = _branches(row, BRANCH_QUANTITY * (1 + more))
    return SampleRequest("breakers", row.key, "branch", _request(main, form, branches))


def _try_accessory(row: Accessory, turn: int, main: Breaker) -> SampleRequest:
    """Return the board that tries `row` at its `turn`: form, then quantity change."""
    quantity = 1 + turn // len(FORMS) % MOST_ROUNDS
    request = _request(main, FORMS[turn % len(FORMS)], [])
    items = [{"code": row.code, "quantity": quantity}]
    request["accessories"] = {"enabled": True, "items": items}
    return SampleRequest("accessories", (row.code,), "accessory", request)


def _try_enclosure(
    row: StockEnclosure, turn: int, mains: "_Mains", rules: RuleSet
) -> SampleRequest:
    """Return the board that tries `row` at its `turn`: the next best that fills it.

    Where nothing fits into it the board is a small one at its place.
    """
    fillings = best_fillings(row, mains.some(MOST_MAINS), rules)
    if not fillings:
        fillings = [Filling(mains.plainest(), 0)]
    main, branches = fillings[turn % len(fillings)]
    request = _request(main, FORMS[0], _branches(main, branches))
    request["installation"] = {
        "location": row.location, "mount": _mount_for(row, rules), "material": row.material,
    }  # fmt: skip
    return SampleRequest("enclosures", (row.model,), "enclosure", request)


def _mount_for(row: StockEnclosure, rules: RuleSet) -> str:
    """Return the mount to ask for, so that enclosures of the row's mount are offered."""
    words = [word for word, stock in rules.stock_mount.items() if stock == row.mount]
    return row.mount if row.mount in words or not words else words[0]


def _branches(row: Breaker, quantity: int) -> list[Request]:
    line: Request = {"model": row.model, "poles": f"{row.poles}P", "quantity": quantity}
    return [line] if quantity else []


def _request(main: Breaker, form: str, branches: list[Request]) -> Request:
    return {
        "brand": main.brand,
        "form": form,
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": main.type},
        "main": {"model": main.model, "af": main.frame_size_a, "poles": f"{main.poles}P"},
        "branches": branches,
        "accessories": {"enabled": False, "items": []},
    }


class _Mains:
    """Breakers of each brand and poles by frame, then model."""

    def __init__(self, rows: Sequence[Breaker]) -> None:
        self._rows = rows
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

    def plainest(self) -> Breaker:
        """Return the smallest frame of those with the most poles, a usual main."""
        most = max(poles for _, poles in self._by_poles)
        first = (group[0] for (_, poles), group in self._by_poles.items() if poles == most)
        return min(first, key=lambda row: (row.frame_size_a, row.key))

    def some(self, at_most: int) -> Sequence[Breaker]:
        """Return at most so many rows, evenly spread."""
        return _spread(self._rows, at_most)
