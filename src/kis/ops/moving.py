"""Moves an installation to another database: copied, compared, and its evidence verified.

The target is marked as a copy of this source from the first row to the last check:
no server starts on it before, and a copy that was interrupted is known again. How
far it came is seen from the rows that are there.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from kis.db.bulk import BulkInsert
from kis.db.engine import Database
from kis.db.migrate import HEAD, set_revision
from kis.ops import endpoints
from kis.ops.comparison import MAX_TOLD, Compared, compare
from kis.ops.evidence_pool import Fault, Places, estimate_ids, find_faults
from kis.ops.installation import (
    COUNTED,
    TABLES,
    count_rows,
    last_id_given,
    set_last_id_given,
)
from kis.ops.stored_table import StoredTable, Unfit, reading, shown

Tell = Callable[[str, int, int], None]
"""(what is done, how much of it, of how much)."""

COPY, COMPARE, EVIDENCE = "복사 copy", "비교 compare", "증거 evidence"


class Move(NamedTuple):
    """An order: from where to where, and what opens the secrets of the evidence."""

    places: Places
    workers: int
    only_compare: bool


class MovedTable(NamedTuple):
    """A table: how many rows were copied now, and what the comparison found."""

    name: str
    copied: int
    seconds: float
    compared: Compared


class Verified(NamedTuple):
    """What came of the evidence: how much is not valid, and how much of that never was."""

    checked: int
    faults: int
    were_so: int
    told: list[Fault]


class Moved(NamedTuple):
    """What came of a move; `sequences` are the tables whose next id would be an old one."""

    tables: list[MovedTable]
    sequences: list[str]
    evidence: Verified
    seconds: float

    @property
    def is_equal(self) -> bool:
        """Whether the target is the installation of the source."""
        is_same = all(table.compared.is_equal for table in self.tables) and not self.sequences
        return is_same and self.evidence.faults == self.evidence.were_so


def move(source: Database, target: Database, order: Move, tell: Tell) -> Moved:
    """Copy what is missing in `target`, compare all, and verify all evidence.

    Raises:
        Refused: `source` or `target` is not what it must be.
        Unfit: a row cannot be copied.
        DatabaseUnavailable: the target cannot be used.
        SQLAlchemyError: a database went away; what was copied stays.

    """
    begun = time.monotonic()
    endpoints.require_nobody_else(source)
    with reading(source) as origin:
        name = endpoints.require_source(origin)
        if order.only_compare:
            endpoints.require_copy(target, name)
        else:
            endpoints.begin_copy(target, name)
        with target.write_engine.connect() as writing:
            endpoints.be_only_copy(writing)
            copied = {} if order.only_compare else _copy_all(origin, writing, tell)
            tables, sequences = _compare_all(origin, target, copied, tell)
            verified = _verify(target, order, tell)
            endpoints.require_unchanged(source, origin)
            moved = Moved(tables, sequences, verified, time.monotonic() - begun)
            if moved.is_equal and not order.only_compare:
                with writing.begin():
                    set_revision(writing, HEAD)
    return moved


# --- copying ----------------------------------------------------------------------------


class _Copied(NamedTuple):
    rows: int
    seconds: float


class _Progress:
    """Counts rows over all tables."""

    def __init__(self, what: str, total: int, tell: Tell) -> None:
        self._what = what
        self._total = total
        self._tell = tell
        self._done = 0

    def __call__(self, more: int) -> None:
        self._done += more
        self._tell(self._what, self._done, self._total)


def _copy_all(origin: Connection, writing: Connection, tell: Tell) -> dict[str, _Copied]:
    progress = _Progress(COPY, sum(count_rows(origin).values()), tell)
    copied = {}
    for table in TABLES:
        begun = time.monotonic()
        rows = _copy(StoredTable(table), origin, writing, progress)
        copied[table.name] = _Copied(rows, time.monotonic() - begun)
    with writing.begin():
        for table in COUNTED:
            set_last_id_given(writing, table, last_id_given(origin, table))
    return copied


def _copy(table: StoredTable, origin: Connection, writing: Connection, progress: _Progress) -> int:
    """Copy the rows that are not there yet, a transaction a page; return how many."""
    insert = BulkInsert(table.table, table.names)
    with writing.begin():
        is_begun = bool(writing.scalar(select(func.count()).select_from(table.table)))
    copied = 0
    for page in table.pages(origin):
        with writing.begin():
            missing: list[Row[Any]] = page
            if is_begun:
                known = table.keys_at(writing, [table.key_of(row) for row in page])
                missing = [row for row in page if table.key_of(row) not in known]
            _insert(table, insert, writing, missing)
        copied += len(missing)
        progress(len(page))
    return copied


def _insert(
    table: StoredTable, insert: BulkInsert, writing: Connection, rows: list[Row[Any]]
) -> None:
    """Insert `rows`; if that fails, find out which row it is.

    Raises:
        Unfit: a row is not what the table takes.

    """
    try:
        with writing.begin_nested():
            insert.run(writing, [dict(zip(table.names, row, strict=True)) for row in rows])
    except (OperationalError, MemoryError):
        raise
    except (SQLAlchemyError, TypeError, ValueError) as error:
        if len(rows) == 1:
            raise Unfit(table.name, shown(table.key_of(rows[0])), error) from error
        for row in rows:
            _insert(table, insert, writing, [row])
        raise


# --- afterwards -------------------------------------------------------------------------


def _compare_all(
    origin: Connection, target: Database, copied: dict[str, _Copied], tell: Tell
) -> tuple[list[MovedTable], list[str]]:
    progress = _Progress(COMPARE, sum(count_rows(origin).values()), tell)
    tables = []
    with reading(target) as arrived:
        for table in TABLES:
            begun = time.monotonic()
            found = compare(StoredTable(table), origin, arrived, progress)
            rows, seconds = copied.get(table.name, _Copied(0, 0.0))
            seconds += time.monotonic() - begun
            tables.append(MovedTable(table.name, rows, seconds, found))
        sequences = [
            table.name
            for table in COUNTED
            if last_id_given(arrived, table) < last_id_given(origin, table)
        ]
    return tables, sequences


def _verify(target: Database, order: Move, tell: Tell) -> Verified:
    """Verify all evidence of the target; what is not valid is looked up in the source too."""
    total = target.read_now(count_rows)["Estimate"]
    progress = _Progress(EVIDENCE, total, tell)
    faults = were_so = 0
    told: list[Fault] = []
    for fault in find_faults(
        order.places, estimate_ids(target), total, order.workers, progress
    ):  # fmt: skip
        faults += 1
        were_so += fault.was_so
        if len(told) < MAX_TOLD:
            told.append(fault)
    return Verified(total, faults, were_so, told)
