"""Group commit: who shares a transaction, and who does not share a fate."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import (
    Connection,
    delete,
    insert,
    text,
)
from sqlalchemy.exc import IntegrityError

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from tests.backends import SQLITE_ONLY

from .writer_gate import (
    Insertion,
    create_tables,
    hold,
    insert_orphan,
    names,
    note_table,
    queued,
    run,
    running,
)


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(create_tables)


# --- sharing a transaction ---------------------------------------------------


def test_what_is_submitted_in_one_turn_shares_a_transaction(database: Database) -> None:
    sizes: list[int] = []

    async def test() -> None:
        async with running(database, tell_batch=sizes.append) as writer:
            insertion = Insertion()
            await asyncio.gather(*(writer.submit(insertion, f"{n:02}") for n in range(50)))
            assert insertion.calls == [50]
            assert sizes == [50]

    run(test())


def test_an_item_is_stored_before_its_result_is_there(database: Database) -> None:
    async def test() -> None:
        async with running(database) as writer:
            assert await writer.submit(Insertion(), "a") == "A"
            assert names(database) == ["a"]

    run(test())


def test_items_that_meet_share_one_transaction_and_one_call(database: Database) -> None:
    sizes: list[int] = []

    async def test() -> None:
        insertion = Insertion()
        async with running(database, tell_batch=sizes.append) as writer:
            let_go = await hold(writer)
            tasks = await queued(*(writer.submit(insertion, f"{n:02}") for n in range(50)))
            assert writer.queue_depth == 50
            let_go()
            assert await asyncio.gather(*tasks) == [f"{n:02}" for n in range(50)]
            assert insertion.calls == [50]
            assert sizes == [1, 50]
            assert writer.queue_depth == 0

    run(test())
    assert len(names(database)) == 50


def test_a_batch_has_a_limit(database: Database) -> None:
    async def test() -> None:
        insertion = Insertion()
        async with running(database, batch_limit=10) as writer:
            let_go = await hold(writer)
            tasks = await queued(*(writer.submit(insertion, str(n)) for n in range(25)))
            let_go()
            await asyncio.gather(*tasks)
            assert insertion.calls == [10, 10, 5]

    run(test())


def test_submitters_on_several_event_loops(database: Database) -> None:
    insertion = Insertion()

    async def submit_ten(writer: Writer, prefix: str) -> list[str]:
        return await asyncio.gather(*(writer.submit(insertion, f"{prefix}{n}") for n in range(10)))

    async def test() -> None:
        async with running(database) as writer:
            answers = await asyncio.gather(
                *(
                    asyncio.to_thread(asyncio.run, submit_ten(writer, prefix))
                    for prefix in ("a", "b", "c")
                )
            )
        assert answers == [[f"{prefix}{n}" for n in range(10)] for prefix in ("A", "B", "C")]

    run(test())
    assert len(names(database)) == 30


# --- not sharing a fate ------------------------------------------------------


def test_neighbours_survive_an_item_that_fails(database: Database) -> None:
    sizes: list[int] = []

    async def test() -> None:
        insertion, other = Insertion(), Insertion()
        async with running(database, tell_batch=sizes.append) as writer:
            await writer.submit(insertion, "b")
            let_go = await hold(writer)
            tasks = await queued(
                writer.submit(insertion, "a"),
                writer.submit(insertion, "b"),
                writer.submit(other, "d"),
                writer.submit(insertion, "c"),
            )
            let_go()
            a, b, d, c = await asyncio.gather(*tasks, return_exceptions=True)
            assert (a, c, d) == ("A", "C", "D")
            assert isinstance(b, IntegrityError)
            assert insertion.calls == [1, 3, 1, 1, 1]
            assert other.calls == [1]
            assert sizes == [1, 1, 4]

    run(test())
    assert names(database) == ["a", "b", "c", "d"]


def test_a_batch_of_one_kind_that_fails_is_written_one_by_one(database: Database) -> None:
    async def test() -> None:
        insertion = Insertion()
        async with running(database) as writer:
            await writer.submit(insertion, "b")
            let_go = await hold(writer)
            tasks = await queued(*(writer.submit(insertion, item) for item in "abc"))
            let_go()
            a, b, c = await asyncio.gather(*tasks, return_exceptions=True)
            assert (a, c) == ("A", "C")
            assert isinstance(b, IntegrityError)
            assert insertion.calls == [1, 3, 1, 1, 1]

    run(test())
    assert names(database) == ["a", "b", "c"]


def test_a_result_that_is_an_exception_is_raised_to_its_submitter(database: Database) -> None:
    def store_but_refuse_x(connection: Connection, items: Sequence[str]) -> list[str | Exception]:
        connection.execute(insert(note_table), [{"name": item} for item in items if item != "x"])
        return [LookupError(item) if item == "x" else item for item in items]

    async def test() -> None:
        async with running(database) as writer:
            let_go = await hold(writer)
            tasks = await queued(*(writer.submit(store_but_refuse_x, item) for item in "axb"))
            let_go()
            a, x, b = await asyncio.gather(*tasks, return_exceptions=True)
            assert (a, b) == ("a", "b")
            assert isinstance(x, LookupError)

    run(test())
    assert names(database) == ["a", "b"]


def test_a_write_that_returns_too_few_results_is_undone(database: Database) -> None:
    def forget(connection: Connection, items: Sequence[str]) -> list[str]:
        Insertion()(connection, items)
        return []

    async def test() -> None:
        async with running(database) as writer:
            with pytest.raises(ValueError, match="shorter"):
                await writer.submit(forget, "a")
            await writer.submit(Insertion(), "b")

    run(test())
    assert names(database) == ["b"]


def test_stop_iteration_reaches_its_submitter(database: Database) -> None:
    async def test() -> None:
        async with running(database) as writer:
            with pytest.raises(RuntimeError, match="StopIteration"):
                await writer.execute(lambda _connection: next(iter(())))

    run(test())


def read_one_of_two(connection: Connection) -> None:
    rows = insert(note_table).values([{"name": "x"}, {"name": "y"}]).returning(note_table)
    result = connection.execute(rows)
    raise LookupError(result.fetchone())


def test_a_half_read_returning_does_not_fail_the_batch(database: Database) -> None:
    async def test() -> None:
        async with running(database) as writer:
            let_go = await hold(writer)
            tasks = await queued(writer.execute(read_one_of_two), writer.submit(Insertion(), "a"))
            let_go()
            failed, stored = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(failed, LookupError)
            assert stored == "A"

    run(test())
    assert names(database) == ["a"]


def test_nor_the_next_one(database: Database) -> None:
    async def test() -> None:
        async with running(database) as writer:
            with pytest.raises(LookupError):
                await writer.execute(read_one_of_two)
            assert await writer.submit(Insertion(), "a") == "A"

    run(test())
    assert names(database) == ["a"]


# --- transactions that fail --------------------------------------------------


def test_a_failing_commit_fails_its_batch_and_no_other(database: Database) -> None:
    sizes: list[int] = []

    async def test() -> None:
        async with running(database, tell_batch=sizes.append) as writer:
            let_go = await hold(writer)
            tasks = await queued(writer.submit(Insertion(), "a"), writer.execute(insert_orphan))
            let_go()
            errors = await asyncio.gather(*tasks, return_exceptions=True)
            for error in errors:
                assert isinstance(error, DatabaseUnavailable)
                assert re.search(
                    "2 writes failed: .*foreign key constraint", str(error), re.IGNORECASE
                )
            assert errors[0] is not errors[1]
            assert names(database) == []
            assert writer.trouble is not None
            assert not writer.trouble.is_full
            assert await writer.submit(Insertion(), "b") == "B"
            assert sizes == [1, 1]

    run(test())
    assert names(database) == ["b"]


@SQLITE_ONLY  # RAISE(ROLLBACK) is SQLite's; servers: test_transaction
@pytest.mark.parametrize("items", ["axb", "x"])
@pytest.mark.parametrize("are_alike", [True, False])
def test_nothing_is_stored_after_the_database_gave_up_the_transaction(
    database: Database, items: str, are_alike: bool
) -> None:
    give_up = """
        CREATE TRIGGER give_up BEFORE INSERT ON note WHEN new.name = 'x'
        BEGIN SELECT RAISE(ROLLBACK, 'no x'); END
    """
    database.write_now(lambda c: c.execute(text(give_up)))

    async def test() -> None:
        async with running(database) as writer:
            let_go = await hold(writer)
            alike = Insertion()
            writes = [alike if are_alike else Insertion() for _ in items]
            tasks = await queued(*map(writer.submit, writes, items))
            let_go()
            for error in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(error, DatabaseUnavailable)
                assert str(error).endswith("no x")
            assert names(database) == []
            assert await writer.submit(Insertion(), "c") == "C"

    run(test())
    assert names(database) == ["c"]


@SQLITE_ONLY  # only SQLite locks in BEGIN
def test_a_begin_that_fails_is_survived(database: Database, path: Path) -> None:
    borrowed = database.write_engine.raw_connection()
    borrowed.driver_connection.execute("PRAGMA busy_timeout = 0")  # type: ignore[union-attr]
    borrowed.close()
    stranger = sqlite3.connect(path, isolation_level=None)

    async def test() -> None:
        async with running(database) as writer:
            stranger.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseUnavailable, match="database is locked"):
                await writer.submit(Insertion(), "a")
            stranger.execute("ROLLBACK")
            assert await writer.submit(Insertion(), "b") == "B"

    run(test())
    stranger.close()
    assert names(database) == ["b"]


# --- one-off jobs ------------------------------------------------------------


def test_execute_returns_and_follows_up(database: Database) -> None:
    followed: list[int] = []

    def delete_all(connection: Connection) -> int:
        return connection.execute(delete(note_table)).rowcount

    async def test() -> None:
        async with running(database) as writer:
            await writer.submit(Insertion(), "a")
            assert await writer.execute(delete_all, followed.append) == 1

    run(test())
    assert followed == [1]
    assert names(database) == []


@pytest.mark.parametrize("beside", ["", "a"])
def test_execute_runs_once_and_undoes_what_fails(database: Database, beside: str) -> None:
    runs: list[str] = []

    def insert_and_fail(connection: Connection) -> None:
        runs.append("run")
        Insertion()(connection, ["x"])
        raise LookupError

    async def test() -> None:
        async with running(database) as writer:
            let_go = await hold(writer)
            others = (writer.submit(Insertion(), item) for item in beside)
            tasks = await queued(writer.execute(insert_and_fail), *others)
            let_go()
            failed, *stored = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(failed, LookupError)
            assert stored == list(beside.upper())

    run(test())
    assert runs == ["run"]
    assert names(database) == list(beside)
