"""What is looked up about keeping an installation: backups and keys."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from prometheus_client import Metric

from kis.access.rules import StoredKey
from kis.ops.gauges import Sample, Source, disk_room, gauge
from kis.settings import Settings

LATEST = "kis-backup-latest"
SUFFIXES = (".db.gz", ".dump")
"""Of SQLite, of PostgreSQL."""


class _Packed(msgspec.Struct, rename="camel"):
    size: int


class _Manifest(msgspec.Struct, rename="camel"):
    """What is read of the manifest beside a backup."""

    taken_at: datetime
    packed: _Packed


class LastBackup:
    """When the last backup was taken that was found good, and its size.

    A manifest is read when the link leads to another one, and kept.
    """

    def __init__(self, folder: Path, *, is_server: bool) -> None:
        """Look in `folder` for backups of a file, or of a server."""
        self._folder = folder
        self._link = folder / f"{LATEST}{SUFFIXES[is_server]}"
        self._known: tuple[str, _Manifest | None] = ("", None)

    def __call__(self) -> Iterator[Metric]:
        """Return when and how large; neither where there is none, or its manifest is damaged."""
        manifest = self._manifest()
        taken_at = [] if manifest is None else [manifest.taken_at.timestamp()]
        size = [] if manifest is None else [manifest.packed.size]
        yield _plain(
            "kis_last_backup_timestamp_seconds", "When the last good backup was taken", taken_at
        )
        yield _plain("kis_last_backup_bytes", "Size of the last good backup", size)

    def _manifest(self) -> _Manifest | None:
        try:
            name = self._link.readlink().name
            if not (self._folder / name).exists():
                return None
            if name != self._known[0]:
                raw = (self._folder / f"{name}.json").read_bytes()
                self._known = name, msgspec.json.decode(raw, type=_Manifest)
        except (OSError, msgspec.DecodeError):
            return None
        return self._known[1]


def of_home(settings: Settings) -> tuple[Source, ...]:
    """Return the sources of what is on this machine's disks."""
    backups = settings.home / "backups"
    folders = {"home": settings.home, "backups": backups, "logs": settings.log_file.parent}
    if settings.database_file is not None:
        folders["database"] = settings.database_file.resolve().parent
    return (
        disk_room(folders),
        LastBackup(backups, is_server=settings.database_file is None),
    )


def key_expiry(ending: Callable[[], Iterable[StoredKey]]) -> Source:
    """Return the source that tells when keys end; `ending` gives those that will."""

    def look() -> Iterator[Metric]:
        samples: list[Sample] = [
            ({"key_id": key.key_id, "scope": key.scope}, key.expires_at.timestamp())
            for key in ending()
            if key.expires_at is not None
        ]
        yield gauge("kis_key_expiry_timestamp_seconds", "When a key ends", samples)

    return look


def _plain(name: str, about: str, values: Iterable[float]) -> Metric:
    return gauge(name, about, [({}, float(value)) for value in values])
