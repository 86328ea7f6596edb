"""Backups as the service makes them: in a process of its own, so that no estimate waits."""

import asyncio
import logging
from pathlib import Path

from kis import clock
from kis.errors import Text
from kis.ops.apart import Lost, run_apart_once
from kis.ops.backup.archive import Backup, make_backup
from kis.ops.backup.folder import BackupAnswer, answer_of, stored_backups
from kis.ops.backup.naming import zone_of
from kis.ops.backup.source import Source
from kis.ops.backup.trouble import failed

LOST = Text("백업하던 프로세스가 끝나 버렸습니다.", "the process that made it was lost")

logger = logging.getLogger("kis.ops")


class BackupService:
    """Makes backups of an installation, and lists them."""

    def __init__(self, source: Source, logs: Path) -> None:
        """Back up `source`, and on Sundays the folder `logs`."""
        self._source = source
        self._logs = logs

    async def make(self) -> BackupAnswer:
        """Make a backup; when whoever asked is gone, it is made all the same.

        Raises:
            DomainError: BACKUP_RUNNING, DISK_FULL, BACKUP_FAILED.

        """
        try:
            made = await run_apart_once(_make, self._source, self._logs)
        except Lost as error:
            raise failed(LOST) from error
        file = made.manifest.file
        logger.info("backed up to %s in %.1f s", file, made.manifest.seconds)
        (stored,) = (each for each in await self.list() if each.file == file)
        return stored

    async def list(self) -> list[BackupAnswer]:
        """Return all backups, newest first."""
        zone = zone_of(clock.now().astimezone())
        stored = await asyncio.to_thread(stored_backups, self._source.folder, zone)
        return [answer_of(each) for each in stored]


def _make(source: Source, logs: Path) -> Backup:
    return make_backup(source, clock.now, lambda *_: None, logs)
