"""Checkpoints beside the writer: all comes over, and the log does not begin anew meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kis.db.backfill import Backfill

PAGES = 50


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE note (body BLOB)")
        yield connection


@pytest.fixture
def backfill(writer: sqlite3.Connection, path: Path) -> Iterator[Backfill]:
    assert writer
    made = Backfill(path)
    yield made
    made.close()


def commit(writer: sqlite3.Connection, pages: int = PAGES) -> None:
    writer.execute("INSERT INTO note VALUES (zeroblob(?))", [pages * 4088])


def log_salt(path: Path) -> bytes:
    return Path(f"{path}-wal").read_bytes()[16:24]


def rest_of(writer: sqlite3.Connection) -> int:
    """How many frames a checkpoint leaves."""
    _, frames, done = writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(frames - done)


def test_what_is_committed_comes_over(
    writer: sqlite3.Connection, backfill: Backfill, path: Path
) -> None:
    commit(writer)
    assert path.stat().st_size < PAGES * 4096
    backfill.advance()
    assert path.stat().st_size > PAGES * 4096


def test_the_log_goes_on_until_it_is_let_go(
    writer: sqlite3.Connection, backfill: Backfill, path: Path
) -> None:
    commit(writer)
    salt = log_salt(path)
    for _ in range(3):
        backfill.advance()
        commit(writer)
        assert log_salt(path) == salt
    assert rest_of(writer)
    with backfill.paused() as is_paused:
        assert is_paused
        backfill.let_go()
        assert not rest_of(writer)
    commit(writer)
    assert log_salt(path) != salt


def test_it_goes_on_in_the_next_log(
    writer: sqlite3.Connection, backfill: Backfill, path: Path
) -> None:
    for _ in range(3):
        commit(writer)
        backfill.advance()
        commit(writer)
        salt = log_salt(path)
        with backfill.paused():
            backfill.let_go()
            rest_of(writer)
        commit(writer, 1)
        assert log_salt(path) != salt
    assert writer.execute("SELECT count(*) FROM note").fetchone() == (9,)
    assert writer.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_at_a_time(backfill: Backfill) -> None:
    with backfill.paused() as first, backfill.paused() as second:
        assert (first, second) == (True, False)
    with backfill.paused() as again:
        assert again


def test_a_database_that_cannot_be_read_holds_nobody_up(
    writer: sqlite3.Connection, backfill: Backfill
) -> None:
    commit(writer)
    for connection in (backfill._reading, backfill._resting):
        connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(":memory:")) as broken:
        broken.close()
        backfill._checkpointing, working = broken, backfill._checkpointing
        backfill.advance()
        backfill._checkpointing = working
    with backfill.paused() as is_paused:
        assert is_paused


def test_without_a_file_there_is_none(path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        Backfill(path.with_name("missing"))


def test_the_writer_closes_last(writer: sqlite3.Connection, backfill: Backfill, path: Path) -> None:
    commit(writer)
    backfill.advance()
    backfill.close()
    writer.close()
    assert not Path(f"{path}-wal").exists()
