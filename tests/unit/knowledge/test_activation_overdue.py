"""An activation whose owner died while the workers answered it: another one settles it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kis.db.engine import Database, open_second_writer
from kis.errors import DomainError, ErrorCode
from kis.knowledge import fleet, pending, store, workers
from kis.knowledge.activation import ActivationOrder
from kis.knowledge.fleet import Acknowledgement, SharedFleet
from kis.knowledge.following import Follower
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import Asking, list_questions, write_questions
from kis.knowledge.workers import Failure
from tests.backends import POSTGRESQL_ONLY
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running

FIRST, NEXT = "v2025-09-24-01", "v-next"

pytestmark = POSTGRESQL_ONLY


class Killed(BaseException):
    """Ends an activation where a kill would."""


@contextmanager
def worker(database: Database, folder: Path) -> Iterator[Running]:
    """Services that are one of several workers."""
    url = database.write_engine.url.render_as_string(hide_password=False)
    with running(database, folder) as services:
        shared = SharedFleet(
            "here", database=database, words=open_second_writer(url, slow_query_ms=60_000),
            knowledge=services.knowledge, follower=Follower(database, services.knowledge),
        )  # fmt: skip
        services.activation._fleet = shared
        yield services
        services.run(shared.leave())


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    """A worker, with a version to activate that answers a question."""
    with worker(database, tmp_path) as services:
        question = Question("breakerModel", brand="LS", model="NEW", poles=3)
        asked = Asking((("$.main", question),), "api-x", NOON, active_id(database))
        database.write_now(lambda c: write_questions(c, [asked]))
        services.stage(NEXT, breaker("NEW"))
        assert services.validate(NEXT)
        yield services


def active_id(database: Database) -> int:
    return database.read_now(store.load_active_version).id


def active(services: Running) -> str:
    return services.database.read_now(store.load_active_version).label


def activate_and_die(services: Running, label: str = NEXT) -> None:
    """Activate, and end before any worker has answered."""

    async def die(_: int) -> None:
        raise Killed

    shared = services.activation._fleet
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "acknowledgements", die)
        with pytest.raises(Killed):
            services.activate(label)
    assert active(services) == label


def let_pass(database: Database, seconds: float = pending.OVERDUE_AFTER_S + 1) -> None:
    statement = f"UPDATE knowledge_pending SET overdue_at_s = overdue_at_s - {seconds}"
    database.write_now(lambda c: c.exec_driver_sql(statement))


def announce(services: Running, version_id: int, failure: Failure | None = None) -> None:
    services.database.write_now(lambda c: workers.announce(c, "there", version_id, failure))


def settle(*all_of_them: Running) -> None:
    first, *_ = all_of_them
    first.run(*(services.activation.settle_overdue() for services in all_of_them))


def history(services: Running) -> list[tuple[str, str]]:
    statement = "SELECT kind, label FROM knowledge_activation ORDER BY id"
    return [
        (kind, label)
        for kind, label in services.database.read_now(lambda c: c.exec_driver_sql(statement).all())
    ]


def is_pending(services: Running) -> bool:
    statement = "SELECT count(*) FROM knowledge_pending"
    return bool(services.database.read_now(lambda c: c.exec_driver_sql(statement).scalar()))


@pytest.mark.parametrize("has_failed", [True, False])
def test_what_a_worker_cannot_take_is_taken_back(services: Running, has_failed: bool) -> None:
    before = active_id(services.database)
    activate_and_die(services)
    failure = Failure(services.version(NEXT).id, "unknown rule") if has_failed else None
    announce(services, before, failure)
    let_pass(services.database)
    settle(services)
    assert active(services) == FIRST
    assert services.knowledge.current.snapshot.label == FIRST
    assert history(services)[1:] == [("activate", NEXT), ("rollback", FIRST)]
    assert len(services.database.read_now(lambda c: list_questions(c, include_closed=False))) == 1
    settle(services)
    assert not is_pending(services)
    assert len(history(services)) == 3


def test_of_those_who_find_it_at_once_one_takes_it_back(services: Running, tmp_path: Path) -> None:
    activate_and_die(services)
    announce(services, 99)
    let_pass(services.database)
    with worker(services.database, tmp_path / "other") as other:
        settle(services, other)
    assert history(services)[1:] == [("activate", NEXT), ("rollback", FIRST)]


def test_what_all_workers_have_stays(services: Running) -> None:
    activate_and_die(services)
    announce(services, services.version(NEXT).id)
    let_pass(services.database)
    settle(services)
    assert (active(services), is_pending(services)) == (NEXT, False)


def test_before_it_is_overdue_it_is_its_owners(services: Running) -> None:
    activate_and_die(services)
    announce(services, 99)
    settle(services)
    assert (active(services), is_pending(services)) == (NEXT, True)


def test_nobody_judges_while_workers_may_be_missing(services: Running) -> None:
    """After a crash of the server the table of workers is empty."""
    activate_and_die(services)
    services.database.write_now(lambda c: c.exec_driver_sql("TRUNCATE worker, worker_since"))
    let_pass(services.database)
    settle(services)
    assert (active(services), is_pending(services)) == (NEXT, True)


def test_what_came_after_it_is_not_taken_back(services: Running) -> None:
    """Somebody has gone back himself, and has activated the very version again since."""
    activate_and_die(services)
    let_pass(services.database)
    overdue = services.database.read_now(pending.load_overdue)
    services.roll_back(FIRST)
    services.roll_back(NEXT)
    announce(services, 99)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pending, "load_overdue", lambda _: overdue)
        settle(services)
    assert active(services) == NEXT


def test_who_lives_settles_it_himself(services: Running) -> None:
    services.activate(NEXT)
    assert (active(services), is_pending(services)) == (NEXT, False)


@pytest.mark.parametrize("is_heard", [True, False])
def test_owner_who_comes_late_finds_that_it_was_taken_back(
    services: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    """As one that was frozen. It says so: the version before is active again, whoever did it."""
    monkeypatch.setattr(fleet, "ACKNOWLEDGED_WITHIN_S", 0.2)
    announce(services, 99)
    with worker(services.database, tmp_path / "other") as other:
        acknowledgements = services.activation._fleet.acknowledgements

        async def late(version_id: int) -> tuple[Acknowledgement, ...]:
            said = () if is_heard else await acknowledgements(version_id)
            let_pass(services.database)
            await other.activation.settle_overdue()
            return said or await acknowledgements(version_id)

        monkeypatch.setattr(services.activation._fleet, "acknowledgements", late)
        order = ActivationOrder(NEXT, "activate", run_regression=False)
        with pytest.raises(DomainError) as refused:
            services.run(services.activation.activate(order, "admin-x"))
    assert refused.value.main.code is ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED
    assert "is active again" in refused.value.main.message.en
    assert history(services)[1:] == [("activate", NEXT), ("rollback", FIRST)]
