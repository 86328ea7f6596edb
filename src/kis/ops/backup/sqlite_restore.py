"""Swaps a SQLite file: the old one and its log never meet the new one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kis.errors import Text
from kis.ops import durable
from kis.ops.backup import folder
from kis.ops.backup.naming import read_replaced_name, replaced_name
from kis.ops.backup.retention import BACKUP_DAYS, Dated, expired
from kis.ops.backup.source import Place, Source
from kis.ops.backup.trouble import Unsound

SCRATCH = ".kis-restore.tmp"
"""Beside the database, as only within a disk a rename is one step."""
LOGS = ("-wal", "-shm", "-journal")
BUSY_TIMEOUT_S = 5.0
_PRIMARY_CODE = 0xFF


@contextmanager
def workplace(source: Source) -> Iterator[Place]:
    """Yield an empty place beside the file of `source`, whatever link leads to it.

    Raises:
        OSError: nothing can be written there.

    """
    assert source.file is not None  # noqa: S101 - for the type checker
    file = source.file.resolve()
    _forget_unfinished(file)
    with folder.emptied(file.parent / SCRATCH) as scratch:
        yield Place(source, scratch, f"sqlite:///{scratch / 'kis.db'}")


def _forget_unfinished(file: Path) -> None:
    """Remove the other name that a killed restore gave to the database which is still the one."""
    for kept in file.parent.glob(replaced_name("sqlite", "*")):
        if file.exists() and kept.samefile(file):
            kept.unlink()


def swap(place: Place, local: datetime) -> str | None:
    """Let the database of `place` be the one; return the name that the old one is kept under.

    Its path always leads to one of the two, and each instant is safe to be killed at.

    Raises:
        Unsound: another program has the old one open; nothing was changed then.
        OSError: a file cannot be changed.

    """
    assert place.source.file is not None  # noqa: S101 - for the type checker
    made, file = place.file, place.source.file.resolve()
    left = [path.name for path in _logs_of(made) if path.exists()]
    if left:
        raise Unsound(Text(f"{left}: 닫히지 않았습니다", f"{left}: it was not closed"))
    durable.hand_over(made, file if file.exists() else file.parent)
    durable.sync_file(made)
    kept = _keep(file, local) if file.exists() else None
    for path in _logs_of(file):
        path.unlink(missing_ok=True)
    durable.sync_folder(file.parent)
    durable.rename(made, file)
    return None if kept is None else str(kept)


def _keep(file: Path, local: datetime) -> Path:
    """Give the old database a second name, with all that is in its log."""
    is_whole = _fold(file)
    while (kept := file.with_name(replaced_name("sqlite", local))).exists():
        local += timedelta(seconds=1)
    if not is_whole:
        # It cannot be read: whoever repairs it wants the log as well.
        for old, new in zip(_logs_of(file), _logs_of(kept), strict=True):
            if old.exists():
                os.link(old, new)
    os.link(file, kept)
    durable.sync_folder(file.parent)
    return kept


def forget_kept(source: Source, now: datetime, zone: timezone) -> list[str]:
    """Delete what restores set aside and is old, never the newest one; return the names."""
    assert source.file is not None  # noqa: S101 - for the type checker
    file = source.file.resolve()
    dated = []
    for path in file.parent.glob(replaced_name("sqlite", "*")):
        at = read_replaced_name(path.name, zone)
        # Somebody may have gone back to one of them.
        if at is not None and not (file.exists() and path.samefile(file)):
            dated.append(Dated(path.name, at))
    gone = expired(dated, now, BACKUP_DAYS)
    for name in gone:
        for path in (file.with_name(name), *_logs_of(file.with_name(name))):
            path.unlink(missing_ok=True)
    return gone


def _fold(file: Path) -> bool:
    """Put what is in the log of `file` into it, and leave it without one; False: it is damaged."""
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorcode & _PRIMARY_CODE in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Unsound(
                Text(
                    f"다른 프로그램이 {file.name} 파일을 열고 있습니다",
                    f"another program has {file.name} open",
                )
            ) from error
        return False
    return bool(mode == "delete") and not any(path.exists() for path in _logs_of(file))


def _logs_of(file: Path) -> list[Path]:
    return [file.with_name(file.name + suffix) for suffix in LOGS]
