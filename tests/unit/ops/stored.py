"""A database with estimates to replay, and a version to replay them under."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from kis.db.engine import Database, open_database
from kis.db.migrate import migrate
from kis.estimate.tables import estimate_table
from kis.estimate.verdict import judge
from kis.knowledge import store
from kis.knowledge.content import encode_tables, pack
from kis.knowledge.first import FIRST_LABEL, load_first_version, shipped_tables
from kis.knowledge.snapshot import Snapshot, Tables
from tests.unit.estimate.stored import bare

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WIDER = "v-wider"
"""The shipped version with SIE-32, of which the board of the tests has six, twice as wide."""
SHIPPED = Snapshot(shipped_tables(), label=FIRST_LABEL)


@contextmanager
def filled_database(path: Path, *boards: dict[str, Any]) -> Iterator[Database]:
    """Open a database that has an estimate of each of `boards`, a minute apart."""
    database = open_database(f"sqlite:///{path}", slow_query_ms=60_000)
    try:
        migrate(database)
        database.write_now(lambda c: load_first_version(c, NOON))
        database.write_now(lambda c: add_version(c, WIDER, wider(SHIPPED.tables)))
        database.write_now(lambda c: store_boards(c, boards))
        yield database
    finally:
        database.close()


def wider(tables: Tables) -> Tables:
    rows = tuple(
        msgspec.structs.replace(row, width_dmm=row.width_dmm * 2) if row.model == "SIE-32" else row
        for row in tables.breakers
    )
    return msgspec.structs.replace(tables, breakers=rows)


def add_version(connection: Connection, label: str, tables: Tables) -> None:
    """Add a validated version."""
    base = store.load_active_version(connection)
    version_id = store.insert_version(
        connection, label=label, mode="add", upload_digest="", created_by="test", created_at=NOON,
        change_set=b"",
    )  # fmt: skip
    counts = (base.table_count, base.total_rows)
    store.mark_validated(connection, version_id, base.id, pack(encode_tables(tables)), counts, NOON)


def store_boards(connection: Connection, boards: Sequence[dict[str, Any]], first: int = 0) -> None:
    """Store estimates as `create` does, without their answers; the first has number `first`."""
    for number, changes in enumerate(boards, first):
        request = bare(SHIPPED, **changes)
        verdict = judge(request, SHIPPED)
        assert verdict.sides is not None
        width, height, depth = verdict.sides
        connection.execute(
            insert(estimate_table).values(
                id=name(number), created_at=NOON + timedelta(minutes=number), main_model="SBS-54",
                owner="api", client="127.0.0.1", width_mm=width, height_mm=height, depth_mm=depth,
                enclosure_model=verdict.model, knowledge_version=FIRST_LABEL, request=request,
                answer=b"",
            )
        )  # fmt: skip


def name(number: int) -> str:
    """Return the id of estimate `number`."""
    return f"{number:036d}"


def lights(count: int) -> dict[str, Any]:
    """Return a board with so many SIE-32."""
    return {"branches": [{"model": "SIE-32", "quantity": count}]}


WITHOUT = {"branches": [{"model": "SEC-53", "quantity": 2}]}
"""A board that has none of them."""
