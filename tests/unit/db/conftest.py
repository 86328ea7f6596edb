"""One real SQLite file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.db.engine import Database, open_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kis.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}", slow_query_ms=60_000)
    yield database
    database.close()
