"""Backs up or restores in a process that is killed, again and again: `python -m tests.cuts`.

It is killed before and after each call that changes a name or has something reach the disk, or
after each statement about databases, and at moments spread over the time that it takes.
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

import psycopg
from sqlalchemy import make_url

from kis import clock
from kis.ops.backup import packing
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.folder import stored_backups
from kis.ops.backup.latest import manifest_of
from kis.ops.backup.naming import latest_name, replaced_name, zone_of
from kis.ops.backup.restoring import of_backup, prepare, require_alone, swap, workplace
from kis.ops.backup.source import Source
from kis.ops.backup.verifying import verify
from tests.unit.ops.installed import OPENER

WATCHED = frozenset(
    {
        "fsync", "rename", "replace", "link", "unlink", "rmdir", "mkdir", "symlink", "chmod",
        "flock",
    }
)  # fmt: skip
EXECUTES = frozenset({"do_execute", "do_execute_no_params"})
"""What SQLAlchemy gives each statement to."""
OLD, NEW = 4, 3
"""Estimates before a restore and after it."""

Work = Callable[[], object]
IsStep = Callable[[FrameType, str, Any], bool]
"""Whether an event of `sys.setprofile` is one to be killed at."""


class _Steps:
    """Counts the calls of a process that matter; kills it at the one with the number `at`."""

    def __init__(self, is_step: IsStep, at: int | None) -> None:
        self.is_step = is_step
        self.at = at
        self.seen = 0

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if self.is_step(frame, event, called):
            self.seen += 1
            if self.seen == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def _changes_files(_: FrameType, event: str, called: Any) -> bool:
    is_call = event in ("c_call", "c_return") and called.__module__ in ("posix", "fcntl")
    return is_call and called.__name__ in WATCHED


def _changes_databases(frame: FrameType, event: str, _: Any) -> bool:
    is_statement = event == "return" and frame.f_code.co_name in EXECUTES
    return is_statement and " DATABASE " in frame.f_locals["statement"]


def _begin(work: Work, steps: _Steps, told: int | None = None) -> int:
    """Do `work` in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        sys.setprofile(steps)
        work()
        sys.setprofile(None)
        if told is not None:
            os.write(told, str(steps.seen).encode())
        code = 0
    finally:
        os._exit(code)


def _measure(work: Work, is_step: IsStep) -> tuple[int, float]:
    """Let it end; return how many steps it has, and how long it takes."""
    read, write = os.pipe()
    begun = time.monotonic()
    assert os.waitpid(_begin(work, _Steps(is_step, None), write), 0)[1] == 0
    return int(os.read(read, 20)), time.monotonic() - begun


def _cut(work: Work, is_step: IsStep, moments: int, before: Work, after: Work) -> int:
    """Kill `work` at each step, and at so many moments; return how many kills there were."""
    before()
    steps, seconds = _measure(work, is_step)
    after()
    killed = 0
    for number in range(steps + moments):
        before()
        at = None if number < moments else number - moments + 1
        child = _begin(work, _Steps(is_step, at))
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

    killed = _cut(back_up, _changes_files, moments, lambda: None, check)
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

    killed = _cut(restore, _changes_files, moments, before, check)
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


# --- PostgreSQL ---------------------------------------------------------------------------


class _Server:
    """The server of a database, asked as nobody else asks it."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.name = str(self.url.database)

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        url = self.url.set(database=database).render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def count(self, database: str) -> int:
        """Return how many estimates it has, each with its evidence."""
        tables = ('"Estimate"', "evidence")
        counts = {self.run(f"SELECT count(*) FROM {each}", database)[0][0] for each in tables}
        assert len(counts) == 1, counts
        return int(counts.pop())

    def kept(self) -> list[str]:
        """Return the names of the databases that were set aside, in their order."""
        pattern = replaced_name("postgresql", "*").replace("*", "%")
        rows = self.run(f"SELECT datname FROM pg_database WHERE datname LIKE '{pattern}'")
        return sorted(row[0] for row in rows)


def _cut_postgresql_restores(source: Source, moments: int) -> int:
    server = _Server(source.url)
    backup = source.folder / make_backup(source, clock.now, _quiet).manifest.file
    _double_one(server, "Estimate", "id")
    _double_one(server, "evidence", "estimate_id")
    old = f"{server.name}_old"
    server.run(f"ALTER DATABASE {server.name} RENAME TO {old}")
    seen: set[int] = set()

    def restore() -> None:
        require_alone(source)
        with workplace(source) as place:
            supply = of_backup(backup)
            swap(prepare(place, supply, Order(OPENER), clock.now, _quiet), clock.now)

    def before() -> None:
        # What the killed one left in its scratch place is for the next to remove.
        for name in (server.name, *server.kept()):
            server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.run(f"CREATE DATABASE {server.name} TEMPLATE {old}")

    def restore_again() -> None:
        # At once: the server may still be at what the killed one asked for.
        restore()
        assert server.count(server.name) == NEW
        found = [server.count(name) for name in server.kept()]
        assert found in ([OLD], [OLD, NEW]), found
        seen.add(found[-1])

    killed = _cut(restore, _changes_databases, moments, before, restore_again)
    assert seen == {OLD, NEW}, seen
    left = server.run("SELECT datname FROM pg_database WHERE datname LIKE '%_kis_restore_tmp'")
    assert left == []
    return killed


def _double_one(server: _Server, table: str, column: str) -> None:
    """Add a row like another one, whatever its estimate is."""
    select = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    names = [row[0] for row in server.run(select, server.name)]
    others = ", ".join(f'"{name}"' for name in names if name != column)
    server.run(
        f'SET session_replication_role = replica; INSERT INTO "{table}" ({column}, {others})'
        f" SELECT {column} || 'x', {others} FROM \"{table}\" LIMIT 1",
        server.name,
    )


def main() -> None:
    """Cut backups or restores of a database (its URL); print how many kills there were."""
    what, folder, moments, url = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
    source = Source(url, file, folder / "backups", OPENER)
    shutil.rmtree(source.folder, ignore_errors=True)
    source.folder.mkdir()
    if what == "backup":
        cut = _cut_backups
    else:
        cut = _cut_postgresql_restores if file is None else _cut_restores
    sys.stdout.write(f"{cut(source, moments)}\n")


if __name__ == "__main__":
    main()
