"""Health: healthy, and each reason why it is not, with nothing raised."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kis.db.place import DISPLACED
from kis.db.transaction import Trouble
from kis.ops import health
from kis.ops.health import Health, check_health, try_to_store
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
    assert (health_of(services).status, health_of(services).told) == ("healthy", ())


@pytest.mark.parametrize(
    ("trouble", "word"),
    [(Trouble("X", True), "disk is full"), (Trouble("OSError", False), "OSError")],
)
def test_writes_that_fail(services: Services, trouble: Trouble, word: str) -> None:
    """All else goes on: it is ready."""
    services.start()
    services.writer.trouble = trouble
    found = health_of(services)
    assert (found.is_ready, found.status, found.reasons) == (True, "degraded", ())
    (told,) = found.told
    assert word in told
    assert "저장할 수 없습니다" in told


async def tried(services: Services, times: int) -> None:
    """Let a write be tried so often."""
    left = iter(range(times))

    async def pause() -> None:
        if next(left, None) is None:
            raise asyncio.CancelledError

    file = Path(str(services.database.write_engine.url.database))
    with suppress(asyncio.CancelledError):
        await try_to_store(services.database, file, services.writer, pause)


def test_writes_are_tried_until_one_succeeds(services: Services, tmp_path: Path) -> None:
    services.start()
    services.writer.trouble = Trouble("X", True)
    file = tmp_path / "data" / "kis.db"
    with closing(sqlite3.connect(file)) as c:
        c.execute("ALTER TABLE commit_mark RENAME TO gone")
        asyncio.run(tried(services, 2))
        assert services.writer.trouble is not None
        c.execute("ALTER TABLE gone RENAME TO commit_mark")
    asyncio.run(tried(services, 2))
    assert services.writer.trouble is None
    assert health_of(services).status == "healthy"


def test_nothing_is_tried_where_there_is_no_room(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small write might succeed there, and an estimate not."""
    services.start()
    services.writer.trouble = Trouble("X", True)
    monkeypatch.setattr(health, "ENOUGH_BYTES", 2**60)
    asyncio.run(tried(services, 2))
    assert services.writer.trouble is not None


def test_writer_that_does_not_run(services: Services) -> None:
    found = health_of(services)
    assert (found.is_ready, found.status) == (False, "unhealthy")
    (reason,) = found.reasons
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
    found = health_of(services)
    assert (found.is_ready, found.status) == (False, "unhealthy")
    (reason,) = found.reasons
    assert word in reason.en
    # What is in memory is still told.
    assert found.total_rows == 108
