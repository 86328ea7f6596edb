"""Locks that only one session of a server's database has at a time."""

import threading

from sqlalchemy import text

from kis.db.engine import open_second_writer
from kis.db.locks import lock_maintenance
from tests.backends import POSTGRESQL_ONLY


@POSTGRESQL_ONLY  # a SQLite file has one process, whose service takes turns
def test_who_waits_to_maintain_hinders_no_index_being_made_anew(database_url: str) -> None:
    """A REINDEX CONCURRENTLY waits for every snapshot: one of a waiting session would deadlock."""
    first = open_second_writer(database_url, slow_query_ms=60_000)
    second = open_second_writer(database_url, slow_query_ms=60_000)
    asked, entered = threading.Event(), threading.Event()

    def wait() -> None:
        engine = second.write_engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            asked.set()
            lock_maintenance(connection)
            entered.set()

    waiting = threading.Thread(target=wait)
    try:
        engine = first.write_engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            lock_maintenance(connection)
            waiting.start()
            asked.wait(30)
            connection.execute(text("CREATE TABLE t (id int PRIMARY KEY)"))
            connection.execute(text("REINDEX INDEX CONCURRENTLY t_pkey"))
            assert not entered.is_set()
        first.close()
        assert entered.wait(30)
    finally:
        waiting.join(30)
        second.close()
