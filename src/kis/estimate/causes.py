"""Which rows of the tables made an estimate change: what two versions differ in. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from kis.errors import DomainError
from kis.estimate.bare import decode_bare
from kis.estimate.model import AccessoryStatement, Board, Device
from kis.estimate.selection import select
from kis.knowledge.diff import Change, pair_rows
from kis.knowledge.model import RowKey
from kis.knowledge.snapshot import Snapshot

CausePart = Literal["breakers", "enclosures", "accessories", "rules", "unknown"]


class Cause(NamedTuple):
    """A row that two versions do not have alike. `key` is empty for a part as a whole.

    `unknown`: nothing that differs can be told, as when the version that an estimate
    was made under is deleted.
    """

    part: CausePart
    change: Change
    key: RowKey = ()


UNKNOWN = Cause("unknown", "changed")
RULES = Cause("rules", "changed")
STOCK = Cause("enclosures", "changed")
"""The stock as a whole: what is in it decides even where none of its rows is taken."""

Keys = dict[RowKey, Change]
MAX_LINES = 50_000
NO_ACCESSORIES = AccessoryStatement(enabled=False, items=())


class Differences(NamedTuple):
    """Every row that `after` does not have as `before` has it.

    `lines` remembers which of them a line of a board takes: there are few lines.
    """

    before: Snapshot
    after: Snapshot
    breakers: Keys
    enclosures: Keys
    accessories: Keys
    rules: bool
    lines: dict[Device, tuple[Cause, ...]]


def differences(before: Snapshot, after: Snapshot) -> Differences:
    """Return what differs between two versions; O(rows)."""
    old, new = before.tables, after.tables
    return Differences(
        before,
        after,
        _changes(old.breakers, new.breakers, lambda row: row.key),
        _changes(old.enclosures, new.enclosures, lambda row: (row.model,)),
        _changes(old.accessories, new.accessories, lambda row: (row.code,)),
        old.rules != new.rules,
        {},
    )


def _changes(old: Iterable[Any], new: Iterable[Any], key_of: Callable[[Any], RowKey]) -> Keys:
    changes: Keys = {}
    for before, after in pair_rows(old, new, key_of):
        if before is None:
            changes[key_of(after)] = "added"
        elif after is None:
            changes[key_of(before)] = "removed"
        elif before != after:
            changes[key_of(before)] = "changed"
    return changes


def causes_of(
    request: bytes, models: Iterable[str | None], found: Differences
) -> tuple[Cause, ...]:
    """Return the rows that differ and that the estimate of a bare request takes or took.

    `models` are its stock enclosures before and after; None: made to order. Where no
    such row appears, what is left can only be the rules, or the stock as a whole.
    """
    causes = dict.fromkeys(_rows_of(request, models, found))
    if causes:
        return tuple(causes)
    if found.rules:
        return (RULES,)
    return (STOCK,) if found.enclosures else (UNKNOWN,)


def _rows_of(request: bytes, models: Iterable[str | None], found: Differences) -> Iterator[Cause]:
    if found.breakers or found.accessories:
        board = decode_bare(request)
        for line in (board.main, *board.branches):
            yield from _taken_by(line, board, found)
        for accessory in board.accessories.items:
            code = (accessory.code,)
            if code in found.accessories:
                yield Cause("accessories", found.accessories[code], code)
    for model in models:
        if model is not None and (model,) in found.enclosures:
            yield Cause("enclosures", found.enclosures[(model,)], (model,))


def _taken_by(line: Device, board: Board, found: Differences) -> tuple[Cause, ...]:
    """Return the breakers that differ and that `line` takes in one of the versions."""
    # The form decides between rows of one frame; how many there are decides nothing.
    key = msgspec.structs.replace(line, quantity=1, name=board.form)
    causes = found.lines.get(key)
    if causes is None:
        alone = msgspec.structs.replace(board, main=line, branches=(), accessories=NO_ACCESSORIES)
        keys = [_taken(alone, snapshot) for snapshot in (found.before, found.after)]
        causes = tuple(
            Cause("breakers", found.breakers[taken], taken)
            for taken in dict.fromkeys(keys)
            if taken is not None and taken in found.breakers
        )
        if len(found.lines) >= MAX_LINES:
            found.lines.clear()
        found.lines[key] = causes
    return causes


def _taken(alone: Board, snapshot: Snapshot) -> RowKey | None:
    try:
        return select(alone, snapshot).main.row.key
    except DomainError:
        # Then the row that it lacks is told by the version that has it.
        return None
