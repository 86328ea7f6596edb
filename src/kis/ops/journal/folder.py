"""The folder of the journal: chains, and in each its files and its bases.

`<folder>/<when it began>-<chance>/` is a chain: files `000001.log`, `000002.log`, ... without
a gap (compressed ones end in `.zst`), and bases `000001.base.zst`, each with a `.json` beside it
that is written last. A base has the number of the file that has to be read with it.
"""

import json
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from zstandard import ZstdDecompressor, ZstdError

from kis.ops.durable import sync_folder
from kis.ops.journal.records import (
    FRAME_HEADER_BYTES,
    At,
    EpochStart,
    Kind,
    Record,
    epoch_start,
    read_records,
)

FOLDER_MODE = 0o750
PACKED = ".zst"
"""How the name of a file ends that is compressed, with Zstandard."""
_CHAIN = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{8}")
_FILE = re.compile(r"(\d{6})\.log(\.zst)?")
_BASE = re.compile(r"\d{6}-[0-9a-f]{8}\.base\.json")


class FileIdentity(NamedTuple):
    """Which file this is, and that nobody wrote to it since."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class Base(NamedTuple):
    """A compressed copy of the database file, made while it was written to.

    With the journal from the start of `epoch`, in file `file`, up to frame `frame` of epoch
    `until_epoch` or later, it is what was committed by then: by `good_from_ns` or later.
    `began_ns` is when the copy was begun, `bytes` the size of the copy and `stored_bytes`
    compressed.
    """

    name: str
    file: int
    epoch: int
    until_epoch: int
    until_frame: int
    began_ns: int
    good_from_ns: int
    bytes: int
    stored_bytes: int
    sha256: str


@dataclass(slots=True)
class Tail:
    """How far a chain reaches: to `frames` frames of `epoch`, the last headed `last_header`.

    `marks` are those of that epoch. `closed` is the database file as it was when all that
    the log had held was in it.
    """

    through_ns: int = 0
    epoch: int = 0
    start: EpochStart | None = None
    frames: int = 0
    marks: tuple[At, ...] = ()
    last_header: bytes = b""
    closed: FileIdentity | None = None

    def take(self, record: Record) -> None:
        """Go on by `record`."""
        self.through_ns = max(self.through_ns, record.through_ns)
        self.closed = None
        if record.kind is Kind.EPOCH:
            self.start = epoch_start(record)
            self.epoch, self.frames, self.marks, self.last_header = record.epoch, 0, (), b""
        elif record.kind is Kind.CLOSED:
            self.closed = FileIdentity(*json.loads(record.body))
        elif record.kind is Kind.FRAMES and self.start is not None:
            step = FRAME_HEADER_BYTES + self.start.page_bytes
            self.frames = record.first + record.frames - 1
            self.last_header = record.body[-step : FRAME_HEADER_BYTES - step]
        self.marks += tuple(record.marks)


class Chain:
    """One chain: a folder of files and bases without a gap."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not exist."""
        self.folder = folder
        self.name = folder.name

    def files(self) -> dict[int, Path]:
        """Return the files by number, in order; of two forms of one the plain one."""
        found: dict[int, Path] = {}
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if match := _FILE.fullmatch(path.name):
                found.setdefault(int(match[1]), path)
        return dict(sorted(found.items()))

    def file(self, number: int) -> Path:
        """Return where file `number` is written."""
        return self.folder / f"{number:06}.log"

    def bases(self) -> list[Base]:
        """Return the bases that are complete, the earliest first."""
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if _BASE.fullmatch(path.name):
                try:
                    found.append(Base(**json.loads(path.read_bytes())))
                except (OSError, ValueError, TypeError):
                    continue  # one that was never whole
        return sorted(found, key=lambda base: base.good_from_ns)

    def base_file(self, name: str) -> Path:
        """Return where the copy of base `name` is."""
        return self.folder / f"{name}.base{PACKED}"

    def base_note(self, name: str) -> Path:
        """Return where base `name` is described."""
        return self.folder / f"{name}.base.json"

    def tail(self) -> Tail | None:
        """Return how far the chain reaches; None for one without a readable record."""
        numbers = list(self.files())
        tail = Tail()
        # The last files may hold no frames: what was copied is then in one before them.
        for place in reversed(range(len(numbers))):
            tail = Tail()
            for record in self.records(numbers[place:]):
                tail.take(record)
            if tail.start is not None:
                break
        return tail if tail.through_ns else None

    def records(self, numbers: Iterable[int]) -> Iterator[Record]:
        """Yield the records of the files `numbers`, of each up to the first broken one."""
        files = self.files()
        for number in numbers:
            with opened(files[number]) as file, suppress(ZstdError):
                yield from read_records(file)

    def remove(self) -> None:
        """Delete all of it."""
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def bytes(self) -> int:
        """Return the size of all of its files."""
        return sum(path.stat().st_size for path in self.folder.iterdir())


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file that may be compressed; what is not whole ends early."""
    if path.suffix != PACKED:
        with path.open("rb") as file:
            yield file
        return
    with path.open("rb") as file, ZstdDecompressor().stream_reader(file) as packed:
        yield cast("BinaryIO", packed)


def chains(folder: Path) -> list[Chain]:
    """Return the chains in `folder`, in the order in which they began."""
    if not folder.is_dir():
        return []
    return [Chain(path) for path in sorted(folder.iterdir()) if _CHAIN.fullmatch(path.name)]


def new_chain(folder: Path, began_ns: int) -> Chain:
    """Make the folder of a chain.

    Raises:
        OSError: it cannot be made.

    """
    began = datetime.fromtimestamp(began_ns / 1e9, UTC)
    path = folder / f"{began:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}"
    path.mkdir(FOLDER_MODE, parents=True)
    sync_folder(folder)
    return Chain(path)


def identity_of(path: Path) -> FileIdentity:
    """Return which file stands at `path`.

    Raises:
        OSError: there is none.

    """
    found = path.stat()
    return FileIdentity(
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )
