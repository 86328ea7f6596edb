"""A backup that has its name is whole; one that is not sound leaves nothing."""

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from kis.errors import DomainError, ErrorCode
from kis.ops.backup import packing, sqlite_backup
from kis.ops.backup.archive import make_backup
from kis.ops.backup.folder import stored_backups
from kis.ops.backup.manifest import Packed
from kis.ops.backup.naming import replaced_name
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


def set_aside(source: Source, days: float) -> Path:
    assert source.file is not None
    at = (NOW - timedelta(days=days)).astimezone()
    path = source.file.with_name(replaced_name("sqlite", at))
    path.write_bytes(b"")
    path.with_name(f"{path.name}-wal").write_bytes(b"")
    return path


def test_what_restores_set_aside_goes_when_it_is_old(source: Source) -> None:
    older, old, new = (set_aside(source, days) for days in (60, 31, 29))
    assert make(source).forgotten == [older.name, old.name]
    left = {path.name for path in new.parent.glob("kis-before-*")}
    assert left == {new.name, f"{new.name}-wal"}


def test_newest_of_them_stays(source: Source) -> None:
    old, newest = set_aside(source, 60), set_aside(source, 31)
    assert make(source).forgotten == [old.name]
    assert newest.exists()


def test_one_that_somebody_went_back_to_stays(source: Source) -> None:
    old, _ = set_aside(source, 60), set_aside(source, 0)
    assert source.file is not None
    source.file.replace(old)
    back = source._replace(url=f"sqlite:///{old}", file=old)
    assert make(back).forgotten == []
    assert old.exists()


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
