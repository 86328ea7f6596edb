"""Backs up or restores in a process that is killed, again and again: `python -m tests.cuts`.

It is killed before and after each call that changes a name or has something reach the disk, and
at moments spread over the time that it takes.
"""

import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from kis import clock
from kis.ops.backup import packing
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.folder import stored_backups
from kis.ops.backup.latest import manifest_of
from kis.ops.backup.naming import latest_name, zone_of
from kis.ops.backup.restoring import of_backup, prepare, swap, workplace
from kis.ops.backup.source import Source
from kis.ops.backup.verifying import verify
from tests.unit.ops.installed import OPENER

WATCHED = frozenset(
    {
        "fsync", "rename", "replace", "link", "unlink", "rmdir", "mkdir", "symlink", "chmod",
        "flock",
    }
)  # fmt: skip
OLD, NEW = 4, 3
"""Estimates before a restore and after it."""

Work = Callable[[], object]


class _Steps:
    """Counts the calls of a process that matter; kills it at the one with the number `at`."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.seen = 0

    def __call__(self, _frame: FrameType, event: str, called: Any) -> None:
        is_call = event in ("c_call", "c_return") and called.__module__ in ("posix", "fcntl")
        if is_call and called.__name__ in WATCHED:
            self.seen += 1
            if self.seen == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def _begin(work: Work, at: int | None, told: int | None = None) -> int:
    """Do `work` in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        steps = _Steps(at)
        sys.setprofile(steps)
        work()
        sys.setprofile(None)
        if told is not None:
            os.write(told, str(steps.seen).encode())
        code = 0
    finally:
        os._exit(code)


def _measure(work: Work) -> tuple[int, float]:
    """Let it end; return how many steps it has, and how long it takes."""
    read, write = os.pipe()
    begun = time.monotonic()
    assert os.waitpid(_begin(work, None, write), 0)[1] == 0
    return int(os.read(read, 20)), time.monotonic() - begun


def _cut(work: Work, moments: int, before: Work, after: Work) -> int:
    """Kill `work` at each step, and at so many moments; return how many kills there were."""
    before()
    steps, seconds = _measure(work)
    after()
    killed = 0
    for number in range(steps + moments):
        before()
        child = _begin(work, None if number < moments else number - moments + 1)
        if number < moments:
            time.sleep((number + 0.5) / moments * seconds)
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
        killed += os.WIFSIGNALED(status)
        after()
    return killed


def _quiet(*_: object) -> None:
    """Tell nobody."""


def _cut_backups(source: Source, moments: int) -> int:
    known: set[str] = set()

    def back_up() -> None:
        make_backup(source, clock.now, _quiet)

    def check() -> None:
        stored = stored_backups(source.folder, zone_of(clock.now().astimezone()))
        latest = source.folder / latest_name("sqlite")
        assert latest.resolve() in {each.path for each in stored}
        for each in stored:
            if each.path.name not in known:
                assert each.manifest is not None
                assert packing.unpack(each.path, None, _quiet) == each.manifest.packed
                known.add(each.path.name)

    killed = _cut(back_up, moments, lambda: None, check)
    back_up()
    check()
    paths = [source.folder / name for name in known]
    assert all(found.trouble is None for found in verify(source, paths[-5:], Order(OPENER), _quiet))
    left = {path.name for path in source.folder.iterdir() if path.is_dir()}
    assert left == set(), left
    assert all(manifest_of(path) is not None for path in paths)
    return killed


def _cut_restores(source: Source, moments: int) -> int:
    assert source.file is not None
    file, log = source.file, source.file.with_name("kis.db-wal")
    backup = source.folder / make_backup(source, clock.now, _quiet).manifest.file
    old = _with_one_more_in_its_log(file, log)
    seen: set[int] = set()

    def restore() -> None:
        with workplace(source) as place:
            supply = of_backup(backup)
            swap(prepare(place, supply, Order(OPENER), clock.now, _quiet), clock.now)

    def before() -> None:
        for path in file.parent.glob("kis*.db*"):
            path.unlink()
        file.write_bytes(old[0])
        log.write_bytes(old[1])

    def check() -> None:
        found = _count(file)
        assert found in (OLD, NEW), found
        seen.add(found)
        kept = [path for path in file.parent.glob("kis-before-*.db") if not path.samefile(file)]
        assert [_count(path) for path in kept] == [OLD] * (found == NEW)

    killed = _cut(restore, moments, before, check)
    assert seen == {OLD, NEW}, seen
    before()
    restore()
    assert _count(file) == NEW
    assert not [path for path in file.parent.iterdir() if path.name.startswith(".kis-restore")]
    return killed


def _with_one_more_in_its_log(file: Path, log: Path) -> tuple[bytes, bytes]:
    """Return the database and its log as a killed server leaves them."""
    with closing(sqlite3.connect(file)) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(Estimate)")]
        columns = ", ".join(f'"{name}"' for name in names[1:])
        connection.execute(
            f"INSERT INTO Estimate SELECT id || 'x', {columns} FROM Estimate LIMIT 1"
        )
        connection.commit()
        return file.read_bytes(), log.read_bytes()


def _count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        count: int = connection.execute("SELECT count(*) FROM Estimate").fetchone()[0]
        return count


def main() -> None:
    """Cut backups or restores of the database in a folder; print how many kills there were."""
    what, folder, moments = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    file = folder / "kis.db"
    source = Source(f"sqlite:///{file}", file, folder / "backups", OPENER)
    shutil.rmtree(source.folder, ignore_errors=True)
    source.folder.mkdir()
    cut = {"backup": _cut_backups, "restore": _cut_restores}[what]
    sys.stdout.write(f"{cut(source, moments)}\n")


if __name__ == "__main__":
    main()
