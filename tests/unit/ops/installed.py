"""A small installation with estimates, for tests that look at it or move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from kis.db.engine import Database, open_database
from kis.evidence.keys import Opener
from kis.ops.evidence_pool import Places
from tests.integration.lifecycle import good
from tests.services import EVIDENCE_SECRET, MASTER_KEY, board, running_client

OPENER = Opener(MASTER_KEY, EVIDENCE_SECRET)
ENTRY = "INSERT INTO audit_entry (at, actor, action, subject) VALUES ('', '', '', '')"
FORGED = "UPDATE evidence SET signature = '-' || substr(signature, 2) WHERE estimate_id = :id"


def install(home: Path, url: str, estimates: int = 3) -> list[str]:
    """Make an installation; return the ids of its estimates in their order."""
    with running_client(home, DATABASE_URL=url, RATE_LIMIT_PER_MINUTE="0") as client:
        answers = [
            good(client.post("/v1/estimate/create", board(label=f"반 {number}")), 201)
            for number in range(estimates)
        ]
    return [answer["id"] for answer in answers]


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open the database at `url` for a while."""
    database = open_database(url, slow_query_ms=60_000)
    try:
        yield database
    finally:
        database.close()


def change(url: str, statement: str, **parameters: object) -> None:
    """Run one statement, foreign keys unheeded."""
    with opened(url) as database, database.write_engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            connection.execute(text(statement), parameters)


def places(url: str, source_url: str | None = None) -> Places:
    """Return where evidence is, with the keys of the tests."""
    return Places(url, source_url, OPENER)
