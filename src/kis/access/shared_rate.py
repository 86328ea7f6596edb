"""The rate limit that all processes on one PostgreSQL share.

The buckets are rows, the clock is the server's. What a process is asked in one
turn goes there in one statement, in a transaction of its own: the table is
unlogged, so that no commit waits for the disk. docs/adr/0007 has the figures.
"""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from kis.access.rate import SECONDS, Allowance, Client, allow, deny
from kis.access.tables import rate_limit_table
from kis.db.engine import Database
from kis.db.writer import Writer

# Never more than full, also when the clock is set back.
_FULL_S = "least(greatest(bucket.empty_at_s - excluded.asked_at_s, 0), %(seconds)s)"
# As many as the bucket has room for; a millionth more is the rounding of sums.
_TAKEN = f"""greatest(0, least(excluded.taken, floor(1e-6 +
    (%(seconds)s - {_FULL_S}) / %(interval_s)s)))::int"""
_TAKE = f"""
INSERT INTO {rate_limit_table.name} AS bucket (client, empty_at_s, asked_at_s, taken)
SELECT client, now_s + least(wanted, %(limit)s) * %(interval_s)s, now_s, least(wanted, %(limit)s)
FROM unnest(%(clients)s::text[], %(wanted)s::int[]) AS asked (client, wanted),
     (SELECT extract(epoch FROM clock_timestamp())::float8 AS now_s) AS clock
ORDER BY client
ON CONFLICT (client) DO UPDATE SET
    asked_at_s = excluded.asked_at_s,
    taken = {_TAKEN},
    empty_at_s = excluded.asked_at_s + {_FULL_S} + {_TAKEN} * %(interval_s)s
RETURNING client, empty_at_s, asked_at_s, taken
"""  # noqa: S608 - our own words
"""In the order of the clients, so that two processes never wait for each other."""

_FORGET = f"""
DELETE FROM {rate_limit_table.name} WHERE client IN (
    SELECT client FROM {rate_limit_table.name}
    WHERE empty_at_s < extract(epoch FROM clock_timestamp()) FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - likewise
"""Whoever is asking now keeps its bucket."""
FORGET_EVERY = 1_000
"""Batches, after which the clients whose buckets are empty are forgotten."""


class SharedRateLimiter:
    """A `Limiter` for every process that uses the same database."""

    def __init__(self, per_minute: int, database: Database) -> None:
        """Count in `database`, which is closed by `stop`; `per_minute` is above 0."""
        self._limit = per_minute
        self._interval_s = SECONDS / per_minute
        self._database = database
        self._writer = Writer(database, name="kis-rate-limit")
        self._batches = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return True

    def start(self) -> None:
        """Begin to count."""
        self._writer.start()

    async def take(self, client: Client) -> Allowance:
        """Count a request of `client`.

        Raises:
            DomainError: NOT_READY, OVERLOADED, as `Writer.submit`.
            DatabaseUnavailable: the server does not answer.

        """
        return await self._writer.submit(self._take, client)

    async def stop(self) -> None:
        """Answer what was asked, then close the database."""
        await self._writer.stop()
        self._database.close()

    def _take(self, connection: Connection, clients: Sequence[Client]) -> Sequence[Allowance]:
        names = ["|".join(client) for client in clients]
        wanted = Counter(names)
        asked = {
            "clients": list(wanted), "wanted": list(wanted.values()), "limit": self._limit,
            "interval_s": self._interval_s, "seconds": SECONDS,
        }  # fmt: skip
        rows = connection.exec_driver_sql(_TAKE, asked).all()
        buckets = {name: _Bucket(*figures) for name, *figures in rows}
        self._batches += 1
        if self._batches % FORGET_EVERY == 0:
            connection.exec_driver_sql(_FORGET)
        return [self._serve(buckets[name]) for name in names]

    def _serve(self, bucket: "_Bucket") -> Allowance:
        """Give one of the requests that were taken, in order, or what a refusal is told."""
        if bucket.left:
            bucket.left -= 1
            return allow(self._limit, bucket.full_s - bucket.left * self._interval_s)
        return deny(self._limit, bucket.full_s + self._interval_s - SECONDS)


class _Bucket:
    """How full a client's bucket is (s) after a batch, and what of the batch is to be given."""

    def __init__(self, empty_at_s: float, asked_at_s: float, taken: int) -> None:
        self.full_s = empty_at_s - asked_at_s
        self.left = taken
