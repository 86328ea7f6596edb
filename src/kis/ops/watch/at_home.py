"""Takes the figures of a home: the disk, the database, backups and the log.

They need no server that answers, and so no HTTP client: the service itself looks as well.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from kis.db.files import bytes_of
from kis.db.unavailable import DatabaseUnavailable
from kis.ops.backup.latest import last_good
from kis.ops.backup.naming import kind_of
from kis.ops.disks import folders_of
from kis.ops.watch import observations
from kis.ops.watch.log_rate import count_since
from kis.ops.watch.observations import Observation, not_seen
from kis.settings import Settings

HOUR = timedelta(hours=1)


def look_at_home(
    settings: Settings, now: Callable[[], datetime]
) -> tuple[Observation, Observation, Observation, Observation]:
    """Look at disk, database, backup and errors; raises nothing."""
    return (
        _or_not_seen("disk", str(settings.home), lambda: _disk(settings)),
        _or_not_seen("database", "DATABASE_URL", lambda: _database(settings)),
        _or_not_seen("backup", "backups", lambda: _backup(settings, now())),
        _or_not_seen("errors", str(settings.log_file), lambda: _errors(settings, now())),
    )


def _or_not_seen(check: str, what: str, take: Callable[[], Observation]) -> Observation:
    try:
        return take()
    except (OSError, ValueError, DatabaseUnavailable) as error:
        return not_seen(check, what, error)


def _disk(settings: Settings) -> Observation:
    """Judge the fullest of the disks that are written to."""
    used = {path: _used_percent(path) for path in folders_of(settings).values() if path.exists()}
    # The home where several are on one disk.
    worst = max(used, key=lambda path: (round(used[path], 1), path == settings.home))
    return observations.judge_disk(str(worst), used[worst], settings.alert_disk_percent)


def _used_percent(path: Path) -> float:
    """Return what df shows: what is kept for root counts neither as used nor as free."""
    usage = shutil.disk_usage(path)
    available = usage.used + usage.free
    return 100 * usage.used / available if available else 0.0


def _database(settings: Settings) -> Observation:
    file = settings.database_file
    size = _server_bytes(settings) if file is None else bytes_of(file)
    return observations.judge_size(size, settings.alert_database_mb)


def _server_bytes(settings: Settings) -> int:
    # Takes 10 MB and 200 ms, for a server only.
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from kis.db.engine import open_database  # noqa: PLC0415
    from kis.db.postgres import database_bytes  # noqa: PLC0415

    database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    try:
        size = database.read_now(database_bytes)
    except SQLAlchemyError as error:
        raise DatabaseUnavailable(str(getattr(error, "orig", error))) from error
    finally:
        database.close()
    return size


def _backup(settings: Settings, now: datetime) -> Observation:
    manifest = last_good(settings.home / "backups", kind_of(settings.database_file))
    age = None if manifest is None else now - manifest.taken_at
    return observations.judge_backup(age, settings.alert_backup_hours)


def _errors(settings: Settings, now: datetime) -> Observation:
    return observations.judge_errors(count_since(settings.log_file, now - HOUR))
