"""An installation that two processes serve: what one activates, the other follows."""

import asyncio
from pathlib import Path

import pytest

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge import store
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.following import Follower
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running

FIRST, NEXT = "v2025-09-24-01", "v-next"


@pytest.fixture
def other(database: Database) -> ActiveKnowledge:
    """What another process has in memory."""
    version = database.read_now(store.load_active_version)
    return ActiveKnowledge(database.read_now(lambda c: store.load_active(c, version)))


def publish(services: Running) -> None:
    services.stage(NEXT, breaker("NEW"))
    assert services.validate(NEXT)
    services.activate(NEXT)


def test_what_another_process_activates_is_followed(
    database: Database, other: ActiveKnowledge, tmp_path: Path
) -> None:
    follower = Follower(database, other)
    with running(database, tmp_path) as services:
        asyncio.run(follower.look())
        assert other.current.snapshot.label == FIRST
        publish(services)
        asyncio.run(follower.look())
        assert other.current.snapshot.label == NEXT
        assert other.current.snapshot.digest == services.version(NEXT).digest
        services.roll_back(FIRST)
        asyncio.run(follower.look())
        assert other.current.snapshot.label == FIRST


def test_many_that_catch_up_at_once_load_once(
    database: Database, other: ActiveKnowledge, tmp_path: Path
) -> None:
    follower = Follower(database, other)
    seen = other.current

    async def all_at_once() -> None:
        await asyncio.gather(*(follower.catch_up(seen) for _ in range(20)))

    with running(database, tmp_path) as services:
        publish(services)
        asyncio.run(all_at_once())
    first = other.current
    assert first.snapshot.label == NEXT
    asyncio.run(follower.catch_up(seen))
    assert other.current is first


def test_version_that_cannot_be_loaded_is_told_and_the_old_one_stays(
    database: Database, other: ActiveKnowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(database, other)
    seen = other.current
    with running(database, tmp_path) as services:
        publish(services)
        version = services.version(NEXT)
        with monkeypatch.context() as patch:
            patch.setattr(store, "load_document", lambda *_: b"{}")
            with pytest.raises(DatabaseUnavailable, match=f"{NEXT} is active and cannot be loaded"):
                asyncio.run(follower.look())
        assert other.current is seen
        assert other.failure is not None
        assert other.failure.version_id == version.id
        assert NEXT in other.failure.problem
        services.roll_back(FIRST)
        asyncio.run(follower.look())
    assert other.current is seen
    assert other.failure is None


def test_what_can_be_loaded_later_is_no_failure_any_more(
    database: Database, other: ActiveKnowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(database, other)
    with running(database, tmp_path) as services:
        publish(services)
        with monkeypatch.context() as patch:
            patch.setattr(store, "load_document", lambda *_: b"{}")
            with pytest.raises(DatabaseUnavailable):
                asyncio.run(follower.look())
        asyncio.run(follower.look())
    assert other.current.snapshot.label == NEXT
    assert other.failure is None
