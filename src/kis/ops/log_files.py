"""The log and what was rotated out of it, read in blocks: a file of any size."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 1 << 20
"""What has no newline for so long is no line of ours, and is not kept."""

_ROTATED = re.compile(r"[.-][0-9][0-9A-Za-z._-]*")
COMPRESSED = ".gz"


class Read(NamedTuple):
    """A file that was read: `trouble` says why not to its end."""

    name: str
    lines: int
    trouble: str = ""


def is_rotated(name: str, log: str) -> bool:
    """Whether `name` is that of a file that the log named `log` was rotated to.

    As logrotate names them: `.1`, `.2.gz`, `-20261122`, `-20261122.gz`.
    """
    return name.startswith(log) and _ROTATED.fullmatch(name[len(log) :]) is not None


def rotated_files(log: Path) -> list[Path]:
    """Return what `log` was rotated to, oldest first."""
    found = [path for path in log.parent.glob(f"{log.name}?*") if is_rotated(path.name, log.name)]
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    return sorted(files, key=lambda path: path.stat().st_mtime)


def files_since(log: Path, since_s: float) -> list[Path]:
    """Return the files that may hold lines from `since_s` (seconds since 1970) on, oldest first."""
    rotated = [path for path in rotated_files(log) if path.stat().st_mtime >= since_s]
    return [*rotated, *([log] if log.is_file() else [])]


class Aged(NamedTuple):
    """A rotated log that is old enough to go."""

    name: str
    size: int


def clean(log: Path, before_s: float, *, dry_run: bool) -> list[Aged]:
    """Delete what was rotated out of `log` and not written since `before_s`; return what it was.

    Never `log` itself, nor any file of another name: a program may keep logs beside it.

    Raises:
        OSError: a file cannot be deleted; those before it are.

    """
    aged = []
    for path in rotated_files(log):
        status = path.stat()
        if status.st_mtime < before_s:
            aged.append(Aged(path.name, status.st_size))
            if not dry_run:
                path.unlink()
    return aged


def read_file(path: Path, add: Callable[[bytes], None]) -> Read:
    """Hand each line of `path`, without its newline, to `add`; never raises for the file."""
    lines = 0
    try:
        with _opened(path) as file:
            for line in lines_of(file):
                add(line)
                lines += 1
    except (OSError, EOFError, zlib.error) as error:
        return Read(path.name, lines, str(error) or type(error).__name__)
    return Read(path.name, lines)


def _opened(path: Path) -> BinaryIO:
    if path.suffix == COMPRESSED:
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb", buffering=0)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `file` without their newlines, one that is cut off at the end too."""
    rest = b""
    while block := file.read(BLOCK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            rest = b""
        yield from lines
    if rest:
        yield rest
