"""What the files of the journal consist of: records, each with its checksum.

A file begins with the start of an epoch: what the log held between two times that it began
anew. Frames of that epoch follow from its first one, so that a file needs no other to be
read, then those of the next. What follows a broken record is not read.
"""

import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from struct import Struct
from typing import BinaryIO, NamedTuple

MAGIC = b"KJR1"
WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
SALT = slice(16, 24)
"""Where the salt stands in the header of a log."""

FRAME_SALT = slice(8, 16)
_HEAD = Struct(">4sB3xIQIIII")
_CHECKSUM = Struct(">I")
_MARK = Struct(">IQ")
_EPOCH = Struct(f">{WAL_HEADER_BYTES}sIQQ")
_MOST_BODY_BYTES = 1 << 28


class Kind(IntEnum):
    """What a record tells."""

    EPOCH = 1
    FRAMES = 2
    MARKS = 3
    CLOSED = 4


class At(NamedTuple):
    """That up to `frame` the epoch was committed by `at_ns` (ns since 1970), not before."""

    frame: int
    at_ns: int


class Record(NamedTuple):
    """One record.

    `through_ns`: what was committed by then is in the journal up to here. `body` holds
    `frames` frames from number `first` on, or what `EpochStart` and CLOSED need.
    """

    kind: Kind
    epoch: int
    through_ns: int
    first: int = 0
    frames: int = 0
    marks: Sequence[At] = ()
    body: bytes = b""


class EpochStart(NamedTuple):
    """The header of the log in an epoch, and how many frames the epoch before it had.

    `device` and `inode` tell which database file it belongs to.
    """

    wal_header: bytes
    frames_before: int
    device: int
    inode: int

    def encoded(self) -> bytes:
        """Return the body of a record."""
        return _EPOCH.pack(*self)

    @property
    def salt(self) -> bytes:
        """What each frame of the epoch repeats."""
        return self.wal_header[SALT]

    @property
    def page_bytes(self) -> int:
        """The size of a page of the database."""
        return int.from_bytes(self.wal_header[8:12])


def epoch_start(record: Record) -> EpochStart:
    """Return what an EPOCH record tells."""
    return EpochStart(*_EPOCH.unpack(record.body))


def encode(record: Record) -> tuple[bytes, bytes]:
    """Return the bytes of `record`: what comes before the body, and the body as it is."""
    head = _HEAD.pack(
        MAGIC, record.kind, record.epoch, record.through_ns, record.first, record.frames,
        len(record.marks), len(record.body),
    )  # fmt: skip
    marks = b"".join(_MARK.pack(*mark) for mark in record.marks)
    checksum = zlib.crc32(record.body, zlib.crc32(marks, zlib.crc32(head)))
    return b"".join((head, _CHECKSUM.pack(checksum), marks)), record.body


def read_records(file: BinaryIO) -> Iterator[Record]:
    """Yield the records of `file` up to its end, or to the first that is not whole."""
    while (record := _read_one(file)) is not None:
        yield record


def _read_one(file: BinaryIO) -> Record | None:
    head = file.read(_HEAD.size + _CHECKSUM.size)
    if len(head) < _HEAD.size + _CHECKSUM.size or head[:4] != MAGIC:
        return None
    _, kind, epoch, through_ns, first, frames, marks, body_bytes = _HEAD.unpack_from(head)
    if body_bytes > _MOST_BODY_BYTES or marks * _MARK.size > _MOST_BODY_BYTES:
        return None
    rest = file.read(marks * _MARK.size + body_bytes)
    checksum = zlib.crc32(rest, zlib.crc32(head[: _HEAD.size]))
    if checksum != _CHECKSUM.unpack_from(head, _HEAD.size)[0]:
        return None
    told = rest[: marks * _MARK.size]
    return Record(
        Kind(kind), epoch, through_ns, first, frames,
        tuple(At(*mark) for mark in _MARK.iter_unpack(told)), rest[len(told) :],
    )  # fmt: skip


def all_of(salt: bytes, frames: bytes, page_bytes: int, count: int) -> bool:
    """Whether `frames` are so many whole ones, each of the log under `salt`."""
    step = FRAME_HEADER_BYTES + page_bytes
    return len(frames) == count * step and all(
        frames[FRAME_SALT.start + place :: step] == bytes([byte]) * count
        for place, byte in enumerate(salt)
    )
