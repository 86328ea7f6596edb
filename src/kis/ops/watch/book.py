"""What is remembered between two looks, in `data/alerts.state`: incidents, and unsent notices.

The file has two slots of a fixed size. The next state goes over the older one and is
synced, so that a cut leaves the newer one as it was. Nothing is created or renamed:
that the disk is full is what people most need to be told, once.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kis.ops.watch.incidents import Incident, Notice

SLOT_BYTES = 131_072
WAIT_S = 60.0
RETRY_S = 0.1
MAX_UNSENT = 40
"""Of unsent notices the newest are kept: they fit a slot, and older news helps nobody."""

_SLOTS = (0, SLOT_BYTES)


class Unsent(msgspec.Struct, frozen=True):
    """A notice, and the ways by which it has yet to go."""

    notice: Notice
    ways: tuple[str, ...]


class Book(msgspec.Struct, frozen=True):
    """All that is remembered; `number` is that of the next incident."""

    number: int = 1
    incidents: tuple[Incident, ...] = ()
    unsent: tuple[Unsent, ...] = ()


class Busy(Exception):  # noqa: N818 - says what is the case
    """Another health check has the book open, for longer than sending takes."""


class BookFile:
    """The file, locked by this process."""

    def __init__(self, descriptor: int) -> None:
        """Read what is there; `is_damaged` tells that it was written, and is not legible."""
        self._descriptor = descriptor
        raw = os.pread(descriptor, 2 * SLOT_BYTES, 0)
        slots = [_read_slot(raw[start : start + SLOT_BYTES]) for start in _SLOTS]
        self._sequence, self.book = max(
            (slot for slot in slots if slot), key=lambda slot: slot[0], default=(0, Book())
        )
        self.is_damaged = not any(slots) and any(raw)

    def save(self, book: Book) -> None:
        """Write `book` so that it survives a power cut.

        Raises:
            OSError: it could not be written; what was saved before is still there.

        """
        if os.fstat(self._descriptor).st_size < 2 * SLOT_BYTES:
            _put(self._descriptor, bytes(2 * SLOT_BYTES), 0)
        sequence = self._sequence + 1
        _put(self._descriptor, _write_slot(sequence, book), _SLOTS[sequence % 2])
        os.fsync(self._descriptor)
        self._sequence, self.book = sequence, book


@contextmanager
def opened(path: Path, *, wait_s: float = WAIT_S) -> Iterator[BookFile]:
    """Open and lock the book at `path`, which is made where there is none.

    Raises:
        Busy: it stayed locked for `wait_s` seconds.
        OSError: it cannot be opened.

    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        _lock(descriptor, time.monotonic() + wait_s)
        _sync_folder(path.parent)
        yield BookFile(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy from None
            time.sleep(RETRY_S)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Make sure of the file's name: it is made once, and looking costs little."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(descriptor: int, content: bytes, offset: int) -> None:
    """Write all of `content`; a disk that is full takes a part first."""
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done:], offset + done)


def _write_slot(sequence: int, book: Book) -> bytes:
    content = msgspec.json.encode(book)
    digest = hashlib.sha256(b"%d %b" % (sequence, content)).hexdigest().encode()
    line = b"%d %b %b\n" % (sequence, digest, content)
    return line.ljust(SLOT_BYTES - 1) + b"\n"


def _read_slot(raw: bytes) -> tuple[int, Book] | None:
    """Return the sequence and the book; None where the slot is empty, torn or damaged."""
    number, _, rest = raw.partition(b" ")
    digest, _, rest = rest.partition(b" ")
    content = rest.partition(b"\n")[0]
    expected = hashlib.sha256(b"%b %b" % (number, content)).hexdigest().encode()
    if digest != expected:
        return None
    try:
        return int(number), msgspec.json.decode(content, type=Book)
    except ValueError:  # of a program whose book is another: a digest, but no sense
        return None
