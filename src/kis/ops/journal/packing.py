"""Compresses one file in a process of its own, when nobody else wants the processor.

A program by itself, which opens the database file: in the service, closing it again would
drop the locks that SQLite holds on it.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from kis.ops.backup import packing
from kis.ops.backup.manifest import Packed

NICER_BY = 19


def start(source: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start to compress `source` into `target`; `finish` has the answer."""
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-m", __name__, str(source), str(target)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
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
    return msgspec.json.decode(answer, type=Packed)


def main() -> None:
    """Do it, and tell on standard output."""
    os.nice(NICER_BY)
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    source, target = (Path(path) for path in sys.argv[1:])
    parent = os.getppid()

    def watch(*_: object) -> None:
        if os.getppid() != parent:
            message = "whoever asked is gone"
            raise OSError(message)

    try:
        target.unlink(missing_ok=True)
        packed = packing.pack(source, target, watch)
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.stdout.buffer.write(msgspec.json.encode(packed))


if __name__ == "__main__":
    main()
