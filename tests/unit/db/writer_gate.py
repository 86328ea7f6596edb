"""What the writer's tests share.

A `Gate` holds the writer inside a transaction, so that what is submitted
meanwhile meets in the next one.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    MetaData,
    Table,
    Text,
    insert,
    select,
    text,
)

from kis.db.commit_mark import commit_mark_table
from kis.db.engine import Database
from kis.db.writer import Writer

note_table = Table(
    "note",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("parent", Text, ForeignKey("note.name", deferrable=True)),
)


def create_tables(connection: Connection) -> None:
    """Make the table of these tests, and the one that a transaction leaves its mark in."""
    note_table.create(connection)
    commit_mark_table.create(connection)


def names(database: Database) -> list[str]:
    in_order = select(note_table.c.name).order_by(note_table.c.name)
    return list(database.read_now(lambda c: c.execute(in_order).scalars().all()))


class Insertion:
    """A write function that remembers how many items each of its calls got."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, connection: Connection, items: Sequence[str]) -> list[str]:
        self.calls.append(len(items))
        connection.execute(insert(note_table), [{"name": item} for item in items])
        return [item.upper() for item in items]


class Gate:
    """A write function that keeps the writer inside its transaction until opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _connection: Connection, items: Sequence[None]) -> Sequence[None]:
        self.entered.set()
        assert self.opened.wait(10)
        return items


async def hold(writer: Writer) -> Callable[[], None]:
    """Keep `writer` busy; return what lets it go on."""
    gate = Gate()
    held = asyncio.create_task(writer.submit(gate, None))
    assert await asyncio.to_thread(gate.entered.wait, 10)

    def let_go() -> None:
        gate.opened.set()
        held.add_done_callback(lambda task: task.result())

    return let_go


async def queued(*jobs: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Start `jobs`; return once each has put its item into the queue."""
    tasks = [asyncio.create_task(job) for job in jobs]
    await asyncio.sleep(0)
    return tasks


@asynccontextmanager
async def running(database: Database, **limits: Any) -> AsyncIterator[Writer]:
    writer = Writer(database, **limits)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def insert_orphan(connection: Connection) -> None:
    """Write what only COMMIT refuses."""
    defer = {
        "sqlite": "PRAGMA defer_foreign_keys = ON",
        "postgresql": "SET CONSTRAINTS ALL DEFERRED",
    }
    connection.execute(text(defer[connection.dialect.name]))
    connection.execute(insert(note_table).values(name="orphan", parent="nobody"))
