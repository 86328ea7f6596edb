"""What tests of backups share."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kis.ops.backup import folder
from kis.ops.backup.manifest import Manifest, Packed
from kis.ops.backup.naming import Kind, backup_name
from tests.unit.ops.backup.test_manifest import MANIFEST

NOW = datetime(2026, 11, 22, 2, 0, 0, 123_000, tzinfo=UTC)


def quiet(*_: object) -> None:
    """Tell nobody."""


def publish(
    backups: Path, at: datetime, kind: Kind = "sqlite", content: bytes = b"content"
) -> Manifest:
    """Give a backup its name, as if it had been made `at` and checked."""
    packed = Packed(len(content), "aa", 100, "bb")
    manifest = msgspec.structs.replace(
        MANIFEST, kind=kind, file=backup_name(kind, at), taken_at=at, packed=packed
    )
    with folder.only_one(backups) as scratch:
        (scratch / "made").write_bytes(content)
        folder.publish(scratch / "made", manifest, backups)
    return manifest
