"""What every test may ask for: the shipped knowledge, and whether golden files are rewritten."""

from importlib.resources import files

import pytest

from kis.knowledge.formats import parse_upload
from kis.knowledge.snapshot import Snapshot, Tables


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden/*.json with today's results; check the figures by hand",
    )


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
