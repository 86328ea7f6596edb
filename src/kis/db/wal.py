"""SQLite's write-ahead log: how far it reaches, when it was reached, when it may begin anew.

SQLite writes each committed page to the log (a frame), and a checkpoint brings the pages
into the database file. Once all are there the next commit begins the log anew, from its
first frame and under another salt. Whoever copies the log must have seen it all by then.
So somebody who follows it is asked before each checkpoint; commits never wait for them.

The log's index (`-shm`, see sqlite.org/walformat.html) tells how far it reaches. It stays
open until the database is closed: to close a file drops the locks that SQLite holds on it.
"""

import mmap
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import NamedTuple, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from kis.db.backfill import Backfill
from kis.db.files import log_of

CHECKPOINT_FRAMES = 1_000
"""How long the log grows where SQLite checkpoints by itself."""

PASS_FRAMES = 500
"""After how many who follows is woken, copies them, and brings them into the file."""

ANEW_FRAMES = 4_000
"""How long the log grows before it is to begin anew.

The writer waits for the rest of the copy and of the checkpoint then, some 15 ms.
"""

REST_FRAMES = 300
"""How many may be left to wait for; more are left to another pass."""

PATIENCE_FRAMES = 8_000
"""At which length the writer waits for whatever is left."""

MOST_FRAMES = 16_000
"""At which length it is checkpointed even if those who follow it have not seen it all."""

FOLLOWER_WAIT_S = 0.05
_COPY_BYTES = 48
_READS = 1_000
_MOST_NOTES = 100_000
_INDEX = Struct("=12xBxHI12x8s8x")
"""Of one copy of the header: whether it is valid, page size, frames, salt."""


class WalState(NamedTuple):
    """How far the log reaches: so many frames that are committed and on the disk."""

    salt: bytes
    frames: int
    page_bytes: int


class Mark(NamedTuple):
    """A commit: the last frame of it, and a moment after which no earlier state was answered."""

    salt: bytes
    frame: int
    at_ns: int


class Turn(NamedTuple):
    """The log began anew after `old`, under `salt`.

    `is_proven`: nobody wrote anything between, and all of `old` was followed.
    """

    old: WalState
    salt: bytes
    is_proven: bool


class Follower(Protocol):
    """Whoever copies the log."""

    def hurry(self) -> None:
        """Copy what there is."""

    def wait_for(self, state: WalState, seconds: float) -> bool:
        """Wait until everything up to `state` is copied; whether it is."""


class WalIndex:
    """The index of a log, which exists while the database is open."""

    def __init__(self, database_file: Path) -> None:
        """Open it.

        Raises:
            OSError: there is none.

        """
        self._descriptor = os.open(f"{database_file}-shm", os.O_RDONLY)
        try:
            self._map = mmap.mmap(self._descriptor, 2 * _COPY_BYTES, prot=mmap.PROT_READ)
        except BaseException:
            os.close(self._descriptor)
            raise

    def state(self) -> WalState | None:
        """Return how far the log reaches; None where that cannot be told at the moment."""
        for _ in range(_READS):
            # Written twice: where the two are equal, nobody is in the midst of it.
            first, second = self._map[:_COPY_BYTES], self._map[_COPY_BYTES:]
            if first == second:
                is_valid, size, frames, salt = _INDEX.unpack(first)
                page_bytes = (size & 0xFE00) + ((size & 1) << 16)
                return WalState(salt, frames, page_bytes) if is_valid else None
        return None

    def close(self) -> None:
        """Close it, after every connection to the database."""
        self._map.close()
        os.close(self._descriptor)


class Wal:
    """The log of an open database: checkpoints, and notes for who follows it.

    Without a follower SQLite checkpoints by itself, inside the commit that fills the log.
    """

    def __init__(self, database_file: Path, write_engine: Engine) -> None:
        """Prepare for the open `database_file`."""
        self.database_file = database_file
        self.file = log_of(database_file)
        self.index: WalIndex | None = None
        self.marks: deque[Mark] = deque(maxlen=_MOST_NOTES)
        self.turns: deque[Turn] = deque(maxlen=_MOST_NOTES)
        self._write_engine = write_engine
        self._follower: Follower | None = None
        self._now_ns: Callable[[], int] = int
        self._last = WalState(b"", 0, 0)
        self._clean: WalState | None = None
        self._version = 0
        self._due = ANEW_FRAMES
        self._backfill: Backfill | None = None
        self._hurried = self._passed = WalState(b"", 0, 0)

    def hold(self) -> None:
        """Let nothing be checkpointed but by `tend`: who follows has to see what was left.

        A program that was killed leaves its log, and the next one begins with commits.
        """
        self._ask("wal_autocheckpoint = 0")

    def let_go(self) -> None:
        """Leave checkpoints to SQLite: nobody follows."""
        self._ask(f"wal_autocheckpoint = {CHECKPOINT_FRAMES}")

    def follow(self, follower: Follower, now_ns: Callable[[], int]) -> WalState:
        """Let `follower` copy the log, from now on; return its state. Nobody may write yet.

        `now_ns` gives the time in ns since 1970.

        Raises:
            OSError: the index cannot be read.

        """
        self._version = self._ask("data_version")[0]  # as a read, which makes the index valid
        self.index = WalIndex(self.database_file)
        try:
            self._backfill = Backfill(self.database_file)
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        state = self.index.state()
        if state is None:
            message = f"{self.database_file}-shm cannot be read"
            raise OSError(message)
        self.hold()
        self._last, self._now_ns, self._follower = state, now_ns, follower
        return state

    def committed(self) -> None:
        """Note a commit, right after it and before it is answered."""
        if self.index is None:
            return
        state = self.index.state()
        if state is None or self._follower is None or state == self._last:
            return
        if state.salt != self._last.salt:
            self._note_turn(state)
            # Killed before this is copied, nobody could prove that nothing is missing.
            self._follower.hurry()
        self.marks.append(Mark(state.salt, state.frames, self._now_ns()))
        self._last = state

    def _note_turn(self, state: WalState) -> None:
        try:
            version = self._ask("data_version")[0]
        except (SQLAlchemyError, sqlite3.Error):
            version = -1  # what is committed stays so, whatever becomes of the question
        number, before = (int.from_bytes(salt[:4]) for salt in (state.salt, self._last.salt))
        is_next = number == (before + 1) % 2**32
        is_alone = version == self._version
        is_whole = not self._last.frames or (is_next and self._clean == self._last)
        self.turns.append(Turn(self._last, state.salt, is_alone and is_whole))
        self._version, self._due = version, ANEW_FRAMES

    def bring_over(self) -> None:
        """Bring what is committed into the database file, where that is much; for who follows."""
        state = None if self.index is None else self.index.state()
        if state is None or self._backfill is None or _grown(state, self._passed) < PASS_FRAMES:
            return
        self._backfill.advance()
        self._passed = state

    def tend(self) -> None:
        """Checkpoint where it is time; after what was committed is answered."""
        state = None if self.index is None else self.index.state()
        if state is None or self._follower is None or self._backfill is None:
            return
        if _grown(state, self._hurried) >= PASS_FRAMES:
            self._follower.hurry()
            self._hurried = state
        is_close = _grown(state, self._passed) <= REST_FRAMES or state.frames >= PATIENCE_FRAMES
        if state.frames >= self._due and is_close:
            with self._backfill.paused() as is_paused:
                if is_paused:
                    self._finish(state, self._follower, self._backfill)

    def _finish(self, state: WalState, follower: Follower, backfill: Backfill) -> None:
        """Have all of the log copied, and all in the file: the next commit begins it anew."""
        is_followed = follower.wait_for(state, FOLLOWER_WAIT_S)
        if not is_followed and state.frames < MOST_FRAMES:
            self._due = state.frames + PASS_FRAMES
            return
        self._due = state.frames + ANEW_FRAMES
        backfill.let_go()
        # PASSIVE: it waits for no reader, and brings over what no reader keeps it from.
        _, frames, done = self._ask("wal_checkpoint(PASSIVE)")
        self._version = self._ask("data_version")[0]
        self._passed = state
        is_clean = is_followed and frames == done == state.frames
        self._clean = state if is_clean and self.index and self.index.state() == state else None

    def stop_following(self) -> None:
        """Forget the follower; SQLite's closing checkpoint is the next one."""
        self._follower = None
        if self._backfill is not None:
            self._backfill.close()
            self._backfill = None

    def close(self) -> None:
        """Close the index, after every connection to the database."""
        if self.index is not None:
            self.index.close()
            self.index = None

    def _ask(self, pragma: str) -> tuple[int, ...]:
        """Run `pragma` on the connection that writes."""
        connection = self._write_engine.raw_connection()
        try:
            cursor = connection.cursor()
            row: tuple[int, ...] | None = cursor.execute(f"PRAGMA {pragma}").fetchone()
            cursor.close()
        finally:
            connection.close()
        return row or ()


def _grown(state: WalState, since: WalState) -> int:
    """Return how many frames of `state` came after `since`."""
    return state.frames - (since.frames if since.salt == state.salt else 0)
