"""Workers on one PostgreSQL: each follows, says so, and is waited for."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from kis.db.engine import Database, open_second_writer
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import OVERLOADED
from kis.errors import DomainError, ErrorCode
from kis.knowledge import fleet, pointer, store, workers
from kis.knowledge.activation import ActivationOrder
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.fleet import Acknowledgement, Alone, SharedFleet
from kis.knowledge.following import Follower
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import Asking, list_questions, write_questions
from kis.knowledge.workers import Failure
from tests.backends import POSTGRESQL_ONLY
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running

FIRST, NEXT = "v2025-09-24-01", "v-next"
FAR_AWAY_S = 600.0

pytestmark = POSTGRESQL_ONLY


def active_id(database: Database) -> int:
    return database.read_now(store.load_active_version).id


def announce(
    database: Database, name: str, version_id: int, failure: Failure | None = None
) -> None:
    """Say something in the name of another worker, as one on another machine would."""
    database.write_now(lambda c: workers.announce(c, name, version_id, failure))


def newest(database: Database) -> ActiveKnowledge:
    version = database.read_now(store.load_active_version)
    return ActiveKnowledge(database.read_now(lambda c: store.load_active(c, version)))


def wire(database: Database, name: str, knowledge: ActiveKnowledge) -> SharedFleet:
    url = database.write_engine.url.render_as_string(hide_password=False)
    return SharedFleet(
        name, database=database, words=open_second_writer(url, slow_query_ms=60_000),
        knowledge=knowledge, follower=Follower(database, knowledge),
    )  # fmt: skip


@asynccontextmanager
async def worker(
    database: Database, name: str, knowledge: ActiveKnowledge | None = None
) -> AsyncIterator[ActiveKnowledge]:
    """Run another worker, and give what it estimates with: the active version, at first."""
    knowledge = knowledge or newest(database)
    shared = wire(database, name, knowledge)
    await shared.join()
    task = asyncio.create_task(shared.run(nothing))
    try:
        yield knowledge
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await shared.leave()


async def nothing() -> None:
    """Nobody has left an activation behind."""


async def listened_for(database: Database) -> None:
    """Wait until somebody listens."""
    listeners = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE query = 'LISTEN kis_workers' AND datname = current_database()"
    )
    while not await database.read(lambda c: c.exec_driver_sql(listeners).scalar()):
        pass


@contextmanager
def joined(database: Database, folder: Path) -> Iterator[Running]:
    """Services that ask other workers before an activation is done, and a version to activate."""
    with running(database, folder) as services:
        publish(services)
        shared = wire(database, "here", services.knowledge)
        services.activation._fleet = shared
        yield services
        services.run(shared.leave())


def publish(services: Running) -> None:
    services.stage(NEXT, breaker("NEW"))
    assert services.validate(NEXT)


async def activated(services: Running) -> tuple[Acknowledgement, ...]:
    """Activate, and return what the workers say to it."""
    done = await services.activation.activate(ActivationOrder(NEXT, "activate", False), "admin-x")
    return done.workers


@pytest.mark.usefixtures("database_url")
def test_one_process_needs_no_other() -> None:
    said = asyncio.run(Alone("a").acknowledgements(1))
    assert said == (Acknowledgement("a", "acknowledged"),)


def test_hint_wakes_the_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking now and then is what to rely on, but nobody waits for it as a rule."""
    monkeypatch.setattr(fleet, "LOOK_EVERY_S", FAR_AWAY_S)
    with joined(database, tmp_path) as services:

        async def run() -> None:
            async with worker(database, "there") as knowledge:
                await listened_for(database)
                said = await activated(services)
                assert said == (Acknowledgement("there", "acknowledged"),)
                assert knowledge.current.snapshot.label == NEXT

        services.run(run())


def test_without_hints_the_others_look(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "wake_others", lambda _: None)
    monkeypatch.setattr(fleet, "LOOK_EVERY_S", 0.05)
    with joined(database, tmp_path) as services:

        async def run() -> None:
            async with worker(database, "there") as knowledge:
                said = await activated(services)
                assert said == (Acknowledgement("there", "acknowledged"),)
                assert knowledge.current.snapshot.label == NEXT

        services.run(run())


def test_worker_that_cannot_load_it_has_the_version_taken_back(
    database: Database, tmp_path: Path
) -> None:
    before = active_id(database)
    with joined(database, tmp_path) as services:
        next_id = services.version(NEXT).id
        announce(database, "old program", before, Failure(next_id, "unknown rule"))
        with pytest.raises(DomainError) as refused:
            services.activate(NEXT)
        finding = refused.value.main
        assert finding.code is ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED
        said = (Acknowledgement("old program", "failed", "unknown rule"),)
        assert finding.data["workers"] == said
        assert active_id(database) == before
        assert services.knowledge.current.snapshot.version_id == before
        assert services.version(NEXT).state == "validated"
        kinds = "SELECT kind, reason FROM knowledge_activation ORDER BY id DESC LIMIT 2"
        rows = database.read_now(lambda c: c.exec_driver_sql(kinds).all())
    assert [tuple(row) for row in rows] == [
        ("rollback", "old program failed unknown rule"),
        ("activate", ""),
    ]


async def speaking(database: Database, name: str, version_id: int) -> None:
    """Say again and again that `name` is there, with the version that it has."""
    while True:
        await database.write(lambda c: workers.announce(c, name, version_id, None))
        await asyncio.sleep(0.2)


def test_worker_that_is_there_and_does_not_get_to_it_has_it_taken_back(
    database: Database, tmp_path: Path
) -> None:
    before = active_id(database)
    with joined(database, tmp_path) as services:

        async def run() -> object:
            busy = asyncio.create_task(speaking(database, "busy", before))
            try:
                return await activated(services)
            except DomainError as error:
                return error.main.data["workers"]
            finally:
                busy.cancel()

        (said,) = services.run(run())
    assert said == (Acknowledgement("busy", "silent"),)
    assert active_id(database) == before


def test_worker_that_ends_meanwhile_is_waited_for_until_it_is_gone(
    database: Database, tmp_path: Path
) -> None:
    announce(database, "killed", active_id(database))
    with joined(database, tmp_path) as services:
        (said,) = services.run(activated(services))
    assert said == (Acknowledgement("killed", "gone"),)


def test_failure_of_a_worker_that_has_ended_counts_no_more(
    database: Database, tmp_path: Path
) -> None:
    with joined(database, tmp_path) as services:
        failure = Failure(services.version(NEXT).id, "unknown rule")
        announce(database, "killed", active_id(database), failure)
        gone = f"UPDATE worker SET seen_at_s = seen_at_s - {workers.GONE_AFTER_S + 1}"
        database.write_now(lambda c: c.exec_driver_sql(gone))
        (said,) = services.run(activated(services))
    assert said == (Acknowledgement("killed", "gone"),)


def test_version_is_taken_back_when_the_workers_cannot_be_asked(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when the first tries to take it back fail too."""
    before = active_id(database)
    switches: list[str] = []
    lock = pointer.lock_active_id

    def lock_at_third_try(connection: Connection) -> int | None:
        switches.append("try")
        if 1 < len(switches) < 4:
            raise DomainError(OVERLOADED)
        return lock(connection)

    with joined(database, tmp_path) as services, monkeypatch.context() as patch:
        patch.setattr(fleet, "ACKNOWLEDGED_WITHIN_S", 0.1)
        patch.setattr(workers, "load_workers", lambda _: cannot_be_read())
        patch.setattr(pointer, "lock_active_id", lock_at_third_try)
        with pytest.raises(DomainError) as refused:
            services.activate(NEXT)
    assert refused.value.main.code is ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED
    assert "is active again" in refused.value.main.message.en
    assert (active_id(database), len(switches)) == (before, 4)


def test_version_is_not_taken_back_from_a_third_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server has activated on meanwhile: the answer does not tell of the one before."""
    ids = iter([active_id(database), 99])
    with joined(database, tmp_path) as services, monkeypatch.context() as patch:
        patch.setattr(fleet, "ACKNOWLEDGED_WITHIN_S", 0.1)
        patch.setattr(workers, "load_workers", lambda _: cannot_be_read())
        patch.setattr(pointer, "lock_active_id", lambda _: next(ids))
        with pytest.raises(DomainError) as refused:
            services.activate(NEXT)
    assert refused.value.main.code is ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED
    message = refused.value.main.message
    assert "another version was activated meanwhile" in message.en
    assert "그 사이 다른 버전이" in message.ko


def cannot_be_read() -> list[workers.Worker]:
    message = "the server is away"
    raise DatabaseUnavailable(message)


def test_questions_that_a_version_answered_are_open_again_when_it_is_taken_back(
    database: Database, tmp_path: Path
) -> None:
    with joined(database, tmp_path) as services:
        question = Question("breakerModel", brand="LS", model="NEW", poles=3)
        asked = Asking((("$.main", question),), "api-x", NOON, active_id(database))
        database.write_now(lambda c: write_questions(c, [asked]))
        announce(
            database, "old program", active_id(database), Failure(services.version(NEXT).id, "no")
        )
        with pytest.raises(DomainError):
            services.activate(NEXT)
    subjects = database.read_now(lambda c: list_questions(c, include_closed=False))
    assert len(subjects) == 1


def test_active_version_that_a_worker_has_not_is_no_success(
    database: Database, tmp_path: Path
) -> None:
    before = database.read_now(store.load_active_version)
    with joined(database, tmp_path) as services:
        announce(database, "old program", before.id + 99, Failure(before.id, "no"))
        (done,) = services.run(
            services.activation.activate(ActivationOrder(before.label, "activate", False), "a")
        )
    assert (done.already_active, done.hot_swap_success) == (True, False)


def test_worker_that_has_ended_is_not_waited_for(database: Database, tmp_path: Path) -> None:
    announce(database, "killed", active_id(database))
    gone = f"UPDATE worker SET seen_at_s = seen_at_s - {workers.GONE_AFTER_S + 1}"
    database.write_now(lambda c: c.exec_driver_sql(gone))
    with joined(database, tmp_path) as services:
        (said,) = services.run(activated(services))
    assert said == (Acknowledgement("killed", "gone"),)


def test_third_version_meanwhile_is_nobodys_fault(database: Database, tmp_path: Path) -> None:
    """Another server has activated on: there is nothing to wait for, and nothing to take back."""
    before = active_id(database)
    announce(database, "there", before)
    with joined(database, tmp_path) as services:
        (said,) = services.run(services.activation._fleet.acknowledgements(before + 99))
    assert said == (Acknowledgement("there", "passed"),)


def test_fault_is_logged_once_and_told_to_the_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(fleet, "LOOK_EVERY_S", 0.01)
    before = newest(database)
    with running(database, tmp_path) as services:
        publish(services)
        services.activate(NEXT)
        monkeypatch.setattr(store, "load_document", lambda *_: b"{}")

        async def run() -> workers.Worker:
            async with worker(database, "there", before):
                await asyncio.sleep(0.2)
                (found,) = await database.read(workers.load_workers)
                return found

        (found,) = services.run(run())
    assert found.version_id == before.current.snapshot.version_id
    assert found.failure == before.failure
    assert found.failure is not None
    assert found.failure.version_id == active_id(database)
    told = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert [record.getMessage() for record in told] == [f"look: {found.failure.problem}"]


def test_who_ends_withdraws(database: Database) -> None:
    async def run() -> None:
        async with worker(database, "there"):
            pass
        assert await database.read(workers.load_workers) == []

    asyncio.run(run())
