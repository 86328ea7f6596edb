"""One real database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.db.engine import Database, open_database


@pytest.fixture
def path(database_file: Path) -> Path:
    return database_file


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url, slow_query_ms=60_000)
    yield database
    database.close()
