"""A database file that was moved, deleted or replaced while it is open."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from kis.db.engine import Database
from kis.db.place import Place
from kis.errors import DomainError, ErrorCode
from tests.backends import SQLITE_ONLY

from .writer_gate import Insertion, create_tables, names, run, running


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replace(path: Path) -> None:
    """As `cp backup kis.db.new && mv kis.db.new kis.db`."""
    copy = path.with_name("copy.db")
    shutil.copyfile(path, copy)
    copy.replace(path)


def shut_away(path: Path) -> None:
    path.parent.rename(path.parent.with_name(f"{path.parent.name}-moved"))


WAYS = [move, Path.unlink, replace, shut_away]


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "kis.db"


@pytest.mark.parametrize("way", WAYS)
def test_file_that_went_is_told_once(
    path: Path, way: object, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text("a database")
    place = Place(path)
    assert not place.is_displaced()
    assert callable(way)
    way(path)
    for _ in range(3):
        assert place.is_displaced()
        with pytest.raises(DomainError) as caught:
            place.require()
        assert caught.value.main.code is ErrorCode.NOT_READY
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert str(path) in record.getMessage()


def test_file_that_comes_back(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("a database")
    place = Place(path)
    away = path.rename(path.with_name("away"))
    assert place.is_displaced()
    away.rename(path)
    place.require()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_what_changes_a_file_in_place_is_no_alarm(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("a database")
    link = tmp_path / "kis.db"
    link.symlink_to(path)
    monkeypatch.chdir(tmp_path)
    places = [Place(each) for each in (path, link, Path("data/kis.db"))]
    path.write_text("more of it")
    path.chmod(0o600)
    os.link(path, tmp_path / "a backup by hard link")
    monkeypatch.chdir("/")
    assert not any(place.is_displaced() for place in places)


@SQLITE_ONLY  # a file
@pytest.mark.parametrize("way", WAYS)
def test_writer_stores_nothing_in_a_file_that_went(
    database: Database, path: Path, way: object
) -> None:
    database.write_now(create_tables)

    async def test() -> None:
        async with running(database) as writer:
            await writer.submit(Insertion(), "before")
            assert callable(way)
            way(path)
            insertion = Insertion()
            with pytest.raises(DomainError) as caught:
                await writer.submit(insertion, "after")
            assert caught.value.main.code is ErrorCode.NOT_READY
            assert insertion.calls == []
            with pytest.raises(DomainError):
                await database.read(lambda _: None)

    run(test())


@SQLITE_ONLY  # a file
def test_write_whose_file_goes_meanwhile_is_not_confirmed(database: Database, path: Path) -> None:
    database.write_now(create_tables)

    async def test() -> None:
        async with running(database) as writer:
            with pytest.raises(DomainError) as caught:
                await writer.execute(lambda _: move(path))
            assert caught.value.main.code is ErrorCode.NOT_READY
            path.with_name("elsewhere.db").rename(path)
            await writer.submit(Insertion(), "after")

    run(test())
    assert names(database) == ["after"]


@SQLITE_ONLY  # a file
def test_database_that_is_no_file_has_no_place_to_lose(database: Database, path: Path) -> None:
    other = Database(database.write_engine, database.read_engine)
    path.rename(path.with_name("elsewhere.db"))
    assert not other.is_displaced()
    other.require_place()
    other.close()
