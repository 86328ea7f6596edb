"""What several workers count, summed: whichever of them is asked tells of all.

Each worker counts in files of its own, which it maps into its memory, in a folder that
the supervisor made: prometheus-client's multiprocess mode. So what a killed worker has
counted is still there. A count costs 1 us more than in memory alone; the files are in
memory too where there is such a place, for a page that goes to a disk holds up whoever
writes to it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

# Its files are documented, their reading and writing is not typed.
_Counts: Any = MmapedDict
_merge: Any = MultiProcessCollector.merge

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment's word by which prometheus-client counts in files, once it is imported."""

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is ours alone
PREFIX = "kis-metrics-"
LOCK = "lock"
NOBODY = 0
"""Who has the counts of the dead: no process has this id."""
DEAD_KEPT = 8
"""Files of ended workers that are read as they are; more are made one."""


@contextmanager
def counting_together() -> Iterator[None]:
    """Have the processes that this one starts meanwhile count in one folder."""
    place = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    _sweep(place)
    prefix = f"{PREFIX}{os.getpid()}-"
    with TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def shared_folder() -> Path | None:
    """Return where this process counts; None where it is the only one."""
    folder = os.environ.get(FOLDER)
    return None if folder is None else Path(folder)


def read_counts(folder: Path) -> list[Metric]:
    """Return what all workers have counted, those that ended too, and the gauges of the living."""
    with _locked(folder):
        _settle(folder)
        return list(_merge(map(str, _files(folder))))


def _files(folder: Path) -> list[Path]:
    # A worker may be about to make its file: it is empty for an instant.
    return [file for file in folder.glob("*.db") if file.stat().st_size]


def _settle(folder: Path) -> None:
    """Drop the gauges of workers that ended; make their counts one file when they are many.

    Whoever is killed between the last steps leaves some counted twice.
    """
    dead = [file for file in _files(folder) if not _is_running(_owner(file))]
    for file in dead:
        if file.name.startswith("gauge_"):
            file.unlink()
    for kind in ("counter", "histogram"):
        files = [file for file in dead if file.name.startswith(kind)]
        if len(files) > DEAD_KEPT:
            target = folder / f"{kind}_{NOBODY}.db"
            summed = folder / f"{kind}.new"
            summed.unlink(missing_ok=True)
            _sum(files, summed)
            summed.replace(target)
            for file in files:
                if file != target:
                    file.unlink()


def _sum(files: list[Path], target: Path) -> None:
    total = _Counts(str(target))
    for file in files:
        for key, value, _, _ in _Counts.read_all_values_from_file(str(file)):
            total.write_value(key, total.read_value(key)[0] + value, 0.0)
    total.close()


def _owner(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _is_running(pid: int) -> bool:
    if pid == NOBODY:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Read and settle one at a time, or what is being made one file would be read twice."""
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(place: Path | None) -> None:
    """Remove the folders of supervisors of ours that were killed."""
    if place is None:
        return
    for folder in place.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not _is_running(int(pid)) and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
