"""Compares a table of two databases row for row, wherever and in what order they keep it."""

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, func, select

from kis.ops.stored_table import StoredTable, shown

MAX_TOLD = 20
DIGESTS = 1 << 256

_encode = msgspec.msgpack.Encoder().encode


class Difference(msgspec.Struct, frozen=True):
    """A row, by its key, that is not as in the source; `column` where that is one of its."""

    table: str
    key: str
    what: Literal["missing", "extra", "changed"]
    column: str | None = None


class Compared(msgspec.Struct):
    """What came of a table. The digest is of all its rows, whatever their order."""

    rows: int = 0
    digest: int = 0
    target_digest: int = 0
    different: int = 0
    missing: int = 0
    told: list[Difference] = []

    @property
    def is_equal(self) -> bool:
        """Whether the target has the same rows, and no others."""
        return self.different == 0 and self.digest == self.target_digest

    def tell(self, difference: Difference) -> None:
        """Count a difference, and keep the first ones."""
        self.different += 1
        if len(self.told) < MAX_TOLD:
            self.told.append(difference)


def compare(
    table: StoredTable, source: Connection, target: Connection, tell: Callable[[int], None]
) -> Compared:
    """Read both sides from first to last; `tell` after each page how many rows it had.

    Raises:
        Unfit: a text is not UTF-8.

    """
    found = Compared()
    for page in table.pages(source):
        keys = [table.key_of(row) for row in page]
        theirs = table.rows_at(target, keys)
        for key, row in zip(keys, page, strict=True):
            _compare_row(table, row, theirs.get(key), found)
        tell(len(page))
    count = target.scalar(select(func.count()).select_from(table.table)) or 0
    if count != found.rows - found.missing:
        _find_extra(table, source, target, found)
    return found


def _compare_row(table: StoredTable, row: Any, other: Any, found: Compared) -> None:
    found.rows += 1
    digest = _digest(row)
    found.digest = (found.digest + digest) % DIGESTS
    if other is None:
        found.missing += 1
        found.tell(Difference(table.name, shown(table.key_of(row)), "missing"))
        return
    other_digest = _digest(other)
    found.target_digest = (found.target_digest + other_digest) % DIGESTS
    if other_digest != digest:
        column = next(
            name
            for name, ours, theirs in zip(table.names, row, other, strict=True)
            if _encode(ours) != _encode(theirs)
        )
        found.tell(Difference(table.name, shown(table.key_of(row)), "changed", column))


def _find_extra(
    table: StoredTable, source: Connection, target: Connection, found: Compared
) -> None:
    """Look for rows of the target that the source does not have."""
    for page in table.pages(target):
        keys = [table.key_of(row) for row in page]
        known = table.keys_at(source, keys)
        for key, row in zip(keys, page, strict=True):
            if key not in known:
                found.target_digest = (found.target_digest + _digest(row)) % DIGESTS
                found.tell(Difference(table.name, shown(key), "extra"))


def _digest(row: Any) -> int:
    """Return the SHA-256 of a row; of types too, as 1 and 1.0 are not the same."""
    return int.from_bytes(hashlib.sha256(_encode(tuple(row))).digest())
