"""The rate limit that several processes count together, on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from kis.access.rate import Allowance, Client, RateLimiter
from kis.access.shared_rate import SharedRateLimiter
from kis.db.engine import Database, open_second_writer
from kis.errors import DomainError
from tests.backends import POSTGRESQL_ONLY

pytestmark = [POSTGRESQL_ONLY, pytest.mark.usefixtures("migrated")]

ONE, OTHER = Client("key", "10.0.0.1"), Client("key", "10.0.0.2")


@asynccontextmanager
async def running(per_minute: int, *urls: str) -> AsyncIterator[list[SharedRateLimiter]]:
    """One limiter for each address, as in a process each."""
    limiters = [
        SharedRateLimiter(per_minute, open_second_writer(url, slow_query_ms=60_000)) for url in urls
    ]
    for limiter in limiters:
        limiter.start()
    try:
        yield limiters
    finally:
        for limiter in limiters:
            await limiter.stop()


def pass_seconds(database: Database, seconds: float) -> None:
    """Put all buckets back, as if so much time had passed."""
    statement = f"UPDATE rate_limit SET empty_at_s = empty_at_s - {seconds}"
    database.write_now(lambda c: c.exec_driver_sql(statement))


def ask(per_minute: int, url: str, clients: Sequence[Client]) -> list[Allowance]:
    """Ask for all at once, in one process."""

    async def run() -> list[Allowance]:
        async with running(per_minute, url) as (limiter,):
            return list(await asyncio.gather(*(limiter.take(client) for client in clients)))

    return asyncio.run(run())


@pytest.mark.parametrize("per_minute", [1, 3, 7])
def test_answers_are_those_of_one_process(database_url: str, per_minute: int) -> None:
    alone = RateLimiter(per_minute, lambda: 0.0)

    async def expected() -> list[Allowance]:
        return [await alone.take(ONE) for _ in range(per_minute + 3)]

    assert ask(per_minute, database_url, [ONE] * (per_minute + 3)) == asyncio.run(expected())


def test_processes_share_a_bucket(database_url: str) -> None:
    async def run() -> list[Allowance]:
        async with running(100, *[database_url] * 4) as limiters:
            asked = [limiter.take(ONE) for _ in range(100) for limiter in limiters]
            return list(await asyncio.gather(*asked))

    answers = asyncio.run(run())
    # A token comes back each 0.6 s, so a slow machine may let one more through.
    assert 100 <= sum(answer.allowed for answer in answers) <= 101


def test_clients_do_not_share(database_url: str) -> None:
    answers = ask(1, database_url, [ONE, OTHER, ONE, OTHER])
    assert [answer.allowed for answer in answers] == [True, True, False, False]


def test_refill_is_steady(database_url: str, migrated: Database) -> None:
    assert all(answer.allowed for answer in ask(6, database_url, [ONE] * 6))
    for _ in range(5):
        assert [a.allowed for a in ask(6, database_url, [ONE])] == [False]
        pass_seconds(migrated, 10)
        assert [a.allowed for a in ask(6, database_url, [ONE] * 2)] == [True, False]


def test_clock_that_is_set_back_leaves_a_full_bucket(database_url: str, migrated: Database) -> None:
    ask(6, database_url, [ONE])
    pass_seconds(migrated, -3_600)
    (refused,) = ask(6, database_url, [ONE])
    assert (refused.allowed, refused.retry_after_s) == (False, 10)


def test_idle_clients_are_forgotten(
    database_url: str, migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kis.access.shared_rate.FORGET_EVERY", 1)
    ask(1, database_url, [ONE])
    pass_seconds(migrated, 61)
    ask(1, database_url, [OTHER])
    rows = migrated.read_now(lambda c: c.exec_driver_sql("SELECT client FROM rate_limit").all())
    assert [tuple(row) for row in rows] == [("key|10.0.0.2",)]


def test_refused_while_it_stops(database_url: str) -> None:
    async def run() -> None:
        async with running(1, database_url) as (limiter,):
            await limiter.stop()
            await limiter.take(ONE)

    with pytest.raises(DomainError, match="NOT_READY"):
        asyncio.run(run())
