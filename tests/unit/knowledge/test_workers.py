"""What workers tell each other, as rows of PostgreSQL."""

from kis.db.engine import Database
from kis.knowledge import workers
from kis.knowledge.workers import Failure, Worker
from tests.backends import POSTGRESQL_ONLY

pytestmark = POSTGRESQL_ONLY


def announce(database: Database, name: str, version_id: int, failure: Failure | None) -> None:
    database.write_now(lambda c: workers.announce(c, name, version_id, failure))


def let_pass(database: Database, seconds: float) -> None:
    statement = f"UPDATE worker SET seen_at_s = seen_at_s - {seconds}"
    database.write_now(lambda c: c.exec_driver_sql(statement))


def known(database: Database) -> list[Worker]:
    return database.read_now(workers.load_workers)


def test_last_word_of_each_counts(migrated: Database) -> None:
    announce(migrated, "b", 1, None)
    announce(migrated, "a", 1, Failure(2, "no"))
    announce(migrated, "b", 2, None)
    found = known(migrated)
    assert [(w.name, w.version_id, w.failure) for w in found] == [
        ("a", 1, Failure(2, "no")),
        ("b", 2, None),
    ]
    assert all(0 <= w.age_s < workers.GONE_AFTER_S and not w.is_gone for w in found)


def test_who_is_silent_is_gone_until_it_speaks_again(migrated: Database) -> None:
    announce(migrated, "a", 1, None)
    let_pass(migrated, workers.GONE_AFTER_S + 1)
    assert [w.is_gone for w in known(migrated)] == [True]
    announce(migrated, "a", 1, None)
    assert [w.is_gone for w in known(migrated)] == [False]


def test_who_ends_well_is_not_there(migrated: Database) -> None:
    announce(migrated, "a", 1, None)
    announce(migrated, "b", 1, None)
    migrated.write_now(lambda c: workers.withdraw(c, "a"))
    assert [w.name for w in known(migrated)] == ["b"]


def test_who_ended_without_a_word_is_forgotten(migrated: Database) -> None:
    announce(migrated, "long ago", 1, None)
    let_pass(migrated, workers.FORGOTTEN_AFTER_S + 1)
    announce(migrated, "a", 1, None)
    migrated.write_now(lambda c: workers.withdraw(c, "another"))
    assert [w.name for w in known(migrated)] == ["a"]
