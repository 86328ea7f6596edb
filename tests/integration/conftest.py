"""The running service, in this process or in one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends import BACKENDS, new_database
from tests.services import Client, Server, running_client, running_server


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    """Where a home has its SQLite file."""
    return tmp_path / "home" / "data" / "kis.db"


@pytest.fixture
def client(tmp_path: Path, database_url: str) -> Iterator[Client]:
    """The application in this process, on a home of its own, rate limit off."""
    with running_client(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as running:
        yield running


@pytest.fixture(scope="module", params=BACKENDS)
def shared_client(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Client]:
    """One application for all tests of a module, for tests that leave nothing behind.

    Not together with `client` in one test module: a process has one log.
    """
    home = tmp_path_factory.mktemp("shared") / "home"
    url = new_database(request.param, home / "data" / "kis.db", request)
    with running_client(home, RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=url) as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A real server process on a home of its own, rate limit off."""
    with running_server(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as running:
        yield running
