"""An installation that two processes serve: what one activates, the other follows."""

import asyncio
from pathlib import Path

import pytest

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge import following, store
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
    database: Database,
    other: ActiveKnowledge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(following, "LOOK_EVERY_S", 0.01)
    follower = Follower(database, other)
    seen = other.current

    async def follow_for_a_while() -> None:
        task = asyncio.create_task(follower.follow())
        await asyncio.sleep(0.3)
        task.cancel()

    with running(database, tmp_path) as services:
        publish(services)
        digest = services.version(NEXT).digest
        monkeypatch.setattr(store, "load_document", lambda *_: b"{}")
        with pytest.raises(DatabaseUnavailable, match="cannot be loaded"):
            asyncio.run(follower.look())
        asyncio.run(follow_for_a_while())
    assert other.current is seen
    assert len([r for r in caplog.records if r.name == "kis.knowledge"]) == 1
    assert digest is not None
