"""Rows on their way to another database: those that are missing, and only what it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kis.db.engine import Database
from kis.db.migrate import COPY_MARK, HEAD, set_revision, stored_revision
from kis.ops.endpoints import Refused
from kis.ops.installation import identity
from kis.ops.moving import COMPARE, Move, Moved, move
from kis.ops.stored_table import Unfit
from tests.backends import new_database
from tests.unit.ops.installed import ENTRY, change, install, opened, places


@pytest.fixture
def source_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/source.db"
    install(tmp_path / "home", url)
    return url


@pytest.fixture
def target(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def moved(source_url: str, target: Database, url: str, *, only_compare: bool = False) -> Moved:
    order = Move(places(url, source_url), 1, only_compare)
    with opened(source_url) as source:
        return move(source, target, order, lambda *_: None)


def test_only_what_is_missing_is_copied(
    source_url: str, target: Database, database_url: str
) -> None:
    assert moved(source_url, target, database_url).is_equal
    assert target.read_now(stored_revision) == HEAD
    with opened(source_url) as source, pytest.raises(Refused, match="verify-only"):
        move(source, target, Move(places(database_url, source_url), 1, False), lambda *_: None)
    unmark(target, source_url)
    target.write_now(lambda c: c.execute(text("DELETE FROM audit_entry WHERE id > 1")))
    target.write_now(lambda c: c.execute(text("DELETE FROM evidence")))
    again = moved(source_url, target, database_url)
    assert again.is_equal
    copied = {table.name: table.copied for table in again.tables if table.copied}
    assert copied == {"evidence": 3, "audit_entry": 3}


def unmark(target: Database, source_url: str) -> None:
    """Make a copy one that was not completed."""
    with opened(source_url) as source:
        name = source.read_now(identity)
    assert name is not None
    target.write_now(lambda c: set_revision(c, COPY_MARK + name))


def test_next_id_that_was_given_before_is_no_copy(
    source_url: str, target: Database, database_url: str
) -> None:
    moved(source_url, target, database_url)
    change(source_url, "UPDATE sqlite_sequence SET seq = 900 WHERE name = 'audit_entry'")
    found = moved(source_url, target, database_url, only_compare=True)
    assert not found.is_equal
    assert found.sequences == ["audit_entry"]


def test_source_that_is_written_to_meanwhile(database_url: str, tmp_path: Path) -> None:
    install(tmp_path / "home", database_url)
    url = f"sqlite:///{tmp_path}/target.db"
    written: list[str] = []

    def write(what: str, *_: int) -> None:
        if what == COMPARE and not written:
            written.append(what)
            change(database_url, ENTRY)

    order = Move(places(url, database_url), 1, only_compare=False)
    with opened(url) as target:
        with opened(database_url) as source, pytest.raises(Refused, match="written to meanwhile"):
            move(source, target, order, write)
        with opened(database_url) as source:
            again = move(source, target, order, write)
    assert again.is_equal
    assert sum(table.copied for table in again.tables) == 1


def test_row_that_the_target_does_not_take(
    source_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = new_database("postgresql", tmp_path / "none", request)
    change(source_url, "UPDATE audit_entry SET subject = 'a' || char(0) WHERE id = 3")
    with opened(url) as target:
        with pytest.raises(Unfit) as caught:
            moved(source_url, target, url)
        assert (caught.value.table, caught.value.where) == ("audit_entry", "3")
        assert "0x00" in caught.value.reason
        revision = target.read_now(stored_revision)
        assert revision is not None
        assert revision.startswith(COPY_MARK)
        change(source_url, "UPDATE audit_entry SET subject = 'a' WHERE id = 3")
        assert moved(source_url, target, url).is_equal
