"""Whether a transaction was committed, as its row tells on PostgreSQL."""

import threading

import pytest

from kis.db.commit_mark import CommitMark, commit_mark_table, forget_marks
from kis.db.engine import Database
from tests.backends import POSTGRESQL_ONLY
from tests.postgres import wait_for_locks

pytestmark = POSTGRESQL_ONLY


@pytest.fixture(autouse=True)
def _create(database: Database) -> None:
    database.write_now(commit_mark_table.create)


def test_committed_is_there_and_rolled_back_is_not(database: Database) -> None:
    mark = CommitMark()
    database.write_now(mark.put)
    assert database.write_now(mark.is_there)
    with database.write_engine.connect() as connection:
        mark.put(connection)
        connection.rollback()
    assert not database.write_now(mark.is_there)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_committed", [True, False])
def test_who_asks_waits_for_a_transaction_that_is_still_being_committed(
    database: Database, database_url: str, *, is_first: bool, is_committed: bool
) -> None:
    """The connection is lost, the server has not noticed and goes on."""
    mark, told = CommitMark(), list[bool]()
    if not is_first:
        database.write_now(mark.put)
    with database.read_engine.connect() as zombie:
        zombie.exec_driver_sql("SET TRANSACTION READ WRITE")
        mark.put(zombie)
        asking = threading.Thread(target=lambda: told.append(database.write_now(mark.is_there)))
        asking.start()
        wait_for_locks(database_url, 1)
        (zombie.commit if is_committed else zombie.rollback)()
        asking.join()
    assert told == [is_committed]


def test_writers_do_not_share(database: Database) -> None:
    one, other = CommitMark(), CommitMark()
    database.write_now(one.put)
    database.write_now(other.put)
    database.write_now(other.put)
    assert database.write_now(one.is_there)
    assert database.write_now(other.is_there)


def test_marks_of_writers_that_ended_are_forgotten(database: Database) -> None:
    old, new = CommitMark(), CommitMark()
    database.write_now(old.put)
    aged = "UPDATE commit_mark SET marked_at_s = marked_at_s - 100000"
    database.write_now(lambda c: c.exec_driver_sql(aged))
    database.write_now(new.put)
    database.write_now(forget_marks)
    assert database.write_now(new.is_there)
    assert not database.write_now(old.is_there)
