"""What the processes that serve one database tell each other, as rows of it."""

from typing import NamedTuple

from sqlalchemy import Connection, Text, cast, delete, func, select, text
from sqlalchemy.dialects import postgresql

from kis.db.postgres import NOW_S
from kis.knowledge.tables import worker_since_table, worker_table

CHANNEL = "kis_workers"
"""On which PostgreSQL tells the other processes that there is something new to look at."""

GONE_AFTER_S = 4.0
"""Who has not been seen for so long serves nobody, and is not waited for."""

KEYS_HOLD_S = 3.0
"""How long a worker goes by the keys that it has looked at, from when it was last heard before
it looked. Shorter than what makes it `gone`: whoever is gone opens nothing."""

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


_BEHIND = text("""
SELECT name FROM worker
WHERE name <> :asking AND seen_at_s > extract(epoch FROM clock_timestamp()) - :gone_after_s
  AND pg_visible_in_snapshot(CAST(:change AS xid8), CAST(keys_seen AS pg_snapshot)) IS NOT TRUE
ORDER BY name
""")


def announce(
    connection: Connection, name: str, version_id: int, failure: Failure | None,
    keys_seen: str | None = None,
) -> None:  # fmt: skip
    """Say which version the worker `name` estimates with, or which it cannot load.

    `keys_seen` is what `seen_by` told when it looked at the keys.
    """
    values = {
        "seen_at_s": NOW_S,
        "version_id": version_id,
        "failed_version_id": None if failure is None else failure.version_id,
        "problem": "" if failure is None else failure.problem,
        "keys_seen": keys_seen,
    }
    statement = postgresql.insert(worker_table).values(name=name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    since = postgresql.insert(worker_since_table).values(id=1, at_s=NOW_S)
    connection.execute(since.on_conflict_do_nothing())


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


def is_complete(connection: Connection) -> bool:
    """Whether all who are there have spoken since a crash of the server emptied the table."""
    since_s = connection.scalar(select(NOW_S - worker_since_table.c.at_s))
    return since_s is not None and since_s > GONE_AFTER_S


def wake_others(connection: Connection) -> None:
    """Have the other processes look once this transaction is committed; they would anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


# --- keys --------------------------------------------------------------------------------


def number_of(connection: Connection) -> str:
    """Return the number of this transaction; on SQLite, where nobody asks, empty."""
    if connection.dialect.name != "postgresql":
        return ""
    return str(connection.scalar(select(cast(func.pg_current_xact_id(), Text))))


def seen_by(connection: Connection) -> str:
    """Return which transactions this one sees; what it reads from here on is no older."""
    if connection.dialect.name != "postgresql":
        return ""
    return str(connection.scalar(select(cast(func.pg_current_snapshot(), Text))))


def behind(connection: Connection, change: str, asking: str) -> list[str] | None:
    """Return who, but for `asking`, is there and has not said to have seen the change of keys.

    None: nobody can say, as in `is_complete`.
    """
    if not is_complete(connection):
        return None
    asked = {"asking": asking, "change": change, "gone_after_s": GONE_AFTER_S}
    return list(connection.execute(_BEHIND, asked).scalars())
