"""What is known of the last good backup. Who only looks at it imports no database for that."""

from pathlib import Path

from kis.ops.backup.manifest import Manifest, decode
from kis.ops.backup.naming import MANIFEST_SUFFIX, Kind, latest_name


def name_of_latest(folder: Path, kind: Kind) -> str:
    """Return the name of the backup that `latest` leads to; empty where there is none."""
    try:
        return (folder / latest_name(kind)).readlink().name
    except OSError:
        return ""


def manifest_of(path: Path) -> Manifest | None:
    """Return the manifest beside a backup; None where there is none that fits."""
    try:
        manifest = decode(path.with_name(path.name + MANIFEST_SUFFIX).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if manifest.file == path.name else None


def last_good(folder: Path, kind: Kind) -> Manifest | None:
    """Return what is known of the backup that `latest` leads to; None where there is none."""
    name = name_of_latest(folder, kind)
    path = folder / name
    return manifest_of(path) if name and path.is_file() else None
