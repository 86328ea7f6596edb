"""A real database whose log is copied, step by step, and what it held at each moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from kis.db.engine import open_database
from kis.db.wal import Wal, WalState
from kis.ops.journal.copying import Copier
from kis.ops.journal.folder import Chain, chains
from kis.ops.journal.rebuilding import rebuild

BEGAN_NS = 1_767_225_600_000_000_000
STEP_NS = 1_000_000
SECOND_NS = 1_000_000_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Moves on by a millisecond whenever it is asked."""

    def __init__(self) -> None:
        """Begin with the year 2026."""
        self.ns = BEGAN_NS

    def __call__(self) -> int:
        """Return the time in ns since 1970."""
        self.ns += STEP_NS
        return self.ns


class Nobody:
    """A follower that has always seen everything, or never."""

    def __init__(self, *, has_seen: bool = True) -> None:
        """Tell how it is to answer."""
        self.has_seen = has_seen
        self.hurried = 0

    def hurry(self) -> None:
        """Count."""
        self.hurried += 1

    def wait_for(self, _state: WalState, _seconds: float) -> bool:
        """Say so."""
        return self.has_seen


class Notes:
    """A database of numbered notes, and what was committed when."""

    def __init__(self, file: Path, clock: Clock) -> None:
        """Open it; the first time, make its table."""
        self.file = file
        self.clock = clock
        self.database = open_database(f"sqlite:///{file}", slow_query_ms=60_000)
        self.database.write_now(_create)
        self.next_number = self.database.read_now(_highest) + 1
        self.committed: list[tuple[int, frozenset[int]]] = []
        """(ns since 1970, all notes by then)."""

    @property
    def wal(self) -> Wal:
        """Its log."""
        assert self.database.wal is not None
        return self.database.wal

    def commit(self, size: int = 100) -> None:
        """Commit a note of so many bytes."""
        number, self.next_number = self.next_number, self.next_number + 1
        before = self.committed[-1][1] if self.committed else notes_in(self.file)
        self.database.write_now(lambda c: _insert(c, number, size))
        self.committed.append((self.clock.ns, before | {number}))

    def checkpoint(self) -> None:
        """Let the next commit begin the log anew: as `Wal.tend` does when it is time."""
        self.wal._due = 0
        self.database.tend()

    def by(self, moment_ns: int) -> frozenset[int]:
        """Return what was committed by then."""
        return max(
            ((at, held) for at, held in self.committed if at <= moment_ns),
            default=(0, frozenset()),
        )[1]

    def close(self) -> None:
        """Close it."""
        self.database.close()


def _create(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE IF NOT EXISTS note (number INTEGER, body BLOB)"))


def _highest(connection: Connection) -> int:
    return int(connection.execute(text("SELECT coalesce(max(number), 0) FROM note")).scalar_one())


def _insert(connection: Connection, number: int, size: int) -> None:
    connection.execute(
        text("INSERT INTO note VALUES (:number, randomblob(:size))"),
        {"number": number, "size": size},
    )


@contextmanager
def opened(file: Path, clock: Clock) -> Iterator[Notes]:
    """Open the notes, and close them."""
    notes = Notes(file, clock)
    try:
        yield notes
    finally:
        notes.close()


def copier_of(notes: Notes, folder: Path) -> Copier:
    """Follow the log of `notes` into `folder`, from where it was left."""
    notes.wal.follow(Nobody(), notes.clock)
    copier = Copier(notes.wal, folder, notes.clock)
    copier.begin()
    return copier


def notes_in(file: Path) -> frozenset[int]:
    """Return the notes of a sound database."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return frozenset(number for (number,) in connection.execute("SELECT number FROM note"))


def last_chain(folder: Path) -> Chain:
    """Return the chain that began last."""
    return chains(folder)[-1]


def moment(at_ns: int) -> datetime:
    """Return a moment as people write it."""
    return BEGINNING + timedelta(microseconds=at_ns // 1000)


def rebuilt_at(folder: Path, at_ns: int, target: Path) -> frozenset[int]:
    """Rebuild the notes of a moment."""
    target.unlink(missing_ok=True)
    rebuild(folder, moment(at_ns), target)
    return notes_in(target)
