"""Fixtures of several test modules."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kis.db.engine import Database, open_database
from kis.db.migrate import migrate
from kis.home import prepare_home
from kis.settings import load_settings
from kis.telemetry import close_logging, configure_logging

SECRETS = {
    "API_KEY": "k" * 32,
    "ADMIN_API_KEY": "m" * 32,
    "EVIDENCE_SECRET": "v" * 32,
    "KIS_MASTER_KEY": "w" * 32,
}


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts logging with the given settings; returns the log file."""

    def start(**environ: str) -> Path:
        prepare_home(tmp_path)
        settings = load_settings({"KIS_HOME": str(tmp_path), **SECRETS, **environ})
        configure_logging(settings)
        return settings.log_file

    yield start
    close_logging()


@pytest.fixture
def migrated(database_url: str) -> Iterator[Database]:
    """A database with every table and nothing in it."""
    database = open_database(database_url, slow_query_ms=60_000)
    migrate(database)
    yield database
    database.close()
