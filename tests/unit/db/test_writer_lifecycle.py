"""Group commit: submitters that leave, starting, stopping, and hooks."""

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode

from .writer_gate import (
    Insertion,
    create_tables,
    hold,
    insert_orphan,
    names,
    queued,
    run,
    running,
)


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(create_tables)


# --- submitters that leave ---------------------------------------------------


def test_a_cancelled_submitter_does_not_stop_the_write(database: Database) -> None:
    noise: list[dict[str, Any]] = []

    async def test() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, report: noise.append(report))
        insertion = Insertion()
        async with running(database) as writer:
            await writer.submit(insertion, "b")
            let_go = await hold(writer)
            stays, leaves, leaves_and_fails = await queued(
                *(writer.submit(insertion, item) for item in ("c", "a", "b"))
            )
            leaves.cancel()
            leaves_and_fails.cancel()
            let_go()
            assert await stays == "C"
            assert leaves.cancelled()
            assert leaves_and_fails.cancelled()

    run(test())
    gc.collect()
    assert noise == []
    assert names(database) == ["a", "b", "c"]


def test_an_event_loop_that_ends_before_the_commit(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def submit_and_leave(writer: Writer) -> None:
        await queued(writer.submit(Insertion(), "a"))

    async def test() -> None:
        async with running(database) as writer:
            let_go = await hold(writer)
            await asyncio.to_thread(asyncio.run, submit_and_leave(writer))
            let_go()
            assert await writer.submit(Insertion(), "b") == "B"

    run(test())
    assert names(database) == ["a", "b"]
    assert [record.getMessage() for record in caplog.records] == [
        "1 writes ended after their event loop"
    ]


class Large:
    """An item that takes memory."""


@pytest.mark.parametrize("is_refused", [False, True])
def test_an_item_is_let_go_once_it_is_answered(database: Database, *, is_refused: bool) -> None:
    def write(_connection: Connection, items: Sequence[Large]) -> Sequence[None]:
        if is_refused:
            raise ValueError
        return [None for _ in items]

    async def test() -> None:
        async with running(database) as writer:
            item, gone = Large(), asyncio.Event()
            # The writer's thread may be the last to let go, after it has answered.
            wake = asyncio.get_running_loop().call_soon_threadsafe
            weakref.finalize(item, wake, gone.set)
            with suppress(ValueError):
                await writer.submit(write, item)
            del item
            await gone.wait()

    gc.disable()  # the collector would come too late: a swap leaves tables behind
    try:
        run(test())
    finally:
        gc.enable()


# --- starting, stopping, full ------------------------------------------------


def test_stop_commits_what_was_accepted(database: Database) -> None:
    async def test() -> None:
        insertion = Insertion()
        writer = Writer(database, batch_limit=10)
        writer.start()
        let_go = await hold(writer)
        tasks = await queued(*(writer.submit(insertion, str(n)) for n in range(25)))
        (stop,) = await queued(writer.stop())
        with pytest.raises(DomainError) as caught:
            await writer.submit(insertion, "late")
        assert caught.value.main.code is ErrorCode.NOT_READY
        let_go()
        await stop
        assert len(names(database)) == 25
        assert await asyncio.gather(*tasks) == [str(n) for n in range(25)]
        await writer.stop()

    run(test())


def test_a_writer_that_was_not_started(database: Database) -> None:
    async def test() -> None:
        writer = Writer(database)
        with pytest.raises(DomainError) as caught:
            await writer.submit(Insertion(), "a")
        assert caught.value.main.code is ErrorCode.NOT_READY
        await writer.stop()

    run(test())


def test_a_full_queue_refuses_at_once(database: Database) -> None:
    async def test() -> None:
        insertion = Insertion()
        async with running(database, queue_limit=2) as writer:
            let_go = await hold(writer)
            tasks = await queued(*(writer.submit(insertion, item) for item in "ab"))
            with pytest.raises(DomainError) as caught:
                await writer.submit(insertion, "c")
            assert caught.value.main.code is ErrorCode.OVERLOADED
            assert caught.value.main.message.ko
            assert caught.value.main.hint.en
            let_go()
            assert await asyncio.gather(*tasks) == ["A", "B"]
            assert await writer.submit(insertion, "d") == "D"

    run(test())
    assert names(database) == ["a", "b", "d"]


# --- after the commit --------------------------------------------------------


def test_hooks_run_after_the_commit_and_before_any_answer(database: Database) -> None:
    events: list[tuple[str, str]] = []

    def hook(result: str) -> None:
        assert names(database) == ["a", "b"]
        assert threading.current_thread().name == "kis-writer"
        events.append(("hook", result))

    async def test() -> None:
        insertion = Insertion()

        async def submit(writer: Writer, item: str) -> None:
            events.append(("answer", await writer.submit(insertion, item, after_commit=hook)))

        async with running(database) as writer:
            let_go = await hold(writer)
            tasks = await queued(submit(writer, "a"), submit(writer, "b"))
            let_go()
            await asyncio.gather(*tasks)

    run(test())
    assert events == [("hook", "A"), ("hook", "B"), ("answer", "A"), ("answer", "B")]


def test_a_hook_that_fails_is_raised_though_the_item_is_stored(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(_result: str) -> None:
        raise LookupError

    async def test() -> None:
        insertion = Insertion()
        async with running(database) as writer:
            let_go = await hold(writer)
            tasks = await queued(
                writer.submit(insertion, "a", after_commit=hook), writer.submit(insertion, "b")
            )
            let_go()
            failed, stored = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(failed, LookupError)
            assert stored == "B"

    run(test())
    assert names(database) == ["a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_no_hook_runs_for_what_was_not_stored(database: Database) -> None:
    hooked: list[str] = []

    async def test() -> None:
        async with running(database) as writer:
            await writer.submit(Insertion(), "a")
            with pytest.raises(IntegrityError):
                await writer.submit(Insertion(), "a", after_commit=hooked.append)
            with pytest.raises(DatabaseUnavailable):
                await writer.execute(insert_orphan, after_commit=lambda _: hooked.append("b"))

    run(test())
    assert hooked == []
