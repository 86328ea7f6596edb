"""A pulse of a real writer: idle, at work, held up, ended."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kis.db.engine import Database
from kis.db.writer import Writer
from kis.ops.watch.pulse import Pulse, beat_regularly
from tests.backends import SQLITE_ONLY
from tests.unit.db.writer_gate import hold, run, running

PATIENCE_S = 60.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """Begin anywhere."""
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def with_writer(database: Database, test: Callable[[Writer], Awaitable[None]]) -> None:
    async def run_test() -> None:
        async with running(database) as writer:
            await test(writer)

    run(run_test())


@SQLITE_ONLY
def test_idle_writer_is_sound(migrated: Database) -> None:
    async def test(writer: Writer) -> None:
        pulse = Pulse(writer, 0, Clock())
        assert [pulse.is_sound() for _ in range(3)] == [True] * 3

    with_writer(migrated, test)


@SQLITE_ONLY
def test_writer_still_at_the_batch_of_the_look_before_is_not(migrated: Database) -> None:
    async def test(writer: Writer) -> None:
        pulse = Pulse(writer, 0, Clock())
        for _ in range(2):
            let_go = await hold(writer)
            assert [pulse.is_sound() for _ in range(3)] == [True, False, False]
            let_go()
            await writer.execute(lambda _: None)
        assert pulse.is_sound()

    with_writer(migrated, test)


@SQLITE_ONLY
def test_writer_at_another_batch_each_time_is_sound(migrated: Database) -> None:
    async def test(writer: Writer) -> None:
        pulse = Pulse(writer, 0, Clock())
        for _ in range(3):
            let_go = await hold(writer)
            assert pulse.is_sound()
            let_go()
            await writer.execute(lambda _: None)

    with_writer(migrated, test)


@SQLITE_ONLY
def test_on_a_server_a_batch_may_take_a_while(migrated: Database) -> None:
    async def test(writer: Writer) -> None:
        clock = Clock()
        pulse = Pulse(writer, PATIENCE_S, clock)
        let_go = await hold(writer)
        assert pulse.is_sound()
        clock.now += PATIENCE_S - 1
        assert pulse.is_sound()
        clock.now += 1
        assert not pulse.is_sound()
        let_go()

    with_writer(migrated, test)


@SQLITE_ONLY
def test_writer_that_has_ended_is_not_sound(migrated: Database) -> None:
    async def test(writer: Writer) -> None:
        pulse = Pulse(writer, 0, Clock())
        await writer.stop()
        assert not pulse.is_sound()

    with_writer(migrated, test)


def test_beats_only_while_all_is_well() -> None:
    states = iter([True, False, True])
    told: list[str] = []

    async def pause() -> None:
        told.append("pause")

    with pytest.raises(RuntimeError):  # of the iterator that has ended, in a coroutine
        asyncio.run(beat_regularly(lambda: next(states), lambda: told.append("beat"), pause))
    assert told == ["beat", "pause", "pause", "beat", "pause"]
