"""Health: healthy, and each reason why it is not, with nothing raised."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kis.db.place import DISPLACED
from kis.ops.health import Health, check_health
from kis.services import Services, open_services
from tests.services import settings_in


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = open_services(settings_in(tmp_path))
    yield services
    asyncio.run(services.stop())


def health_of(services: Services) -> Health:
    return asyncio.run(check_health(services.database, services.writer, services.knowledge))


def test_healthy_service(services: Services) -> None:
    services.start()
    assert health_of(services) == Health("v2025-09-24-01", 2, 108, ())
    assert health_of(services).is_ready


def test_writer_that_does_not_run(services: Services) -> None:
    health = health_of(services)
    assert not health.is_ready
    (reason,) = health.reasons
    assert "writer" in reason.en
    assert "저장" in reason.ko


def test_database_file_that_went(services: Services, tmp_path: Path) -> None:
    services.start()
    (tmp_path / "data" / "kis.db").rename(tmp_path / "elsewhere.db")
    (reason,) = health_of(services).reasons
    assert reason == DISPLACED.message


@pytest.mark.parametrize(
    ("sql", "word"),
    [("DELETE FROM knowledge_pointer", "active"), ("DROP TABLE knowledge_pointer", "read")],
)
def test_database_that_lost_what_it_needs(
    services: Services, tmp_path: Path, sql: str, word: str
) -> None:
    services.start()
    with closing(sqlite3.connect(tmp_path / "data" / "kis.db")) as connection:
        connection.execute(sql)
        connection.commit()
    health = health_of(services)
    assert not health.is_ready
    (reason,) = health.reasons
    assert word in reason.en
    # What is in memory is still told.
    assert health.total_rows == 108
