"""What follows from a snapshot: worked out once, and kept as long as the snapshot is.

Only what the work would give again is kept, so that no answer depends on it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple

from kis.knowledge.snapshot import Snapshot

Asked = TypeVarTuple("Asked")
Row = TypeVar("Row")


class _Kept(dict[tuple[Any, ...], tuple[Any, ...]]):
    """Results by what was asked; `room` is for how many rows more there is."""

    __slots__ = ("room",)

    def __init__(self, room: int) -> None:
        self.room = room

    def keep(self, asked: tuple[Any, ...], found: tuple[Any, ...], most_rows: int) -> None:
        weight = 1 + len(found)
        if weight > most_rows:
            return
        if self.room < weight:
            self.clear()
            self.room = most_rows
        self.room -= weight
        self[asked] = found


def remembered(
    most_rows: int,
) -> Callable[
    [Callable[[Snapshot, *Asked], tuple[Row, ...]]], Callable[[Snapshot, *Asked], tuple[Row, ...]]
]:
    """Have a pure function keep its results in the snapshot that it is asked about.

    The results are immutable tuples. All of them together have `most_rows` rows at
    most, an empty one counts too; then all is forgotten. Any number of threads may
    ask: those that ask the same at once each work it out, and lose nothing.
    """

    def decorate(
        work_out: Callable[[Snapshot, *Asked], tuple[Row, ...]],
    ) -> Callable[[Snapshot, *Asked], tuple[Row, ...]]:
        @wraps(work_out)
        def recall(snapshot: Snapshot, *asked: *Asked) -> tuple[Row, ...]:
            kept = snapshot.memory.get(work_out)
            if kept is None:
                kept = snapshot.memory.setdefault(work_out, _Kept(most_rows))
            found: tuple[Row, ...] | None = kept.get(asked)
            if found is None:
                found = work_out(snapshot, *asked)
                kept.keep(asked, found, most_rows)
            return found

        return recall

    return decorate
