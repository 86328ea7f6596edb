"""What every test may ask for: the shipped knowledge, and whether golden files are rewritten."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from kis.knowledge.formats import parse_upload
from kis.knowledge.snapshot import Snapshot, Tables
from tests.backends import BACKENDS, new_database
from tests.postgres import NOT_SAFE, PostgresServer, in_memory


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden/*.json with today's results; check the figures by hand",
    )
    parser.addoption(
        "--drill",
        action="store_true",
        help="repeat what the drills do (kills, rotations) as often as the figures say; minutes",
    )


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for another process, or for a clock."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def is_drill(pytestconfig: pytest.Config) -> bool:
    """Whether to repeat something until it is a figure, rather than to show that it works."""
    return bool(pytestconfig.getoption("--drill"))


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--update-golden"))


@pytest.fixture(scope="session")
def seed_snapshot() -> Snapshot:
    """The shipped knowledge. Immutable, so that all tests may share it."""
    seed = files("kis.seed")
    catalogue = parse_upload("json", seed.joinpath("catalogue.json").read_bytes())
    assert catalogue.rules is not None
    brands = catalogue.rules.brands
    breakers = parse_upload("csv", seed.joinpath("breakers.csv").read_bytes(), brands=brands)
    assert breakers.breakers is not None
    assert catalogue.enclosures is not None
    assert catalogue.accessories is not None
    tables = Tables(breakers.breakers, catalogue.enclosures, catalogue.accessories, catalogue.rules)
    return Snapshot(tables, label="seed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a process that need no other."""
    server = PostgresServer(*NOT_SAFE, parent=in_memory())
    yield server
    server.close()


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    """Where a test's SQLite file is."""
    return tmp_path / "kis.db"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, database_file: Path) -> str:
    """The address of an empty database: the test runs on each kind."""
    return new_database(request.param, database_file, request)
