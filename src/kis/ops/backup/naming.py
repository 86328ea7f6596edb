"""What backups are called, as the runbook calls them. Pure.

Names hold the local time of the machine, as the runbook's `date` does; the moment in UTC
is in the manifest.
"""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["sqlite", "postgresql"]

SUFFIXES: dict[Kind, str] = {"sqlite": ".db.gz", "postgresql": ".dump"}
MANIFEST_SUFFIX = ".json"
LATEST = "latest"
STAMP = "%Y%m%d_%H%M%S"

_BACKUP = re.compile(r"kis-backup-(\d{8}_\d{6})(\.db\.gz|\.dump)", re.ASCII)
_REPLACED = re.compile(r"kis[-_]before[-_]restore[-_](\d{8}_\d{6})(?:\.db)?", re.ASCII)
_LOGS = re.compile(r"logs-backup-(\d{8}_\d{6})\.tar\.gz", re.ASCII)


class Named(NamedTuple):
    """What a file's name says."""

    kind: Kind
    at: datetime


def kind_of(file: Path | None) -> Kind:
    """Return the kind of database: that of a SQLite file, or of none."""
    return "postgresql" if file is None else "sqlite"


def backup_name(kind: Kind, local: datetime) -> str:
    """Return the name of a backup that was begun at `local`."""
    return f"kis-backup-{local.strftime(STAMP)}{SUFFIXES[kind]}"


def latest_name(kind: Kind) -> str:
    """Return the name of the link to the last good backup."""
    return f"kis-backup-{LATEST}{SUFFIXES[kind]}"


def logs_name(local: datetime) -> str:
    """Return the name of a backup of the logs."""
    return f"logs-backup-{local.strftime(STAMP)}.tar.gz"


def replaced_name(kind: Kind, local: datetime | Literal["*"]) -> str:
    """Return what a database is kept as that a restore replaced, a file or a database.

    For `*` the pattern of such names.
    """
    stamp = local if isinstance(local, str) else local.strftime(STAMP)
    if kind == "sqlite":
        return f"kis-before-restore-{stamp}.db"
    return f"kis_before_restore_{stamp}"


def read_backup_name(name: str, zone: timezone) -> Named | None:
    """Return what the name of a backup says; None when it is no such name. `zone` is local."""
    found = _BACKUP.fullmatch(name)
    at = _moment(found[1], zone) if found else None
    if found is None or at is None:
        return None
    return Named(next(kind for kind, suffix in SUFFIXES.items() if suffix == found[2]), at)


def read_logs_name(name: str, zone: timezone) -> datetime | None:
    """Return when a backup of the logs was begun; None when it is no such name."""
    found = _LOGS.fullmatch(name)
    return _moment(found[1], zone) if found else None


def read_replaced_name(name: str, zone: timezone) -> datetime | None:
    """Return when a database was set aside; None when it is no such name."""
    found = _REPLACED.fullmatch(name)
    return _moment(found[1], zone) if found else None


def free_moment(local: datetime, taken: set[str], kind: Kind) -> datetime:
    """Return `local`, or the next second whose name is not `taken` yet."""
    while backup_name(kind, local) in taken:
        local += timedelta(seconds=1)
    return local


def zone_of(local: datetime) -> timezone:
    """Return the zone that an aware local time is in."""
    offset = local.utcoffset()
    assert offset is not None  # noqa: S101 - for the type checker
    return timezone(offset)


def _moment(stamp: str, zone: timezone) -> datetime | None:
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=zone)
    except ValueError:
        return None
