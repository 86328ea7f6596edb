"""Backups as the service makes them: in a process of its own, so that no estimate waits."""

import asyncio
import logging
from pathlib import Path

from kis import clock
from kis.audit.store import record
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.korean import with_particle
from kis.ops.apart import Lost, run_apart_once
from kis.ops.backup.archive import Backup, make_backup
from kis.ops.backup.folder import BackupAnswer, answer_of, stored_backups
from kis.ops.backup.naming import zone_of
from kis.ops.backup.noting import entry_of
from kis.ops.backup.source import Source
from kis.ops.backup.trouble import failed

LOST = Text("백업하던 프로세스가 끝나 버렸습니다.", "the process that made it was lost")

logger = logging.getLogger("kis.ops")


class BackupService:
    """Makes backups of an installation, and lists them."""

    def __init__(self, source: Source, logs: Path, writer: Writer) -> None:
        """Back up `source`, and on Sundays the folder `logs`; `writer` is for the audit trail."""
        self._source = source
        self._logs = logs
        self._writer = writer
        self._at_work: set[asyncio.Task[BackupAnswer]] = set()

    async def make(self, actor: str) -> BackupAnswer:
        """Make a backup; when whoever asked is gone, it is made all the same.

        Raises:
            DomainError: BACKUP_RUNNING, DISK_FULL, BACKUP_FAILED; as `note`.

        """
        task = asyncio.create_task(self._make(actor))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def _make(self, actor: str) -> BackupAnswer:
        try:
            made = await run_apart_once(_make, self._source, self._logs)
        except Lost as error:
            raise failed(LOST) from error
        file = made.manifest.file
        logger.info("backed up to %s in %.1f s", file, made.manifest.seconds)
        return await self.note(file, actor)

    async def note(self, file: str, actor: str) -> BackupAnswer:
        """Write down in the audit trail that the backup `file` was made.

        Raises:
            DomainError: NOT_FOUND, there is none, or it was made by another program; as
                `Writer.execute`.

        """
        stored = next((each for each in await self.list() if each.file == file), None)
        if stored is None or stored.manifest is None:
            raise _not_found(file)
        entry = entry_of(stored.manifest, actor, clock.now())
        await self._writer.execute(lambda connection: record(connection, [entry]))
        return stored

    async def list(self) -> list[BackupAnswer]:
        """Return all backups, newest first."""
        zone = zone_of(clock.now().astimezone())
        stored = await asyncio.to_thread(stored_backups, self._source.folder, zone)
        return [answer_of(each) for each in stored]


def _not_found(file: str) -> DomainError:
    return refusal(
        ErrorCode.NOT_FOUND,
        Text(f"백업 {with_particle(file, '이/가')} 없습니다.", f"There is no backup {file}."),
        Text("이름을 확인하십시오: kis-backend backup list", "See kis-backend backup list."),
    )


def _make(source: Source, logs: Path) -> Backup:
    return make_backup(source, clock.now, lambda *_: None, logs)
