"""What is looked up when somebody asks for metrics: sizes, room, memory.

A source returns metrics; it looks at files, never into them, and raises nothing: what
cannot be known is left out, for a zero would be a lie.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from kis.db.engine import Database
from kis.db.files import bytes_of
from kis.db.postgres import database_bytes
from kis.db.unavailable import DatabaseUnavailable

Source = Callable[[], Iterable[Metric]]
Sample = tuple[Mapping[str, str], float]
"""Labels and a value."""
STATM = Path("/proc/self/statm")
WITHIN_S = 1.0
"""A database that is gone may not hold up the metrics, which tell of it."""


def gauge(name: str, about: str, samples: Iterable[Sample]) -> Metric:
    """Return a gauge with a sample for each pair of labels and value; labels have one set of names.

    `about` is for people, `name` ends with the unit.
    """
    samples = list(samples)
    names = list(samples[0][0]) if samples else []
    family = GaugeMetricFamily(name, about, labels=names)
    for labels, value in samples:
        family.add_metric(list(labels.values()), value)
    return family


class DatabaseSize:
    """How large the database is: a file and its log, or what the server says."""

    def __init__(self, database: Database, file: Path | None) -> None:
        """`file` is None where the database is a server."""
        self._database = database
        self._file = file
        self._bytes: int | None = None

    async def look(self) -> None:
        """Ask; at a server that does not answer within a second the size is not known."""
        if self._file is not None:
            self._bytes = _size_of(self._file)
            return
        self._bytes = None
        try:
            async with asyncio.timeout(WITHIN_S):
                self._bytes = await self._database.read(database_bytes)
        except (DatabaseUnavailable, TimeoutError):
            return

    def __call__(self) -> Iterator[Metric]:
        """Return what `look` found."""
        found: list[Sample] = [] if self._bytes is None else [({}, float(self._bytes))]
        yield gauge("kis_database_bytes", "Size of the database, its write-ahead log too", found)


def _size_of(file: Path) -> int | None:
    try:
        return bytes_of(file)
    except OSError:
        return None


def disk_room(folders: Mapping[str, Path]) -> Source:
    """Return the source of the disks' room; `folders` by the name that they are shown under.

    Of those that are on one disk the first is shown.
    """

    def look() -> Iterator[Metric]:
        found: dict[str, dict[str, int]] = {}
        disks = set()
        for name, path in folders.items():
            disk, room = _room(path)
            if disk not in disks and room:
                disks.add(disk)
                found[name] = room
        for kind, about in (("free", "Room that is left"), ("size", "Size")):
            samples = [({"folder": name}, float(room[kind])) for name, room in found.items()]
            yield gauge(f"kis_disk_{kind}_bytes", f"{about}, of the disk of a folder", samples)

    return look


def _room(path: Path) -> tuple[int, dict[str, int]]:
    """Return which disk it is, and its bytes; none of them where it cannot be seen."""
    try:
        number, disk = path.stat().st_dev, os.statvfs(path)
    except OSError:
        return 0, {}
    # As df counts: what is reserved for root is neither used nor free.
    used = disk.f_blocks - disk.f_bfree
    return number, {
        "free": disk.f_bavail * disk.f_frsize,
        "size": (used + disk.f_bavail) * disk.f_frsize,
    }


def resident_bytes() -> int | None:
    """Return the memory that this process has (RSS); None where the system does not say."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
