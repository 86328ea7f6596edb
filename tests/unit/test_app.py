"""The wiring: a first start, a second one, and starts that cannot be."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kis.access.keys import Scope
from kis.app import create_app
from kis.db.engine import open_database
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge.first import FIRST_LABEL
from kis.services import open_services
from kis.settings import Settings
from tests.services import API_KEY, settings_in


def damage(settings: Settings, sql: str) -> None:
    with closing(sqlite3.connect(settings.home / "data" / "kis.db")) as connection:
        connection.execute(sql)
        connection.commit()


def test_first_start_loads_the_shipped_knowledge(tmp_path: Path) -> None:
    services = open_services(settings_in(tmp_path))
    assert services.knowledge.current.snapshot.label == FIRST_LABEL
    services.database.close()


def test_second_start_finds_what_the_first_one_made(tmp_path: Path) -> None:
    digests = []
    for _ in range(2):
        services = open_services(settings_in(tmp_path))
        digests.append(services.knowledge.current.snapshot.digest)
        services.database.close()
    assert digests[0] == digests[1]
    with closing(sqlite3.connect(tmp_path / "data" / "kis.db")) as connection:
        counted = connection.execute("SELECT count(*) FROM knowledge_activation").fetchone()
    assert counted == (1,)


def test_start_that_was_cut_between_schema_and_knowledge(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    database = open_database(settings.database_url, slow_query_ms=60_000)
    migrate(database)
    database.close()
    services = open_services(settings)
    assert services.knowledge.current.snapshot.label == FIRST_LABEL
    services.database.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE knowledge_document SET content = x'00'",
        "DELETE FROM knowledge_document",
        "DROP TABLE knowledge_document",
    ],
)
def test_damaged_database_is_told_and_not_held_open(tmp_path: Path, sql: str) -> None:
    settings = settings_in(tmp_path)
    open_services(settings).database.close()
    damage(settings, sql)
    with pytest.raises(DatabaseUnavailable, match="doctor"):
        open_services(settings)
    # Nobody holds the file: it can be replaced by a backup at once.
    damage(settings, "VACUUM")


def test_equal_keys_open_estimates_only(tmp_path: Path) -> None:
    services = open_services(settings_in(tmp_path, ADMIN_API_KEY=API_KEY))
    assert [key.scope for key in services.keys.valid.keys] == [Scope.API]
    services.database.close()


def test_lifespan_starts_and_stops_the_services(tmp_path: Path) -> None:
    """As a server does it: ready in between, refusing afterwards."""

    async def live() -> tuple[bool, bool]:
        app, services = create_app(settings_in(tmp_path))
        received = iter(("lifespan.startup", "lifespan.shutdown"))
        during = []

        async def receive() -> dict[str, str]:
            return {"type": next(received)}

        async def send(message: object) -> None:
            during.append((message, services.writer.is_running))

        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        assert [message for message, _ in during] == [
            {"type": "lifespan.startup.complete"},
            {"type": "lifespan.shutdown.complete"},
        ]
        return during[0][1], services.writer.is_running

    assert asyncio.run(live()) == (True, False)


def test_the_service_has_nothing_that_only_commands_need() -> None:
    """An HTTP client brings highlighters of source code along: a tenth of the memory."""
    program = (
        "import sys, kis.app; print({'httpx', 'rich', 'alembic', 'xlsxwriter'} & {*sys.modules})"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "set()\n"
