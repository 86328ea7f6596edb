"""Laying an upload over a version, and telling two versions apart."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, TypeVar

import msgspec

from kis.knowledge.json_text import inside_key
from kis.knowledge.lengths import lengths_to_mm
from kis.knowledge.model import Accessory, Breaker, BreakerKey, StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Tables
from kis.knowledge.upload import Upload

Mode = Literal["add", "replace"]
Change = Literal["changed", "removed", "added"]
Row = TypeVar("Row", Breaker, StockEnclosure, Accessory)

DEFAULT_LIMIT = 100


class Counts(msgspec.Struct, frozen=True):
    """How many rows are what, compared with the base."""

    added: int
    changed: int
    removed: int
    unchanged: int


class CellChange(msgspec.Struct, frozen=True):
    """One value before and after, lengths in mm. None: not stated."""

    cell: str
    before: object
    after: object


class RowChange(msgspec.Struct, frozen=True):
    """One row that is not the same, and its cells that are not."""

    change: Change
    row: dict[str, str]
    cells: tuple[CellChange, ...]


class PartDifference(msgspec.Struct, frozen=True):
    """The counts of one part, and some of its rows: changed ones, then removed, then added."""

    counts: Counts
    rows: tuple[RowChange, ...]


class Difference(msgspec.Struct, frozen=True):
    """What makes two versions differ. The rule set counts as one row."""

    total: Counts
    breakers: PartDifference
    enclosures: PartDifference
    accessories: PartDifference
    rules: PartDifference


class Changed(msgspec.Struct, frozen=True):
    """The keys of new and changed rows, in key order, and whether the rules are others."""

    breakers: list[BreakerKey]
    enclosures: list[str]
    accessories: list[str]
    rules: bool


def lay_changes(base: Tables, upload: Upload, mode: Mode) -> Tables:
    """Return `base` with `upload` laid over it, rows in key order.

    `add`: a row replaces the one with its key. `replace`: a part that is given
    replaces the whole part. Rules replace as a whole; parts not given stay.
    """
    return Tables(
        breakers=_lay(base.breakers, upload.breakers, mode, _breaker_key),
        enclosures=_lay(base.enclosures, upload.enclosures, mode, _enclosure_key),
        accessories=_lay(base.accessories, upload.accessories, mode, _accessory_key),
        rules=base.rules if upload.rules is None else upload.rules,
    )


def find_changed(base: Tables, other: Tables) -> Changed:
    """Return what is in `other` but not the same in `base`."""
    return Changed(
        breakers=_changed_keys(base.breakers, other.breakers, _breaker_key),
        enclosures=_changed_keys(base.enclosures, other.enclosures, _enclosure_key),
        accessories=_changed_keys(base.accessories, other.accessories, _accessory_key),
        rules=base.rules != other.rules,
    )


def compare(
    base: Tables, other: Tables, *, limit: int = DEFAULT_LIMIT, first: int = 0
) -> Difference:
    """Return what `other` has otherwise than `base`; of each part `limit` rows from `first` on.

    The cells of one row are cut at `limit` as well.
    """
    shown = slice(first, first + limit)
    breakers = _compare(base.breakers, other.breakers, _breaker_key, _breaker_name, shown)
    enclosures = _compare(base.enclosures, other.enclosures, _enclosure_key, _model_name, shown)
    accessories = _compare(base.accessories, other.accessories, _accessory_key, _code_name, shown)
    rules = _compare_rules(base.rules, other.rules, limit)
    parts = [part.counts for part in (breakers, enclosures, accessories, rules)]
    total = Counts(
        added=sum(counts.added for counts in parts),
        changed=sum(counts.changed for counts in parts),
        removed=sum(counts.removed for counts in parts),
        unchanged=sum(counts.unchanged for counts in parts),
    )
    return Difference(total, breakers, enclosures, accessories, rules)


def _breaker_key(row: Breaker) -> tuple[str, str, int]:
    return row.key


def _enclosure_key(row: StockEnclosure) -> str:
    return row.model


def _accessory_key(row: Accessory) -> str:
    return row.code


def _breaker_name(row: Breaker) -> dict[str, str]:
    return {"brand": row.brand, "model": row.model, "poles": f"{row.poles}P"}


def _model_name(row: StockEnclosure) -> dict[str, str]:
    return {"model": row.model}


def _code_name(row: Accessory) -> dict[str, str]:
    return {"code": row.code}


def _lay(
    base: tuple[Row, ...], given: tuple[Row, ...] | None, mode: Mode, key_of: Callable[[Row], Any]
) -> tuple[Row, ...]:
    if given is None:
        return base
    ordered = sorted(given, key=key_of)
    if mode == "replace":
        return tuple(ordered)
    pairs = pair_rows(base, ordered, key_of)
    laid = (before if after is None else after for before, after in pairs)
    return tuple(row for row in laid if row is not None)


def pair_rows(
    base: Iterable[Row], other: Iterable[Row], key_of: Callable[[Row], Any]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Walk two tables in key order; yield the rows that have one key side by side.

    A walk and not two dicts: those would take 30 MB more for 100,000 rows.
    """
    others = iter(other)
    after = next(others, None)
    for before in base:
        key = key_of(before)
        while after is not None and key_of(after) < key:
            yield None, after
            after = next(others, None)
        if after is not None and key_of(after) == key:
            yield before, after
            after = next(others, None)
        else:
            yield before, None
    while after is not None:
        yield None, after
        after = next(others, None)


def _changed_keys(
    base: Iterable[Row], other: Iterable[Row], key_of: Callable[[Row], Any]
) -> list[Any]:
    pairs = pair_rows(base, other, key_of)
    return [key_of(after) for before, after in pairs if after is not None and after != before]


def _compare(
    base: Iterable[Row],
    other: Iterable[Row],
    key_of: Callable[[Row], Any],
    name_of: Callable[[Row], dict[str, str]],
    shown: slice,
) -> PartDifference:
    unchanged = 0
    found: dict[Change, list[tuple[Row | None, Row | None]]] = {
        "changed": [], "removed": [], "added": [],
    }  # fmt: skip
    for before, after in pair_rows(base, other, key_of):
        if before == after:
            unchanged += 1
        else:
            change: Change = (
                "added" if before is None else "removed" if after is None else "changed"
            )
            found[change].append((before, after))
    counts = Counts(
        added=len(found["added"]),
        changed=len(found["changed"]),
        removed=len(found["removed"]),
        unchanged=unchanged,
    )
    in_order = (
        (change, before, after) for change, pairs in found.items() for before, after in pairs
    )
    limit = shown.stop - shown.start
    rows = tuple(
        RowChange(change, name_of(row), _cell_changes(_cells(before), _cells(after), limit))
        for change, before, after in islice(in_order, shown.start, shown.stop)
        if (row := before if after is None else after) is not None
    )
    return PartDifference(counts, rows)


def _compare_rules(base: RuleSet, other: RuleSet, limit: int) -> PartDifference:
    if base == other:
        return PartDifference(Counts(added=0, changed=0, removed=0, unchanged=1), ())
    cells = _cell_changes(_constants(base), _constants(other), limit)
    row = RowChange("changed", {"version": other.version}, cells)
    counts = Counts(added=0, changed=1, removed=0, unchanged=0)
    return PartDifference(counts, (row,) if limit else ())


def _cell_changes(
    before: Mapping[str, object], after: Mapping[str, object], limit: int
) -> tuple[CellChange, ...]:
    cells = dict.fromkeys((*before, *after))
    changes = [
        CellChange(cell, before.get(cell), after.get(cell))
        for cell in cells
        if before.get(cell) != after.get(cell)
    ]
    return tuple(changes[:limit])


def _cells(row: msgspec.Struct | None) -> dict[str, object]:
    """Return the stated values of a row by their JSON names, lengths in mm."""
    if row is None:
        return {}
    plain = msgspec.to_builtins(row)
    # The keys of `extra` are people's own: what they call a length is not ours.
    extra = plain.pop("extra", None) or {}
    in_mm = lengths_to_mm(plain)
    return {**in_mm, **{f"extra{inside_key(key)}": value for key, value in extra.items()}}


def _constants(rules: RuleSet) -> dict[str, object]:
    """Return every constant by its path, lengths in mm."""
    constants: dict[str, object] = {}
    stack: list[tuple[str, object]] = [("", lengths_to_mm(msgspec.to_builtins(rules)))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            parts = [(path + inside_key(key), part) for key, part in value.items()]
            stack.extend(reversed(parts))
        elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
            parts = [(f"{path}[{index}]", part) for index, part in enumerate(value)]
            stack.extend(reversed(parts))
        else:
            constants[path.removeprefix(".")] = value
    return constants
