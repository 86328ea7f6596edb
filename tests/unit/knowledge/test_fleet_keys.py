"""A change of keys is waited for until no worker goes by the keys from before it."""

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kis.db.engine import Database, open_second_writer
from kis.knowledge import fleet, store, workers
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.fleet import Alone, SharedFleet
from kis.knowledge.following import Follower
from tests.backends import POSTGRESQL_ONLY

GUARD_S = 20.0
FAR_AWAY_S = 600.0

pytestmark = POSTGRESQL_ONLY


@contextmanager
def wired(database: Database, name: str) -> Iterator[SharedFleet]:
    """Wire a worker that has not joined."""
    version = database.read_now(store.load_active_version)
    knowledge = ActiveKnowledge(database.read_now(lambda c: store.load_active(c, version)))
    url = database.write_engine.url.render_as_string(hide_password=False)
    shared = SharedFleet(
        name, database=database, words=open_second_writer(url, slow_query_ms=60_000),
        knowledge=knowledge, follower=Follower(database, knowledge),
    )  # fmt: skip
    try:
        yield shared
    finally:
        shared._words.close()


def change(database: Database) -> str:
    """Commit something; return its number."""
    return database.write_now(workers.number_of)


def seen(database: Database) -> str:
    return database.read_now(workers.seen_by)


def announce(database: Database, name: str, keys_seen: str | None) -> None:
    database.write_now(lambda c: workers.announce(c, name, 1, None, keys_seen))


async def taken(shared: SharedFleet, number: str) -> None:
    async with asyncio.timeout(GUARD_S):
        await shared.keys_taken(number)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it wait for ever for whoever is to be waited for."""
    monkeypatch.setattr(workers, "KEYS_HOLD_S", FAR_AWAY_S)


@pytest.mark.usefixtures("database_url")
def test_one_process_waits_for_nobody() -> None:
    alone = Alone("a")
    asyncio.run(alone.keys_taken(""))
    assert alone.heard_s == math.inf


@pytest.mark.usefixtures("patient")
def test_who_has_seen_it_or_is_gone_or_asks_is_not_waited_for(database: Database) -> None:
    announce(database, "killed", seen(database))
    gone = f"UPDATE worker SET seen_at_s = seen_at_s - {workers.GONE_AFTER_S + 1}"
    database.write_now(lambda c: c.exec_driver_sql(gone))
    announce(database, "here", seen(database))
    number = change(database)
    announce(database, "there", seen(database))
    with wired(database, "here") as shared:
        asyncio.run(taken(shared, number))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("has_looked", [True, False])
def test_who_has_not_seen_it_is_waited_for(database: Database, has_looked: bool) -> None:
    before = seen(database) if has_looked else None
    number = change(database)
    announce(database, "there", before)

    async def run() -> None:
        with wired(database, "here") as shared:
            waiting = asyncio.create_task(taken(shared, number))
            await asyncio.sleep(5 * fleet.ASK_EVERY_S)
            assert not waiting.done()
            announce(database, "there", seen(database))
            await waiting

    asyncio.run(run())


@pytest.mark.usefixtures("patient")
def test_change_that_is_not_committed_is_not_seen(database: Database) -> None:
    """As the number of a transaction that another one overtakes."""
    with database.write_engine.begin() as connection:
        number = workers.number_of(connection)
        second = open_second_writer(
            database.write_engine.url.render_as_string(hide_password=False), slow_query_ms=60_000
        )
        change(second)
        announce(second, "there", seen(second))
        second.close()
    assert database.read_now(lambda c: workers.behind(c, number, "here")) == ["there"]


def test_who_stays_silent_is_waited_for_as_long_as_its_keys_hold(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "KEYS_HOLD_S", 0.1)
    announce(database, "silent", None)
    with wired(database, "here") as shared:
        asyncio.run(taken(shared, change(database)))
    (told,) = [record.getMessage() for record in caplog.records if record.name == "kis.knowledge"]
    assert "silent" in told


def test_table_that_a_crash_has_emptied_tells_of_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Until all that may be there have spoken again."""
    monkeypatch.setattr(workers, "KEYS_HOLD_S", 0.1)
    database.write_now(lambda c: c.exec_driver_sql("TRUNCATE worker, worker_since"))
    caplog.set_level(logging.WARNING)
    with wired(database, "here") as shared:
        asyncio.run(taken(shared, change(database)))
        announce(database, "here", None)
        asyncio.run(taken(shared, change(database)))
        later = f"UPDATE worker_since SET at_s = at_s - {workers.GONE_AFTER_S + 1}"
        database.write_now(lambda c: c.exec_driver_sql(later))
        announce(database, "here", None)
        asyncio.run(taken(shared, change(database)))
    assert len([record for record in caplog.records if "anybody" in record.getMessage()]) == 2


def test_who_has_joined_is_heard_and_says_what_its_keys_saw(database: Database) -> None:
    async def run() -> None:
        with wired(database, "there") as shared:
            assert shared.heard_s == math.inf
            await shared.join()
            number = change(database)
            assert database.read_now(lambda c: workers.behind(c, number, "here")) == ["there"]
            heard_s = shared.heard_s
            assert heard_s > 0
            shared.tell_keys(seen(database))
            await shared._announce()
            assert shared.heard_s > heard_s
            assert database.read_now(lambda c: workers.behind(c, number, "here")) == []

    asyncio.run(run())


def test_who_could_not_say_that_it_is_there_was_not_heard(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(workers, "announce", fail)
    with wired(database, "there") as shared:
        asyncio.run(shared.join())
        assert shared.heard_s == -math.inf
