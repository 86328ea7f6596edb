"""What a restore would lose: what is in the present database and not in the restored one."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
from sqlalchemy import Connection, select

from kis.db.engine import Database, open_database
from kis.estimate.tables import estimate_table
from kis.moments import moment_text
from kis.ops.backup.checking import rows_of_all
from kis.ops.backup.packing import Tell
from kis.ops.backup.present import read_present
from kis.ops.backup.source import Place
from kis.ops.doctor import load_knowledge
from kis.ops.evidence_pool import SLOW_MS, estimate_ids

COMPARE = "비교 compare"
TOLD = 5
"""How many of the newest that are lost are named."""


class TableChange(msgspec.Struct, frozen=True, rename="camel"):
    """How many rows a table has, and how many it would have."""

    table: str
    before: int
    after: int


class LostEstimate(msgspec.Struct, frozen=True, rename="camel"):
    """An estimate that the restored database does not have."""

    id: str
    created_at: str


class Losses(msgspec.Struct, frozen=True, rename="camel"):
    """What would change: `estimates` are lost, `newest` the last of them, newest first.

    `returning` are those that the present database does not have any more: nothing deletes any.
    """

    active_before: str | None
    active_after: str | None
    estimates: int
    newest: list[LostEstimate]
    returning: int
    tables: list[TableChange]


def compare(place: Place, tell: Tell) -> Losses | None:
    """Compare the present database with the one of `place`; None where there is none to read."""

    def look(present: Database) -> Losses:
        with closing(open_database(place.url, slow_query_ms=SLOW_MS)) as restored:
            return _compare(present, restored, tell)

    return read_present(place.source, look)


def _compare(present: Database, restored: Database, tell: Tell) -> Losses:
    before, after = present.read_now(rows_of_all), restored.read_now(rows_of_all)
    count = 0
    newest: list[str] = []
    total = before.get(estimate_table.name, 0)
    for done, lost in _lost_ids(present, restored):
        count += len(lost)
        newest = (newest + lost)[-TOLD:]  # ids sort by time
        tell(COMPARE, done, total)
    returning = sum(len(lost) for _, lost in _lost_ids(restored, present))
    return Losses(
        active_before=present.read_now(load_knowledge),
        active_after=restored.read_now(load_knowledge),
        estimates=count,
        newest=present.read_now(lambda connection: _told(connection, newest)),
        returning=returning,
        tables=[
            TableChange(name, before.get(name, 0), after.get(name, 0))
            for name in sorted(before.keys() | after.keys())
            if before.get(name, 0) != after.get(name, 0)
        ],
    )  # fmt: skip


def _lost_ids(present: Database, restored: Database) -> Iterator[tuple[int, list[str]]]:
    """Yield how many were looked up, and which of the last page the other does not have."""
    ids = estimate_table.c.id
    done = 0
    for page in estimate_ids(present):
        there = restored.read_now(
            lambda connection, page=page: set(  # type: ignore[misc]
                connection.scalars(select(ids).where(ids.in_(page)))
            )
        )
        done += len(page)
        yield done, [each for each in page if each not in there]


def _told(connection: Connection, ids: list[str]) -> list[LostEstimate]:
    table = estimate_table.c
    rows = connection.execute(
        select(table.id, table.created_at).where(table.id.in_(ids)).order_by(table.id.desc())
    )
    return [LostEstimate(row.id, moment_text(row.created_at)) for row in rows]
