"""Compresses one file in a process of its own, when nobody else wants the processor.

A program by itself, which opens the database file: in the service, closing it again would
drop the locks that SQLite holds on it.
It imports little, so that it starts at once.
"""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from zstandard import ZstdCompressor

CHUNK_BYTES = 1024 * 1024
LEVEL = 3
NICER_BY = 19


class Packed(NamedTuple):
    """How much was read, and its digest."""

    bytes: int
    sha256: str


def start(source: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start to compress `source` into `target`; `finish` has the answer."""
    # A group of its own, as the workers of batches.
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-m", __name__, str(source), str(target)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    )  # fmt: skip


def finish(process: subprocess.Popen[bytes]) -> Packed:
    """Return what a process has done that was started, once it ends.

    Raises:
        OSError: it failed; the message says why.

    """
    answer, complaint = process.communicate()
    if process.returncode:
        reason = complaint.decode(errors="replace").strip().splitlines()
        message = reason[-1] if reason else f"ended with {process.returncode}"
        raise OSError(message)
    return Packed(**json.loads(answer))


def pack(source: Path, target: Path) -> Packed:
    """Compress `source` into `target`, which is on the disk then."""
    parent = os.getppid()
    digest, count = hashlib.sha256(), 0
    with source.open("rb", buffering=0) as plain, target.open("wb") as file:
        with ZstdCompressor(level=LEVEL).stream_writer(file, closefd=False) as packed:
            while chunk := plain.read(CHUNK_BYTES):
                digest.update(chunk)
                count += len(chunk)
                packed.write(chunk)
                if os.getppid() != parent:
                    message = "whoever asked is gone"
                    raise OSError(message)
        file.flush()
        os.fsync(file.fileno())
    return Packed(count, digest.hexdigest())


def main() -> None:
    """Do it, and tell on standard output."""
    os.nice(NICER_BY)
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    source, target = (Path(path) for path in sys.argv[1:])
    try:
        packed = pack(source, target)
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.stdout.write(json.dumps(packed._asdict()))


if __name__ == "__main__":
    main()
