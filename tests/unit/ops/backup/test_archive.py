"""A backup that has its name is whole; one that is not sound leaves nothing."""

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from kis.errors import DomainError, ErrorCode
from kis.ops.backup import packing, sqlite_backup
from kis.ops.backup.archive import make_backup
from kis.ops.backup.folder import stored_backups
from kis.ops.backup.manifest import Packed
from kis.ops.backup.source import Source
from tests.unit.ops.backup.made import NOW, quiet
from tests.unit.ops.installed import change


def make(source: Source, **more: Any) -> Any:
    return make_backup(source, lambda: NOW, quiet, **more)


def visible(source: Source) -> list[str]:
    return sorted(path.name for path in source.folder.iterdir() if path.name[0] != ".")


def test_made(source: Source, tmp_path: Path) -> None:
    manifest = make(source).manifest
    assert manifest.taken_at == NOW
    assert (manifest.kind, manifest.contents.rows["Estimate"]) == ("sqlite", 3)
    assert manifest.contents.evidence.verified == 3
    latest = source.folder / "kis-backup-latest.db.gz"
    restored = tmp_path / "restored.db"
    restored.write_bytes(gzip.decompress(latest.read_bytes()))
    with closing(sqlite3.connect(restored)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM Estimate").fetchone() == (3,)
    (stored,) = stored_backups(source.folder, UTC)
    assert stored.manifest == manifest
    assert {path.name for path in source.folder.iterdir()} == {
        ".kis-backup.lock", "kis-backup-latest.db.gz", manifest.file, f"{manifest.file}.json"
    }  # fmt: skip


def test_two_in_one_second_have_two_names(source: Source) -> None:
    first, second = make(source).manifest, make(source).manifest
    assert first.file < second.file
    assert (source.folder / "kis-backup-latest.db.gz").readlink() == Path(second.file)


def test_logs(source: Source, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    assert make(source, log_folder=logs, with_logs=True).logs in visible(source)
    logs.rename(tmp_path / "away")
    with pytest.raises(DomainError, match="but the logs were not") as refused:
        make(source, log_folder=logs, with_logs=True)
    assert refused.value.main.code is ErrorCode.BACKUP_FAILED
    assert len(stored_backups(source.folder, UTC)) == 2


def test_no_database(source: Source, tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="there is no file"):
        make(source._replace(file=tmp_path / "none.db"))
    assert visible(source) == []


def broken_reference(source: Source, _: pytest.MonkeyPatch) -> None:
    change(source.url, 'DELETE FROM "Estimate"')


def forged_in_the_copy(source: Source, patch: pytest.MonkeyPatch) -> None:
    copy = packing.copy

    def forge(original: Path, target: Path, tell: packing.Tell) -> None:
        copy(original, target, tell)
        change(f"sqlite:///{target}", "UPDATE evidence SET signature = 'x'")

    patch.setattr(packing, "copy", forge)


def bit_rot(_: Source, patch: pytest.MonkeyPatch) -> None:
    pack = packing.pack

    def rot(original: Path, target: Path, tell: packing.Tell) -> Packed:
        packed = pack(original, target, tell)
        raw = bytearray(target.read_bytes())
        raw[len(raw) // 2] ^= 1
        target.write_bytes(raw)
        return packed

    patch.setattr(packing, "pack", rot)


@pytest.mark.parametrize("damage", [broken_reference, forged_in_the_copy, bit_rot])
def test_what_is_not_sound_never_gets_a_name(
    source: Source, monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Source, pytest.MonkeyPatch], None],
) -> None:  # fmt: skip
    make(source)
    before = visible(source)
    damage(source, monkeypatch)
    with pytest.raises(DomainError) as refused:
        make(source)
    assert refused.value.main.code is ErrorCode.BACKUP_FAILED
    assert visible(source) == before


def test_no_room(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_backup, "ROOM", 1e9)
    with pytest.raises(DomainError, match="MiB are free") as refused:
        make(source)
    assert refused.value.main.code is ErrorCode.DISK_FULL
    assert visible(source) == []
