"""Backups in the audit trail: who made which, and its digest."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from kis import clock
from kis.audit.store import Entry, record
from kis.db.engine import open_database
from kis.ops.backup.manifest import Manifest
from kis.ops.evidence_pool import SLOW_MS
from kis.ops.journal.folder import chains
from kis.ops.journal.protection import Protection
from kis.settings import Settings

AUDITED = "database.backup"
ACTOR = "cli"


def entry_of(manifest: Manifest, actor: str, now: datetime) -> Entry:
    """Return what is to be known of a backup."""
    return Entry(now, actor, AUDITED, manifest.file, digest=manifest.packed.sha256)


def note_here(settings: Settings, manifest: Manifest, now: Callable[[], datetime]) -> None:
    """Write it down in this process; of a SQLite file it has the lock.

    Nothing else is done to the database: it may be of an older program, which is backed up
    before this one changes it. But the journal sees the commit, as it would begin anew else.

    Raises:
        DatabaseUnavailable, SQLAlchemyError: it cannot be written to.

    """
    database = open_database(settings.database_url, slow_query_ms=SLOW_MS)
    protection = Protection(database, settings, clock.now_ns)
    protection.start()
    try:
        entry = entry_of(manifest, ACTOR, now())
        database.write_now(lambda connection: record(connection, [entry]))
    finally:
        protection.stop()
        database.close()
        protection.finish()
        _hand_over(settings)


def _hand_over(settings: Settings) -> None:
    """Let what the journal got be the service's own: root may work for its user."""
    file = settings.database_file
    if file is None or os.geteuid() != 0:
        return
    owner = file.stat()
    for chain in chains(Path(settings.journal_dir)):
        for path in (chain.folder, *chain.folder.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)
