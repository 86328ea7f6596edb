"""What is looked up about keeping an installation: backups and keys."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric

from kis.access.rules import StoredKey
from kis.ops.backup.latest import last_good
from kis.ops.backup.naming import Kind, kind_of
from kis.ops.disks import folders_of
from kis.ops.gauges import Sample, Source, disk_room, gauge
from kis.settings import Settings


def last_backup(folder: Path, kind: Kind) -> Source:
    """Return the source that tells when the last good backup was taken, and its size."""

    def look() -> Iterator[Metric]:
        manifest = last_good(folder, kind)
        taken_at = [] if manifest is None else [manifest.taken_at.timestamp()]
        size = [] if manifest is None else [manifest.packed.size]
        yield _plain(
            "kis_last_backup_timestamp_seconds", "When the last good backup was taken", taken_at
        )
        yield _plain("kis_last_backup_bytes", "Size of the last good backup", size)

    return look


def of_home(settings: Settings) -> tuple[Source, ...]:
    """Return the sources of what is on this machine's disks."""
    return (
        disk_room(folders_of(settings)),
        last_backup(settings.home / "backups", kind_of(settings.database_file)),
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
