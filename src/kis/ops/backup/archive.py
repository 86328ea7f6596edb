"""Makes backups: nothing has a good name before it was checked."""

import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from kis import __version__
from kis.ops.backup import (
    folder,
    logs,
    postgres_backup,
    postgres_restore,
    sqlite_backup,
    sqlite_restore,
)
from kis.ops.backup.manifest import Manifest
from kis.ops.backup.naming import backup_name, free_moment, zone_of
from kis.ops.backup.packing import Tell
from kis.ops.backup.source import Source
from kis.ops.backup.trouble import logs_failed, told_of


class Backup(NamedTuple):
    """What was made: the backup, that of the logs if it was time, and what was deleted."""

    manifest: Manifest
    logs: str | None
    forgotten: list[str]


def make_backup(
    source: Source, now: Callable[[], datetime], tell: Tell, log_folder: Path | None = None,
    *, with_logs: bool = False, wait_s: float = 0.0,
) -> Backup:  # fmt: skip
    """Make a backup while whoever writes goes on, and delete what is old.

    That is backups, and databases that restores set aside.

    The files of `log_folder` are packed too, on Sundays, or whenever `with_logs`. Whoever is
    at work in the folder of backups is waited for, up to `wait_s`.

    Raises:
        DomainError: BACKUP_RUNNING; DISK_FULL; BACKUP_FAILED, the copy is not sound. The last
            good backup is as it was then, and nothing else is left behind.

    """
    with (
        told_of(source.folder),
        folder.only_one(source.folder, wait_s=wait_s, tell=tell) as scratch,
    ):
        begun = time.monotonic()
        make = postgres_backup.make if source.file is None else sqlite_backup.make
        made = make(source, scratch, now, tell)
        local = made.taken_at.astimezone()
        taken = {path.name for path in source.folder.iterdir()}
        manifest = Manifest(
            kind=source.kind,
            file=backup_name(source.kind, free_moment(local, taken, source.kind)),
            taken_at=made.taken_at, utc_offset=local.isoformat()[-len("+09:00") :],
            seconds=round(time.monotonic() - begun, 3), program=__version__,
            database=made.database, packed=made.packed, contents=made.contents,
        )  # fmt: skip
        folder.publish(made.path, manifest, source.folder)
        forgotten = folder.forget_old(source.folder, made.taken_at, zone_of(local))
        forgotten += _forget_kept(source, made.taken_at, zone_of(local))
        packed_logs = None
        if log_folder is not None and (with_logs or logs.is_due(source.folder, local)):
            try:
                packed_logs = logs.pack(log_folder, source.folder, scratch, local)
            except OSError as error:
                raise logs_failed(manifest.file, error) from error
    return Backup(manifest, packed_logs, forgotten)


def _forget_kept(source: Source, now: datetime, zone: timezone) -> list[str]:
    forget = postgres_restore.forget_kept if source.file is None else sqlite_restore.forget_kept
    try:
        return forget(source, now, zone)
    except (OSError, DBAPIError):
        return []  # the backup is made, by somebody who may only read the database
