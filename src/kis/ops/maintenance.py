"""Keeping a database in order beside the estimates: what the runbook has the sqlite3 shell do.

On a SQLite file whoever writes holds up everybody else who writes. So everything is done in
steps, each a transaction of the writer of its own, and only what is short: statistics from a
sample of each index, and indexes of small tables built anew. What takes as long as the table
is large waits for `maintenance --full`. PostgreSQL does all of it beside its readers and writers.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from kis.audit import store as audit_store
from kis.db.engine import Database, open_database, open_second_writer
from kis.db.files import log_of
from kis.db.locks import lock_maintenance
from kis.db.postgres import database_bytes
from kis.db.writer import Writer
from kis.errors import Text
from kis.ops.doctor import in_one_line
from kis.ops.installation import TABLES, count_rows

ANALYSED_ROWS = 1_000
"""Of each index, a sample: SQLite's own advice is 100 to 1000."""

SMALL_ROWS = 10_000
"""Indexes of so many rows are built in some fifty milliseconds."""

ROOM = 2.1
"""Times its size that a file needs beside it for VACUUM: a copy, and the log of writing it back."""

SLOW_MS = 3_600_000.0
AUDITED = "database.maintain"


class Sizes(msgspec.Struct, frozen=True, rename="camel"):
    """Bytes: of the database, of it free to be used again, and of the write-ahead log."""

    database: int
    free: int = 0
    log: int = 0


class MaintenanceStep(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that was done, left, or that failed; how long it took."""

    name: str
    state: Literal["done", "left", "failed"]
    milliseconds: float
    ko: str = ""
    en: str = ""


class TableRows(msgspec.Struct, frozen=True, rename="camel"):
    """A table and how many rows it has."""

    table: str
    rows: int


class Maintained(msgspec.Struct, frozen=True, rename="camel"):
    """What was done, and what came of it; the remark says what could not be done live.

    `longestMs` is the longest that anybody who writes had to wait for a step.
    """

    kind: str
    full: bool
    before: Sizes
    after: Sizes
    longest_ms: float
    steps: tuple[MaintenanceStep, ...]
    tables: tuple[TableRows, ...]
    remark_ko: str = ""
    remark_en: str = ""


class NoRoom(Exception):  # noqa: N818 - says what is the case
    """The disk has too little room for a VACUUM: `needed` and `free` in bytes."""

    def __init__(self, needed: int, free: int) -> None:
        """Keep both."""
        super().__init__(needed, free)
        self.needed = needed
        self.free = free


LIVE_REMARK = Text(
    "파일을 줄이는 VACUUM과 큰 표의 REINDEX는 SQLite에서 쓰기를 오래 막으므로 하지 않았습니다."
    " 빈 공간은 다음 견적이 다시 씁니다. 줄이려면 서버를 멈추고: kis-backend maintenance --full",
    "VACUUM, which shrinks the file, and REINDEX of large tables would hold up writers for long in"
    " SQLite: not done. Free space is used again. With the server stopped: maintenance --full",
)


class MaintenanceService:
    """Maintains the database of a running service, one order at a time."""

    def __init__(
        self, *, database: Database, writer: Writer, url: str, now: Callable[[], datetime]
    ) -> None:
        """Wire the parts; `url` is where the database is."""
        self._database = database
        self._writer = writer
        self._url = url
        self._now = now
        self._turn = asyncio.Lock()

    async def maintain(self, actor: str) -> Maintained:
        """Do what can be done while estimates go on.

        Raises:
            DomainError: OVERLOADED or NOT_READY, nothing can be written now.
            DatabaseUnavailable: the database cannot be used.

        """
        async with self._turn:
            before = await self._database.read(sizes_of)
            rows = await self._database.read(count_rows)
            kind = self._database.write_engine.dialect.name
            if kind == "sqlite":
                steps = [step async for step in self._maintain_file(rows)]
                held_up = max(step.milliseconds for step in steps)
            else:
                steps = await asyncio.to_thread(_maintain_server, self._url)
                held_up = 0.0
            entry = audit_store.Entry(self._now(), actor, AUDITED, "live")
            await self._writer.execute(lambda c: audit_store.record(c, [entry]))
            after = await self._database.read(sizes_of)
        remark = LIVE_REMARK if kind == "sqlite" else Text("", "")
        return Maintained(
            kind, False, before, after, held_up, tuple(steps), _table_rows(rows), remark.ko,
            remark.en,
        )  # fmt: skip

    async def _maintain_file(self, rows: dict[str, int]) -> AsyncIterator[MaintenanceStep]:
        indexed = await self._database.read(_indexed_tables)
        for work in _file_works(rows, indexed):
            yield (
                work if isinstance(work, MaintenanceStep) else await self._writer.execute(work.run)
            )


class _Work(NamedTuple):
    """Statements that are done in one transaction."""

    name: str
    statements: tuple[str, ...]

    def run(self, connection: Connection) -> MaintenanceStep:
        """Do it."""
        began = time.perf_counter()
        for statement in self.statements:
            connection.execute(text(statement))
        return MaintenanceStep(self.name, "done", _since(began))


def _since(began: float) -> float:
    """Return the milliseconds since `began`, a moment of the performance counter."""
    return round((time.perf_counter() - began) * 1_000, 1)


def _file_works(
    rows: dict[str, int], indexed: Collection[str]
) -> Iterator[_Work | MaintenanceStep]:
    """Yield what is done live to a SQLite file, and what is left.

    Without an index there is nothing to know of a table but its rows, all of which
    would be counted.
    """
    limit = f"PRAGMA analysis_limit = {ANALYSED_ROWS}"
    names = [table.name for table in TABLES if table.name in indexed]
    for name in names:
        yield _Work(f"ANALYZE {name}", (limit, f'ANALYZE "{name}"'))
    for name in names:
        if rows[name] <= SMALL_ROWS:
            yield _Work(f"REINDEX {name}", (f'REINDEX "{name}"',))
        else:
            many = f"{rows[name]:,}"
            yield MaintenanceStep(
                f"REINDEX {name}", "left", 0.0, f"{many}행: --full", f"{many} rows: --full"
            )
    yield _Work("PRAGMA optimize", (limit, "PRAGMA optimize"))


def _indexed_tables(connection: Connection) -> frozenset[str]:
    found = connection.execute(text("SELECT tbl_name FROM sqlite_master WHERE type = 'index'"))
    return frozenset(found.scalars())


def _table_rows(rows: dict[str, int]) -> tuple[TableRows, ...]:
    # SQLAlchemy's names are no plain text.
    return tuple(TableRows(str(name), count) for name, count in rows.items())


def sizes_of(connection: Connection) -> Sizes:
    """Return how large the database is."""
    if connection.dialect.name == "postgresql":
        return Sizes(database_bytes(connection))
    page: int = connection.scalar(text("PRAGMA page_size")) or 0
    pages: int = connection.scalar(text("PRAGMA page_count")) or 0
    free: int = connection.scalar(text("PRAGMA freelist_count")) or 0
    log = log_of(Path(str(connection.engine.url.database)))
    return Sizes(page * pages, page * free, log.stat().st_size if log.exists() else 0)


# --- PostgreSQL --------------------------------------------------------------------------


ASKED_FOR_FREE_KEYS = frozenset({"idempotency_record", "knowledge_question"})
"""Written with ON CONFLICT, which may meet a unique index twice while it is built anew."""

INDEXES = """
SELECT relname, indisunique
FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
WHERE indrelid = to_regclass(:name) AND indisvalid ORDER BY relname
"""
"""Of a table itself: REINDEX TABLE does its TOAST table too, during which writes can fail with
"no valid index found for toast relation"."""

LEFT_BEHIND = """
SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
WHERE NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$' AND pg_table_is_visible(pg_class.oid)
"""
"""Indexes that a REINDEX CONCURRENTLY did not complete: they cost writes and serve nobody."""


def _maintain_server(url: str) -> list[MaintenanceStep]:
    """Vacuum, analyse and reindex each table, on a connection of its own."""
    with closing(open_second_writer(url, slow_query_ms=SLOW_MS)) as database:
        engine = database.write_engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            lock_maintenance(connection)
            steps = [step for table in TABLES for step in _maintain_table(connection, table.name)]
            left = connection.execute(text(LEFT_BEHIND)).scalars().all()
            steps += [_try(connection, f'DROP INDEX CONCURRENTLY "{name}"') for name in left]
            return steps


def _maintain_table(connection: Connection, name: str) -> Iterator[MaintenanceStep]:
    yield _try(connection, f'VACUUM (ANALYZE) "{name}"')
    for index, is_unique in connection.execute(text(INDEXES), {"name": f'"{name}"'}).all():
        statement = f'REINDEX INDEX CONCURRENTLY "{index}"'
        if is_unique and name in ASKED_FOR_FREE_KEYS:
            ko = "ON CONFLICT로 쓰는 동안에는 하지 않음"
            yield MaintenanceStep(statement, "left", 0.0, ko, "not beside writes with ON CONFLICT")
        else:
            yield _try(connection, statement)


def _try(connection: Connection, statement: str) -> MaintenanceStep:
    """Do one statement; what hinders it, a long transaction perhaps, hinders no other."""
    began = time.perf_counter()
    try:
        connection.execute(text(statement))
    except SQLAlchemyError as error:
        reason = in_one_line(getattr(error, "orig", error))
        return MaintenanceStep(statement, "failed", _since(began), reason, reason)
    return MaintenanceStep(statement, "done", _since(began))


# --- a SQLite file that nobody else has open ------------------------------------------------


FULL = ("REINDEX", "VACUUM", "ANALYZE", "PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)")


def maintain_fully(url: str, file: Path, now: datetime, tell: Callable[[str], None]) -> Maintained:
    """Do all of it to a SQLite `file`, of which this process is the only user.

    `tell` is told of each statement before it begins. A cut at any moment leaves the
    file as it was or as it will be.

    Raises:
        NoRoom: nothing was done.
        DatabaseUnavailable: it cannot be opened.
        sqlite3.Error: a statement failed: the disk is full, or the file is damaged.

    """
    # The copy is made beside the file, where the room was looked for.
    os.environ["SQLITE_TMPDIR"] = str(file.parent)
    with closing(open_database(url, slow_query_ms=SLOW_MS)) as database:
        before = database.read_now(sizes_of)
        needed, free = int(ROOM * before.database), shutil.disk_usage(file.parent).free
        if free < needed:
            raise NoRoom(needed, free)
        entry = audit_store.Entry(now, "command", AUDITED, "full")
        database.write_now(lambda c: audit_store.record(c, [entry]))
        # It begins no transaction, which VACUUM would refuse.
        with closing(database.write_engine.raw_connection()) as borrowed:
            connection = borrowed.driver_connection
            assert connection is not None  # noqa: S101 - for the type checker
            # In memory a copy of the file would take as much memory.
            connection.execute("PRAGMA temp_store = FILE")
            connection.execute("PRAGMA analysis_limit = 0")
            steps = []
            for statement in FULL:
                tell(statement)
                began = time.perf_counter()
                connection.execute(statement).fetchall()
                steps.append(MaintenanceStep(statement, "done", _since(began)))
        after = database.read_now(sizes_of)
        rows = database.read_now(count_rows)
    return Maintained("sqlite", True, before, after, 0.0, tuple(steps), _table_rows(rows))
