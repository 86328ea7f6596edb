"""What the processes that serve one database tell each other, as rows of it."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql

from kis.db.postgres import NOW_S
from kis.knowledge.tables import worker_table

GONE_AFTER_S = 4.0
"""Who has not been seen for so long serves nobody, and is not waited for."""

FORGOTTEN_AFTER_S = 3_600.0


class Failure(NamedTuple):
    """Why a worker cannot load the version that is active."""

    version_id: int
    problem: str


class Worker(NamedTuple):
    """A process as it was last seen, so many seconds ago."""

    name: str
    age_s: float
    version_id: int
    failure: Failure | None

    @property
    def is_gone(self) -> bool:
        """Whether nobody should wait for it."""
        return self.age_s > GONE_AFTER_S


def announce(connection: Connection, name: str, version_id: int, failure: Failure | None) -> None:
    """Say which version the worker `name` estimates with, or which it cannot load."""
    values = {
        "seen_at_s": NOW_S,
        "version_id": version_id,
        "failed_version_id": None if failure is None else failure.version_id,
        "problem": "" if failure is None else failure.problem,
    }
    statement = postgresql.insert(worker_table).values(name=name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def withdraw(connection: Connection, name: str) -> None:
    """Say that the worker `name` has ended; forget those that ended without a word."""
    table = worker_table.c
    is_forgotten = table.seen_at_s < NOW_S - FORGOTTEN_AFTER_S
    connection.execute(delete(worker_table).where((table.name == name) | is_forgotten))


def load_workers(connection: Connection) -> list[Worker]:
    """Return the workers by name, those that are gone too."""
    table = worker_table.c
    rows = connection.execute(
        select(
            table.name, NOW_S - table.seen_at_s, table.version_id, table.failed_version_id,
            table.problem,
        ).order_by(table.name)
    )  # fmt: skip
    return [
        Worker(name, age_s, version_id, None if failed is None else Failure(failed, problem))
        for name, age_s, version_id, failed, problem in rows
    ]
