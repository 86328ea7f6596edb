"""A database as it was at a moment: a base, and the journal replayed over it.

SQLite itself replays: it is given the base and a log with the frames of one epoch after
another, up to the last commit by the moment. It checks each frame, and every frame has to
count; so what comes of it was committed, or nothing does.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

from zstandard import ZstdError

from kis.db.files import log_of
from kis.errors import Text
from kis.moments import second_text
from kis.ops.backup.packing import UNPACK, Tell, blocks
from kis.ops.backup.trouble import Unsound
from kis.ops.durable import sync_file
from kis.ops.journal.folder import Base, Chain, chains, opened
from kis.ops.journal.records import (
    FRAME_HEADER_BYTES,
    WAL_HEADER_BYTES,
    EpochStart,
    Kind,
    Record,
    epoch_start,
)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
GAP = Text(
    "기록이 손상되어 이 시점으로 되돌릴 수 없습니다. 더 이른 시점이나 백업을 쓰십시오.",
    "The journal is damaged: this moment is lost. Try an earlier one, or a backup.",
)


class Span(NamedTuple):
    """The moments that one chain can give; `is_open`: the last chain, which may go on."""

    chain: str
    first: datetime
    last: datetime
    is_open: bool


class Rebuilt(NamedTuple):
    """What was written: the state after the last commit by the moment that was asked for.

    `committed_at` is that commit's moment, None where it is the base's own state.
    `known_until`: the journal has nothing from after this moment (of the last chain).
    """

    committed_at: datetime | None
    known_until: datetime
    base_at: datetime
    frames: int
    bytes: int


def spans(folder: Path) -> list[Span]:
    """Return which moments the journal in `folder` can give, the earliest first."""
    found = []
    there = chains(folder)
    for chain in there:
        if bases := chain.bases():
            tail = chain.tail()
            last = max(bases[-1].good_from_ns, tail.through_ns if tail else 0)
            first = _datetime(bases[0].good_from_ns + 999)
            found.append(Span(chain.name, first, max(first, _datetime(last)), chain is there[-1]))
    return found


def rebuild(folder: Path, moment: datetime, target: Path, tell: Tell = lambda *_: None) -> Rebuilt:
    """Write to `target`, a new file, the database as it was at `moment` (aware).

    Raises:
        Unsound: the journal does not know that moment, or is damaged there.
        OSError: `target` cannot be written, or the journal not read.

    """
    if target.exists():
        raise FileExistsError(target)
    span = _span_at(folder, moment)
    chain = Chain(folder / span.chain)
    moment_ns = _ns(moment)
    base = max(
        (base for base in chain.bases() if base.good_from_ns <= moment_ns),
        key=lambda base: base.good_from_ns,
    )
    replay = _Replay(base, target)
    try:
        _unpack(chain, base, target, tell)
        numbers = _numbers(chain, base)
        for done, number in enumerate(numbers):
            tell("기록 journal", done, len(numbers))
            if replay.take(chain.records([number]), moment_ns):
                break
        replay.end()
    except BaseException:
        replay.drop()
        for path in (target, log_of(target), Path(f"{target}-shm")):
            path.unlink(missing_ok=True)
        raise
    tell("기록 journal", 1, 1)
    at_ns = replay.cut_at_ns
    return Rebuilt(
        _datetime(at_ns) if at_ns else None, span.last, _datetime(base.good_from_ns),
        replay.frames_used, target.stat().st_size,
    )  # fmt: skip


def _span_at(folder: Path, moment: datetime) -> Span:
    """Return the chain that knows `moment`."""
    known = spans(folder)
    for span in reversed(known):
        if span.first <= moment and (moment <= span.last or span.is_open):
            return span
    raise Unsound(_unknown(folder, moment, known))


def _unknown(folder: Path, moment: datetime, known: Sequence[Span]) -> Text:
    if not known:
        return Text(
            f"{folder} 폴더에 되돌릴 수 있는 기록이 없습니다.",
            f"There is no journal to restore from in {folder}.",
        )
    listed = ", ".join(f"{_shown(span.first)} ~ {_shown(span.last)}" for span in known)
    return Text(
        f"{_shown(moment)} 시점은 기록에 없습니다. 되돌릴 수 있는 시점: {listed}",
        f"The journal does not know {_shown(moment)}. It knows: {listed}",
    )


def _numbers(chain: Chain, base: Base) -> Sequence[int]:
    """Return the files from that of `base` on, up to one that is missing."""
    there = chain.files()
    last = base.file
    while last in there:
        last += 1
    return range(base.file, last)


def _unpack(chain: Chain, base: Base, target: Path, tell: Tell) -> None:
    """Write the copy of `base` to `target` and check it."""
    path = chain.base_file(base.name)
    digest, done = hashlib.sha256(), 0
    with opened(path) as packed, target.open("xb") as plain:
        try:
            for block in blocks(packed, UNPACK, base.bytes, tell):
                digest.update(block)
                done += plain.write(block)
        except ZstdError:
            raise _damaged(path) from None
    if (done, digest.hexdigest()) != (base.bytes, base.sha256):
        raise _damaged(path)
    sync_file(target)


class _Replay:
    """Replays records over a database file."""

    def __init__(self, base: Base, target: Path) -> None:
        self.frames_used = 0
        self.cut_at_ns = 0
        self._base = base
        self._target = target
        self._epoch = base.epoch
        self._start: EpochStart | None = None
        self._log: BinaryIO | None = None
        self._frames = 0
        self._cut = 0
        """The last commit of this epoch by the moment."""
        self._is_over = False

    def take(self, records: Iterator[Record], moment_ns: int) -> bool:
        """Go on by the records of one file; whether the moment is reached."""
        for record in records:
            if record.epoch < self._base.epoch:
                continue
            match record.kind:
                case Kind.EPOCH:
                    self._begin(record)
                case Kind.FRAMES:
                    self._add(record)
                case _:
                    pass
            for mark in record.marks:
                if mark.at_ns > moment_ns:
                    self._is_over = True
                    return True
                if record.epoch == self._epoch and self._cut < mark.frame <= self._frames:
                    self._cut, self.cut_at_ns = mark.frame, mark.at_ns
        return False

    def _begin(self, record: Record) -> None:
        start = epoch_start(record)
        if record.epoch == self._epoch and self._start == start:
            return  # begun again, by a new file
        is_next = record.epoch == self._epoch + 1 and start.frames_before == self._frames
        if self._start is not None:
            if not is_next:
                raise Unsound(GAP)
            self._cut = self._frames
            self._replay()
        elif record.epoch != self._epoch:
            raise Unsound(GAP)
        self._epoch, self._start, self._frames, self._cut = record.epoch, start, 0, 0
        self._log = log_of(self._target).open("w+b")
        self._log.write(start.wal_header)

    def _add(self, record: Record) -> None:
        if self._start is None or record.epoch != self._epoch or self._log is None:
            raise Unsound(GAP)
        if record.first > self._frames + 1:
            raise Unsound(GAP)
        step = FRAME_HEADER_BYTES + self._start.page_bytes
        self._log.seek(WAL_HEADER_BYTES + (record.first - 1) * step)
        self._log.write(record.body)
        self._frames = max(self._frames, record.first + record.frames - 1)

    def drop(self) -> None:
        """Give it up."""
        if self._log is not None:
            self._log.close()

    def end(self) -> None:
        """Replay the last epoch, up to the cut."""
        if (self._epoch, self._cut) < (self._base.until_epoch, self._base.until_frame):
            raise Unsound(GAP)
        self._replay()
        sync_file(self._target)

    def _replay(self) -> None:
        """Have SQLite bring the log into the file; each frame has to count."""
        if self._log is None or self._start is None:
            return
        step = FRAME_HEADER_BYTES + self._start.page_bytes
        self._log.truncate(WAL_HEADER_BYTES + self._cut * step)
        self._log.close()
        self._log = None
        if not self._cut:
            log_of(self._target).unlink()
            return
        try:
            with closing(sqlite3.connect(self._target, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                _, _, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            raise _damaged(self._target) from error
        if done != self._cut:
            raise Unsound(GAP)
        self.frames_used += self._cut


def _damaged(path: Path) -> Unsound:
    return Unsound(Text(f"손상되었습니다: {path}", f"{path} is damaged."))


def _datetime(moment_ns: int) -> datetime:
    """Return a moment to the microsecond, not after `moment_ns`."""
    return BEGINNING + timedelta(microseconds=moment_ns // 1000)


def _ns(moment: datetime) -> int:
    return (moment - BEGINNING) // timedelta(microseconds=1) * 1000


def _shown(moment: datetime) -> str:
    return second_text(moment)
