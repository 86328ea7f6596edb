"""The kinds of database that tests run on."""

import os
from itertools import count
from pathlib import Path

import pytest

from tests.postgres import PostgresServer

BACKENDS = ("sqlite", "postgresql")
# Whatever has one of these says why beside it.
SQLITE_ONLY = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SHARED_SQLITE_ONLY = pytest.mark.parametrize("shared_client", ["sqlite"], indirect=True)
POSTGRESQL_ONLY = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

_numbers = count()


@pytest.fixture
def own_programs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pg_dump and pg_restore of the server's own version be the first on PATH."""
    server: PostgresServer = request.getfixturevalue("postgres")
    monkeypatch.setenv("PATH", f"{server.programs}{os.pathsep}{os.environ['PATH']}")


def new_database(backend: str, file: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database of that kind; `file` is for SQLite.

    One on a server goes with whoever asked for it: a thousand of them are 8 GB.
    """
    if backend == "sqlite":
        return f"sqlite:///{file}"
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    request.addfinalizer(lambda: server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    return server.url(name)
