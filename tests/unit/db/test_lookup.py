"""Looking up many keys at once: who asks is told what is stored, and no one else's trouble."""

import asyncio
import threading
from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Connection, text

from kis.db.engine import Database
from kis.db.lookup import Lookup
from kis.db.unavailable import DatabaseUnavailable


class Notes:
    """Notes by name, and the names of each read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads: list[list[str]] = []
        self.lookup = Lookup(database, self._load)
        self.fault: Exception | None = None
        self.has_begun = threading.Event()
        database.write_now(lambda c: c.execute(text("CREATE TABLE note (name TEXT, body TEXT)")))

    def add(self, name: str) -> None:
        statement = text("INSERT INTO note VALUES (:name, :body)")
        values = {"name": name, "body": f"body of {name}"}
        self._database.write_now(lambda c: c.execute(statement, values))

    def _load(self, connection: Connection, names: Collection[str]) -> dict[str, str]:
        self.reads.append(sorted(names))
        self.has_begun.set()
        if self.fault is not None and "broken" in names:
            raise self.fault
        rows = connection.execute(text("SELECT name, body FROM note"))
        return {name: body for name, body in rows if name in names}

    def find(self, *names: str) -> list[Any]:
        """Look all names up at once; what one raises stands in its place."""
        return asyncio.run(self._find(names))

    async def _find(self, names: Collection[str]) -> list[Any]:
        asked = (self.lookup.find(name) for name in names)
        return await asyncio.gather(*asked, return_exceptions=True)


@pytest.fixture
def notes(database: Database) -> Notes:
    notes = Notes(database)
    for name in ("a", "b"):
        notes.add(name)
    return notes


def test_those_who_ask_at_once_share_a_read(notes: Notes) -> None:
    assert notes.find("a", "b", "no such", "a") == ["body of a", "body of b", None, "body of a"]
    assert notes.reads == [["a", "b", "no such"]]


def test_who_asks_during_a_read_is_told_what_is_stored_after_it_began(notes: Notes) -> None:
    async def ask() -> list[str | None]:
        first = asyncio.ensure_future(notes.lookup.find("late"))
        await asyncio.to_thread(notes.has_begun.wait, 10)
        await asyncio.to_thread(notes.add, "late")
        later = await asyncio.gather(*(notes.lookup.find(name) for name in ("late", "a")))
        await first
        return later

    assert asyncio.run(ask()) == ["body of late", "body of a"]
    assert notes.reads == [["late"], ["a", "late"]]


def test_what_breaks_one_is_not_told_to_the_others(notes: Notes) -> None:
    notes.fault = ZeroDivisionError()
    found = notes.find("a", "broken", "b")
    assert (found[0], found[2]) == ("body of a", "body of b")
    assert isinstance(found[1], ZeroDivisionError)
    assert notes.find("a") == ["body of a"]


def test_a_database_that_is_away_is_not_asked_once_for_each(notes: Notes) -> None:
    notes.fault = DatabaseUnavailable("gone")
    found = notes.find("a", "broken", "b")
    assert [str(error) for error in found] == ["gone"] * 3
    assert len(notes.reads) == 1


def test_who_gives_up_takes_nobody_along(notes: Notes) -> None:
    async def ask() -> list[Any]:
        asked = [asyncio.ensure_future(notes.lookup.find(name)) for name in ("a", "b")]
        await asyncio.sleep(0)
        asked[0].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    given_up, found = asyncio.run(ask())
    assert isinstance(given_up, asyncio.CancelledError)
    assert found == "body of b"


def test_nobody_waits_for_company(notes: Notes) -> None:
    async def ask() -> list[str | None]:
        return [await notes.lookup.find("a") for _ in range(3)]

    assert asyncio.run(ask()) == ["body of a"] * 3
    assert notes.reads == [["a"]] * 3
