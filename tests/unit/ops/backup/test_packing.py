"""A file that is in use is copied whole, and what is packed comes back byte for byte."""

import gzip
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kis.ops.backup.packing import copy, pack, unpack
from kis.ops.backup.trouble import Unsound
from tests.unit.ops.backup.made import quiet


@pytest.fixture
def used(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A file that is open, with commits that are in its log alone."""
    with closing(sqlite3.connect(tmp_path / "kis.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        insert(connection, 5_000)
        yield connection


def insert(connection: sqlite3.Connection, rows: int) -> None:
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t (x) VALUES (?)", [("x" * 500,)] * rows)
    connection.execute("COMMIT")


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found: int = connection.execute("SELECT count(*) FROM t").fetchone()[0]
        return found


def test_copy_has_what_is_in_the_log(used: sqlite3.Connection, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    copy(tmp_path / "kis.db", tmp_path / "copy.db", lambda *what: told.append(what))
    assert count(tmp_path / "copy.db") == 5_000
    assert not (tmp_path / "copy.db-wal").exists()


def test_copy_while_it_is_written(used: sqlite3.Connection, tmp_path: Path) -> None:
    """Two rows a transaction: an odd number would be half of one."""
    ending = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "kis.db", isolation_level=None)) as writer:
            while not ending.is_set():
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO t (x) VALUES (1)")
                writer.execute("INSERT INTO t (x) VALUES (2)")
                writer.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        counts = []
        for number in range(10):
            copy(tmp_path / "kis.db", tmp_path / f"{number}.db", quiet)
            counts.append(count(tmp_path / f"{number}.db"))
    finally:
        ending.set()
        thread.join()
    assert all(each % 2 == 0 for each in counts)
    assert counts == sorted(counts)


def test_copy_ends_where_it_is_told_to(used: sqlite3.Connection, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    insert(used, 50_000)
    with pytest.raises(KeyboardInterrupt):
        copy(tmp_path / "kis.db", tmp_path / "copy.db", stop)


def test_copy_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        copy(tmp_path / "kis.db", tmp_path / "copy.db", quiet)
    assert list(tmp_path.iterdir()) == []


# --- packing ------------------------------------------------------------------------------


def test_pack_and_unpack(tmp_path: Path) -> None:
    plain, packed, again = (tmp_path / name for name in ("plain", "packed", "again"))
    plain.write_bytes(os.urandom(3_000_000) + b"a" * 5_000_000)
    made = pack(plain, packed, quiet)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert made.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert made.content_sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()
    assert (made.size, made.content_size) == (packed.stat().st_size, 8_000_000)
    assert unpack(packed, again, quiet) == unpack(packed, None, quiet) == made
    assert again.read_bytes() == plain.read_bytes()


def test_plain_database_is_taken_as_it_is(used: sqlite3.Connection, tmp_path: Path) -> None:
    copy(tmp_path / "kis.db", tmp_path / "copy.db", quiet)
    found = unpack(tmp_path / "copy.db", tmp_path / "again.db", quiet)
    assert found.sha256 == found.content_sha256
    assert (tmp_path / "again.db").read_bytes() == (tmp_path / "copy.db").read_bytes()


def good(tmp_path: Path) -> bytes:
    (tmp_path / "plain").write_bytes(os.urandom(100_000))
    pack(tmp_path / "plain", tmp_path / "packed", quiet)
    return (tmp_path / "packed").read_bytes()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda raw: raw[:-1], "cut off"),
        (lambda raw: raw[:50_000], "cut off"),
        (lambda raw: raw + b"more", "goes on"),
        (lambda raw: raw[:50_000] + b"XXXX" + raw[50_004:], "cannot be read"),
        (lambda raw: raw[:-8] + b"\0\0\0\0" + raw[-4:], "cannot be read"),
        (lambda _: b"", "no backup|not a backup"),
        (lambda _: b"no database" * 100, "not a backup"),
    ],
)
def test_broken(tmp_path: Path, broken: object, words: str) -> None:
    assert callable(broken)
    (tmp_path / "broken").write_bytes(broken(good(tmp_path)))
    with pytest.raises(Unsound, match=words):
        unpack(tmp_path / "broken", None, quiet)
