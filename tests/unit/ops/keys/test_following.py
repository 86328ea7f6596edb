"""Keys in place: looked at again when they went stale, and never older than what was looked at."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from kis.access import store
from kis.access.keys import EnvKey, Scope
from kis.access.rules import find_key
from kis.db.engine import Database, open_database
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.evidence.keys import Opener
from kis.knowledge import workers
from kis.knowledge.fleet import Alone
from kis.ops.keys.opened import Keys, open_keys
from kis.ops.keys.rows import load_rows
from kis.ops.keys.start import KeySources, begin
from tests.postgres import NOT_SAFE, PostgresServer

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
API = EnvKey("API_KEY", Scope.API, "the-key-of-the-environment")
SOURCES = KeySources((API,), Opener("m" * 32, "1" * 32))
LONG_AGO_S = 100.0


class Unheard(Alone):
    """Other processes are there, and have not heard of this one for long."""

    def __init__(self) -> None:
        """Be heard last at a moment that is past."""
        super().__init__("unheard")
        self.heard_s = time.monotonic() - LONG_AGO_S


def opened(database: Database, fleet: Alone) -> Keys:
    rows = database.write_now(lambda c: begin(c, SOURCES, AT, os.urandom))
    return open_keys(
        rows, SOURCES, database=database, writer=Writer(database), fleet=fleet, now=lambda: AT,
        random_bytes=os.urandom,
    )  # fmt: skip


def revoke(database: Database) -> None:
    """Do so as another process does."""
    key = find_key(database.read_now(load_rows).keys, API.key_id)
    database.write_now(lambda c: store.revoke_key(c, key, AT, API))


@contextmanager
def lost() -> Iterator[tuple[Keys, PostgresServer]]:
    """Open keys on a server of their own, which a test may kill."""
    server = PostgresServer(*NOT_SAFE)
    server.execute("CREATE DATABASE kis")
    database = open_database(server.url("kis"), slow_query_ms=60_000)
    try:
        migrate(database)
        yield opened(database, Unheard()), server
    finally:
        database.close()
        server.close()


def test_what_is_looked_at_is_in_place_and_told(migrated: Database) -> None:
    told = []

    class Fleet(Alone):
        def tell_keys(self, seen: str) -> None:
            told.append((seen, keys.valid.find(API.secret)))

    keys = opened(migrated, Fleet("a"))
    assert keys.valid.find(API.secret) is not None
    revoke(migrated)
    asyncio.run(keys.follower.look())
    ((seen, found),) = told
    assert found is None
    if migrated.write_engine.dialect.name == "postgresql":
        number = migrated.write_now(workers.number_of)
        migrated.write_now(lambda c: workers.announce(c, "a", 1, None, seen))
        assert migrated.read_now(lambda c: workers.behind(c, number, "b")) == ["a"]


def test_keys_of_one_process_never_go_stale(migrated: Database) -> None:
    keys = opened(migrated, Alone("a"))
    for _ in range(2):
        assert keys.valid.find(API.secret) is not None
        asyncio.run(keys.follower.begin())


def test_keys_hold_a_while_from_when_this_process_was_heard(migrated: Database) -> None:
    fleet = Unheard()
    keys = opened(migrated, fleet)
    asyncio.run(keys.follower.look())
    assert keys.valid.is_stale
    fleet.heard_s = time.monotonic()
    assert keys.valid.is_stale  # what was looked at before is not newer for that
    asyncio.run(keys.follower.look())
    assert not keys.valid.is_stale


def test_stale_keys_are_looked_at_again_for_each_request(migrated: Database) -> None:
    """Also those of the environment, of any form; a wrong one is wrong nevertheless."""
    keys = opened(migrated, Unheard())
    asyncio.run(keys.follower.begin())
    assert keys.valid.find(API.secret) is None
    found = asyncio.run(keys.follower.find(API.secret))
    assert found is not None
    assert found.key_id == API.key_id
    assert asyncio.run(keys.follower.find("wrong")) is None
    assert keys.valid.named(API.key_id) is None
    assert asyncio.run(keys.follower.named(API.key_id)) == found
    revoke(migrated)
    assert asyncio.run(keys.follower.find(API.secret)) is None
    assert asyncio.run(keys.follower.named(API.key_id)) is None


def test_a_look_that_was_cancelled_is_none(migrated: Database) -> None:
    """As where a request that asked for it was given up: another one may not go by it."""
    keys = opened(migrated, Unheard())
    asyncio.run(keys.follower.begin())
    looked_s = keys.follower._looked_s

    async def run() -> None:
        look = asyncio.create_task(keys.follower.look())
        await asyncio.sleep(0)
        look.cancel()
        await asyncio.wait([look])
        assert look.cancelled()

    asyncio.run(run())
    assert keys.follower._looked_s == looked_s


def test_nobody_can_say_without_the_database(caplog: pytest.LogCaptureFixture) -> None:
    """And all that come together wait for one look, which fails."""
    with lost() as (keys, server):
        server.kill()
        looks = []
        look = keys.follower._take_stored

        async def counted() -> str:
            looks.append(1)
            return await look()

        keys.follower._take_stored = counted  # type: ignore[method-assign] # counts, then does it

        async def run() -> list[object]:
            await keys.follower.begin()
            asked = [keys.follower.find(API.secret) for _ in range(20)]
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = asyncio.run(run())
    assert {type(answer) for answer in answers} == {DatabaseUnavailable}
    assert len(looks) <= 3
    assert "keys cannot be followed" in caplog.text
