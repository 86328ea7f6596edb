"""Copies the log of the database into a chain of the journal, as it grows."""

import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from kis.db.wal import Mark, Wal, WalState
from kis.ops.journal.folder import (
    Chain,
    FileIdentity,
    Tail,
    chains,
    identity_of,
    new_chain,
)
from kis.ops.journal.records import (
    FRAME_HEADER_BYTES,
    WAL_HEADER_BYTES,
    At,
    EpochStart,
    Kind,
    Record,
    all_of,
)
from kis.ops.journal.writing import ChainFile, next_number

CHUNK_BYTES = 4 * 1024 * 1024
HEARTBEAT_NS = 10_000_000_000
PROOF_NS = 2_000_000_000
"""How long to wait for the writer's word on how the log began anew."""

DELETED = "its files were deleted"
FOREIGN = "another program has written to the database"
MISSED = "the log began anew before all of it was copied"
UNCLEAR = "the log is not what its index says"
NOTHING = WalState(b"", 0, 0)

Note = TypeVar("Note")


class Broken(Exception):  # noqa: N818 - says what is the case
    """The chain cannot go on: something may have been committed that it has not seen."""


class Position(NamedTuple):
    """Where the copy stands: in `file` of `chain` is `epoch` from its first frame on."""

    chain: Chain
    file: int
    epoch: int
    frames: int
    through_ns: int


class Copier:
    """Copies a log that it follows. One thread calls it."""

    def __init__(self, wal: Wal, folder: Path, now_ns: Callable[[], int]) -> None:
        """Copy `wal` into `folder`; `begin` decides into which chain."""
        self.chain: Chain | None = None
        self.through_ns = 0
        """What was committed by then is copied, and on the disk."""
        self.synced = NOTHING
        """How much of the log is copied, and on the disk."""
        self._wal = wal
        self._folder = folder
        self._now_ns = now_ns
        self._log = -1
        self._file = ChainFile()
        self._told_ns = 0
        self._epoch = 0
        self._start: EpochStart | None = None
        self._frames = 0
        self._frames_before = 0
        self._closed: FileIdentity | None = None
        self._noted: deque[Mark] = deque()
        self._marks: list[At] = []
        self._marks_told = 0
        self._unmarked: At | None = None
        self._last_at_ns = 0
        self._unproven_since_ns = 0

    # --- where it begins ---------------------------------------------------------------------

    def begin(self) -> None:
        """Go on with the last chain where nothing can be missing from it, else begin one.

        Raises:
            OSError: the journal's folder cannot be used.

        """
        last = chains(self._folder)[-1:]
        tail = last[0].tail() if last else None
        state = self._state()
        if tail is None or not self._goes_on(tail, state):
            self.begin_anew()
            return
        self.chain = last[0]
        self._told_ns = self.through_ns = tail.through_ns
        self._last_at_ns = tail.marks[-1].at_ns if tail.marks else tail.through_ns
        self._epoch, self._closed = tail.epoch, tail.closed
        if tail.closed is None:
            self._start, self._marks = tail.start, list(tail.marks)
        else:
            self._frames_before = tail.frames
            if state.frames:
                self._enter(state)
        self._mark_rest(state)

    def begin_anew(self) -> None:
        """Begin a chain with what the log holds now. It needs a base.

        Raises:
            OSError: the journal's folder cannot be used.

        """
        self.chain = None
        self.drop_file()
        self._start, self._closed = None, None
        self._epoch, self._frames_before, self._unproven_since_ns = 0, 0, 0
        self._marks = []
        self._wal.turns.clear()
        chain = new_chain(self._folder, self._now_ns())
        state = self._state()
        if state.frames:
            self._enter(state)
            self._mark_rest(state)
        self.chain = chain

    def _goes_on(self, tail: Tail, state: WalState) -> bool:
        """Whether the log holds all that was committed since `tail`."""
        identity = identity_of(self._wal.database_file)
        if tail.closed is not None:
            # Not written to since: what was committed is in the log, from its first frame on.
            return tail.closed == identity
        start = tail.start
        if start is None or start.salt != state.salt or not 0 < tail.frames <= state.frames:
            return False
        if (start.device, start.inode) != identity[:2]:
            return False
        # The header of a frame holds a checksum of all frames before it.
        step = FRAME_HEADER_BYTES + start.page_bytes
        at = WAL_HEADER_BYTES + (tail.frames - 1) * step
        return (
            self._read(0, WAL_HEADER_BYTES) == start.wal_header
            and self._read(at, FRAME_HEADER_BYTES) == tail.last_header
        )

    def _mark_rest(self, state: WalState) -> None:
        """Mark what was committed before anybody took note: when the log was written to last."""
        if state.frames > self._marked:
            written_ns = self._wal.file.stat().st_mtime_ns
            self._mark(state.frames, min(written_ns, self._now_ns()))

    # --- following ---------------------------------------------------------------------------

    def poll(self) -> bool:
        """Copy what was committed since, and bring it to the disk; whether that was all.

        Raises:
            Broken: the chain has to begin anew.
            OSError: the journal cannot be written to, or the log not read.

        """
        by_ns = max(self._now_ns(), self.through_ns)
        state = self._state()
        self._noted.extend(_drained(self._wal.marks))
        if self._file.is_deleted:
            raise Broken(DELETED)
        if state.frames and not self._is_entered(state):
            return False
        before = self._frames
        self._copy(state)
        self._take_marks()
        is_new = self._frames != before or self._marks_told != len(self._marks)
        if is_new or by_ns - self._told_ns >= HEARTBEAT_NS:
            self._tell(by_ns)
        self._file.sync()
        self.through_ns = by_ns
        self.synced = state
        return True

    def _is_entered(self, state: WalState) -> bool:
        """Whether the epoch of `state` is the current one, or could be begun.

        Raises:
            Broken: there may be one between, or more in the last than was copied.

        """
        if self._salt == state.salt:
            return True
        turns = _drained(self._wal.turns)
        if not turns:
            # Another program was first to write: it is proven by our next commit, or not.
            self._unproven_since_ns = self._unproven_since_ns or self._now_ns()
            if self._now_ns() - self._unproven_since_ns > PROOF_NS:
                raise Broken(FOREIGN)
            return False
        self._unproven_since_ns = 0
        salt, frames, _ = turns[0].old
        is_whole = frames == self._frames and (not frames or self._salt == salt)
        if len(turns) > 1 or turns[0].salt != state.salt or not is_whole:
            raise Broken(MISSED)
        if not turns[0].is_proven:
            raise Broken(FOREIGN)
        self._take_marks()
        if self._marks_told != len(self._marks):
            self._tell(self.through_ns)
        self._enter(state)
        return True

    def _enter(self, state: WalState) -> None:
        """Begin the epoch of `state`, which the log holds from its first frame on."""
        if self._start is not None:
            self._frames_before = self._frames
        if self._file.is_large:
            self._file.sync()
            self.drop_file()
        identity = identity_of(self._wal.database_file)
        header = self._read(0, WAL_HEADER_BYTES)
        start = EpochStart(header, self._frames_before, identity.device, identity.inode)
        if start.salt != state.salt or start.page_bytes != state.page_bytes:
            raise Broken(UNCLEAR)
        self._start, self._closed = start, None
        self._epoch += 1
        self._frames = 0
        self._marks, self._marks_told, self._unmarked = [], 0, None
        while self._noted and self._noted[0].salt != state.salt:
            self._noted.popleft()
        if self._file.is_open:
            self._file.write(Record(Kind.EPOCH, self._epoch, self.through_ns, body=start.encoded()))

    def _copy(self, state: WalState) -> None:
        """Copy the frames up to `state`."""
        if self._start is None or not state.frames:
            return
        if not self._file.is_open:
            self._open()
        step = FRAME_HEADER_BYTES + state.page_bytes
        while self._frames < state.frames:
            count = min(state.frames - self._frames, CHUNK_BYTES // step)
            body = self._read(WAL_HEADER_BYTES + self._frames * step, count * step)
            # The index tells of a new beginning before the first frame is overwritten.
            is_same = self._state().salt == state.salt
            if not (is_same and all_of(state.salt, body, state.page_bytes, count)):
                raise Broken(MISSED)
            first = self._frames + 1
            self._file.write(
                Record(Kind.FRAMES, self._epoch, self.through_ns, first, count, body=body)
            )
            self._frames += count

    # --- moments -----------------------------------------------------------------------------

    @property
    def _salt(self) -> bytes:
        return b"" if self._start is None else self._start.salt

    @property
    def _marked(self) -> int:
        return self._marks[-1].frame if self._marks else 0

    def _mark(self, frame: int, at_ns: int) -> None:
        # A clock that is set back makes no moment come twice.
        self._last_at_ns = max(self._last_at_ns, at_ns)
        self._marks.append(At(frame, self._last_at_ns))

    def _take_marks(self) -> None:
        """Take the writer's marks of what is copied.

        What it never marks, because another program wrote it, gets the moment it was seen.
        """
        while self._noted and self._noted[0].salt == self._salt:
            if self._noted[0].frame > self._frames:
                break
            mark = self._noted.popleft()
            if mark.frame > self._marked:
                self._mark(mark.frame, mark.at_ns)
        if self._unmarked is not None and self._unmarked.frame > self._marked:
            self._mark(*self._unmarked)
        self._unmarked = None
        if self._frames > self._marked:
            self._unmarked = At(self._frames, self._now_ns())

    # --- the file ----------------------------------------------------------------------------

    def position(self) -> Position | None:
        """Return where the copy stands; None while there is no chain."""
        if self.chain is None:
            return None
        file = self._file.number if self._file.is_open else next_number(self.chain)
        epoch = self._epoch if self._start is not None else self._epoch + 1
        return Position(self.chain, file, epoch, self.synced.frames, self.through_ns)

    def drop_file(self) -> None:
        """Write no more to this file: what follows goes to another, from the epoch's start."""
        if self._file.is_open:
            self._file.drop()
            self._frames, self._marks_told = 0, 0
            self.synced = NOTHING

    def finish(self) -> None:
        """Note that all is in the database file: `poll` was, and the database is closed since.

        Raises:
            OSError: it cannot be written.

        """
        identity = identity_of(self._wal.database_file)
        if self._closed != identity and not self._wal.file.exists():
            self._closed = identity
            self._tell(max(self._now_ns(), self.through_ns))
            self._file.sync()

    def close(self) -> None:
        """Close what is open."""
        self.drop_file()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def _open(self) -> None:
        assert self.chain is not None  # noqa: S101 - begun
        try:
            self._file.open_next(self.chain)
        except FileNotFoundError as error:
            raise Broken(DELETED) from error
        self._frames, self._marks_told = 0, 0
        if self._start is not None:
            body = self._start.encoded()
            self._file.write(Record(Kind.EPOCH, self._epoch, self.through_ns, body=body))

    def _tell(self, by_ns: int) -> None:
        """Write the marks that are new, and that all committed by `by_ns` is copied."""
        if not self._file.is_open:
            self._open()
        marks = self._marks[self._marks_told :]
        kind, body = Kind.MARKS, b""
        if self._closed is not None:
            kind, body = Kind.CLOSED, json.dumps(self._closed).encode()
        self._file.write(Record(kind, self._epoch, by_ns, marks=marks, body=body))
        self._marks_told = len(self._marks)
        self._told_ns = by_ns

    # --- the log -----------------------------------------------------------------------------

    def _state(self) -> WalState:
        state = None if self._wal.index is None else self._wal.index.state()
        if state is None:
            message = "the index of the log cannot be read"
            raise OSError(message)
        return state

    def _read(self, at: int, count: int) -> bytes:
        if self._log < 0:
            self._log = os.open(self._wal.file, os.O_RDONLY)
        return os.pread(self._log, count, at)


def _drained(notes: deque[Note]) -> list[Note]:
    """Take what is there now; another thread goes on appending."""
    return [notes.popleft() for _ in range(len(notes))]
