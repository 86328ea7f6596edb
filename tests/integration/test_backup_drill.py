"""Backups and restores that are killed, run into a full disk, or meet each other."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from kis import clock
from kis.errors import DomainError, ErrorCode
from kis.ops.backup import packing, restoring, sqlite_backup, sqlite_restore
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.folder import LOCK, only_one
from kis.ops.backup.source import Source
from tests.backends import POSTGRESQL_ONLY, SQLITE_ONLY, own_programs
from tests.integration.lifecycle import estimate, good, refused
from tests.integration.program import Program, until
from tests.services import Client, board, running_client
from tests.unit.ops.installed import OPENER, install

__all__ = ["own_programs"]
ROOT = Path(__file__).parents[2]
MOMENTS, DRILL_MOMENTS = 25, 500
MOMENTS_OF_A_SERVER, DRILL_MOMENTS_OF_A_SERVER = 5, 100
STEPS, STEPS_OF_A_SERVER = 30, 6
"""At least so many calls of it change something; some of the moments come when it has ended."""
TIMEOUT_S = 600


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_killed(tmp_path: Path, what: str, is_drill: bool) -> None:
    """Never a broken file under a good name; the old database or the new one."""
    url = f"sqlite:///{tmp_path / 'kis.db'}"
    assert cut(what, tmp_path, url, DRILL_MOMENTS if is_drill else MOMENTS) > STEPS


@pytest.mark.usefixtures("own_programs")
@POSTGRESQL_ONLY
def test_restore_of_postgresql_killed(tmp_path: Path, database_url: str, is_drill: bool) -> None:
    """The old database or the new one, whole; and whatever is left, the next restore works."""
    moments = DRILL_MOMENTS_OF_A_SERVER if is_drill else MOMENTS_OF_A_SERVER
    assert cut("restore", tmp_path, database_url, moments) > STEPS_OF_A_SERVER


def cut(what: str, folder: Path, url: str, moments: int) -> int:
    """Kill what is done to a database of three estimates; return how many kills there were."""
    install(folder / "home", url)
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuts", what, str(folder), str(moments), url], cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


# --- a full disk --------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, which is less than a database."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk of its own")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("here not even root can mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)


def test_backups_on_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "backups").symlink_to(small_disk)
    # The journal would like to be on that disk too.
    with running_client(home, JOURNAL_DIR=str(tmp_path / "journal")) as client:
        good(estimate(client, board()), 201)
        found = refused(client.admin("POST", "/v1/backups"), 507, "DISK_FULL")
        assert "MiB" in found["detail"]
        assert [path.name for path in small_disk.iterdir()] == [".kis-backup.lock"]
        good(estimate(client, board()), 201)
        grow(small_disk)
        assert good(client.admin("POST", "/v1/backups"), 201)["isLatest"]


@pytest.mark.parametrize("is_foreseen", [True, False])
def test_disk_that_fills_up_meanwhile(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, is_foreseen: bool
) -> None:
    if not is_foreseen:
        monkeypatch.setattr(sqlite_backup, "ROOM", 0)
        monkeypatch.setattr(restoring, "ROOM", 0)
    file = tmp_path / "kis.db"
    install(tmp_path / "home", f"sqlite:///{file}")
    source = Source(f"sqlite:///{file}", file, small_disk, OPENER)
    refused_for_room(lambda: make_backup(source, clock.now, quiet))
    assert [path.name for path in small_disk.iterdir()] == [".kis-backup.lock"]

    (tmp_path / "backups").mkdir()
    source = source._replace(folder=tmp_path / "backups")
    backup = source.folder / make_backup(source, clock.now, quiet).manifest.file
    beside = small_disk / "kis.db"
    beside.write_bytes(b"the old one")
    on_it = source._replace(file=beside)
    refused_for_room(lambda: restore(on_it, backup))
    assert [path.name for path in small_disk.iterdir() if path.name[0] != "."] == ["kis.db"]
    assert beside.read_bytes() == b"the old one"
    grow(small_disk)
    restore(on_it, backup)
    assert beside.read_bytes().startswith(packing.SQLITE_BEGINS)


def refused_for_room(work: Callable[[], object]) -> None:
    with pytest.raises(DomainError) as failed:
        work()
    assert failed.value.main.code is ErrorCode.DISK_FULL


def restore(source: Source, backup: Path) -> None:
    with restoring.workplace(source) as place:
        supply = restoring.of_backup(backup)
        prepared = restoring.prepare(place, supply, Order(OPENER), clock.now, quiet)
        sqlite_restore.swap(prepared.place, clock.now())


def quiet(*_: object) -> None:
    """Tell nobody."""


# --- two at once --------------------------------------------------------------------------


def test_two_at_once(client: Client) -> None:
    with only_one(client.settings.home / "backups"):
        refused(client.admin("POST", "/v1/backups"), 409, "BACKUP_RUNNING")
    assert not list((client.settings.home / "backups").glob("kis-backup-*"))


@SQLITE_ONLY  # the folder of backups is the same
def test_commands_that_timers_start_at_once_wait_for_each_other(client: Client) -> None:
    program = Program(client.settings.home)
    program.json("backup")
    commands = (("backup",), ("backup", "verify", "--all"), ("drill", "restore"))
    with only_one(client.settings.home / "backups"):
        begun = [program.begin(*command) for command in commands]
        for process in begun:
            until(partial(is_waiting_or_gone, process))
    assert [process.wait(TIMEOUT_S) for process in begun] == [0, 0, 0]


def is_waiting_or_gone(process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        return True
    with suppress(FileNotFoundError):  # of what it closes meanwhile
        files = Path(f"/proc/{process.pid}/fd").iterdir()
        return any(file.readlink().name == LOCK for file in files)
    return False
