"""A database with the schema, and one with the shipped knowledge in it."""

from datetime import UTC, datetime

import pytest

from kis.db.engine import Database
from kis.knowledge.first import load_first_version

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def database(migrated: Database) -> Database:
    """The shipped knowledge, active since noon."""
    migrated.write_now(lambda connection: load_first_version(connection, NOON))
    return migrated
