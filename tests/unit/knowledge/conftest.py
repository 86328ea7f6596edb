"""A database with the schema, and one with the shipped knowledge in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kis.db.engine import Database, open_database
from kis.db.migrate import migrate
from kis.knowledge.first import load_first_version

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """The schema alone."""
    database = open_database(database_url, slow_query_ms=60_000)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    """The shipped knowledge, active since noon."""
    empty.write_now(lambda connection: load_first_version(connection, NOON))
    return empty
