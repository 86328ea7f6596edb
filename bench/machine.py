"""The machine: what it is, and how much of it other programs took meanwhile."""

import os
import platform
import resource
import sqlite3
import time
import timeit
from pathlib import Path

IDLE_COLUMNS = (3, 4)
"""Of the first line of /proc/stat: idle, and waiting for the disk."""


STEPS = 1_000_000


class Made:
    """What `interpreter_ns` makes."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        """Keep `value`."""
        self.value = value


class Watch:
    """Measures from its making on. Linux only; elsewhere others take nothing."""

    def __init__(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._busy_s = _busy_s()
        self._own_s = _own_s()

    def others_percent(self) -> float:
        """Return the share of all cores that went to programs that we did not start."""
        capacity = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        others = (_busy_s() - self._busy_s) - (_own_s() - self._own_s)
        return max(0.0, 100 * others / capacity)


def _busy_s() -> float:
    """Return the CPU seconds of all programs since the machine started."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    ticks = [int(word) for word in stat.read_text(encoding="ascii").split("\n")[0].split()[1:9]]
    idle = sum(ticks[column] for column in IDLE_COLUMNS)
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    """Return the CPU seconds of this program and of those it started and saw end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def cpu_of(process: int, *, with_children: bool = True) -> float:
    """Return the CPU seconds of a process, and of its children with those that ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return 0.0  # it ended since it was listed: its parent has its time
    ticks = [int(word) for word in stat.rpartition(")")[2].split()[11:15]]
    used = sum(ticks if with_children else ticks[:2]) / os.sysconf("SC_CLK_TCK")
    return used + sum(cpu_of(child) for child in (children_of(process) if with_children else ()))


def children_of(process: int) -> list[int]:
    """Return the processes that a process started and that run."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]


def describe() -> str:
    """Return the class of the machine in words."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}) for service and generator together,"
        f" {platform.system()}; Python {platform.python_version()}, which takes"
        f" {interpreter_ns():.0f} ns to make an object and read it (builds of one version differ"
        f" by half); SQLite {sqlite3.sqlite_version}"
    )


def interpreter_ns() -> float:
    """Return how long the interpreter takes for a step of plain Python: its build decides."""
    return min(timeit.repeat("Made(1).value", number=STEPS, globals=globals())) / STEPS * 1e9
