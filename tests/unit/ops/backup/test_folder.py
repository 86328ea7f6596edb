"""The folder of backups: who works in it, what is in it, what leaves it."""

import os
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.errors import DomainError, ErrorCode
from kis.ops.backup import folder
from kis.ops.backup.manifest import Manifest, encode
from tests.unit.ops.backup import made
from tests.unit.ops.backup.test_manifest import MANIFEST

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def publish(backups: Path, days_old: float, content: bytes = b"content") -> Manifest:
    return made.publish(backups, NOW - timedelta(days=days_old), content=content)


def names(backups: Path) -> list[str]:
    return sorted(path.name for path in backups.iterdir() if path.name != folder.LOCK)


def test_published(tmp_path: Path) -> None:
    first, second = publish(tmp_path, 1), publish(tmp_path, 0)
    found = folder.stored_backups(tmp_path, UTC)
    assert [each.manifest for each in found] == [second, first]
    assert [each.is_latest for each in found] == [True, False]
    assert (tmp_path / "kis-backup-latest.db.gz").readlink() == Path(second.file)
    assert (tmp_path / second.file).stat().st_mode & 0o777 == 0o640
    answer = folder.answer_of(found[0])
    assert (answer.file, answer.taken_at) == (second.file, "2026-11-22T02:00:00.000Z")


def test_backups_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "kis-backup-20261121_020000.db.gz").write_bytes(b"by cp")
    (tmp_path / "kis-backup-20261120_020000.db.gz.json").write_bytes(encode(MANIFEST))
    (tmp_path / "notes.txt").touch()
    (found,) = folder.stored_backups(tmp_path, UTC)
    assert (found.manifest, found.is_latest) == (None, False)
    assert found.at == NOW - timedelta(days=1)


@pytest.mark.parametrize("raw", [b"{}", encode(MANIFEST)])
def test_manifest_that_is_not_its_own(tmp_path: Path, raw: bytes) -> None:
    made = publish(tmp_path, 0)
    (tmp_path / f"{made.file}.json").write_bytes(raw)
    assert folder.stored_backups(tmp_path, UTC)[0].manifest is None


def test_old_ones_go_with_their_manifests(tmp_path: Path) -> None:
    old, older, new = publish(tmp_path, 31), publish(tmp_path, 50), publish(tmp_path, 0)
    orphan = tmp_path / "kis-backup-20261122_015959.db.gz.json"
    orphan.write_bytes(encode(MANIFEST))
    for name in ("logs-backup-20260801_030000.tar.gz", "logs-backup-20261101_030000.tar.gz"):
        (tmp_path / name).touch()
    (tmp_path / "kis-before-restore-20200101_000000.db").touch()
    gone = folder.forget_old(tmp_path, NOW, UTC)
    assert gone == [older.file, old.file, "logs-backup-20260801_030000.tar.gz"]
    assert names(tmp_path) == [
        new.file, f"{new.file}.json", "kis-backup-latest.db.gz",
        "kis-before-restore-20200101_000000.db", "logs-backup-20261101_030000.tar.gz",
    ]  # fmt: skip


def test_last_good_one_stays(tmp_path: Path) -> None:
    good = publish(tmp_path, 90)
    broken = publish(tmp_path, 1)
    (tmp_path / broken.file).write_bytes(b"cut")
    assert folder.forget_old(tmp_path, NOW, UTC) == []
    assert folder.forget_old(tmp_path, NOW + timedelta(days=90), UTC) == [broken.file]
    assert (tmp_path / good.file).exists()


def test_one_at_a_time(tmp_path: Path) -> None:
    with folder.only_one(tmp_path) as scratch:
        (scratch / "half").touch()
        with pytest.raises(DomainError) as refused, folder.only_one(tmp_path, wait_s=0.2):
            pass
        assert refused.value.main.code is ErrorCode.BACKUP_RUNNING
        assert (scratch / "half").exists()
    assert names(tmp_path) == []


def test_who_waits_says_so_and_gets_it(tmp_path: Path) -> None:
    told = []
    with ExitStack() as first:
        first.enter_context(folder.only_one(tmp_path))

        def tell(what: str, done: int, total: int) -> None:
            told.append((what, done, total))
            first.close()

        with folder.only_one(tmp_path, wait_s=60, tell=tell) as scratch:
            assert list(scratch.iterdir()) == []
    assert told == [(folder.WAITING, 0, 60)]


def test_what_a_killed_one_left_is_removed(tmp_path: Path) -> None:
    if not os.fork():
        with folder.only_one(tmp_path) as scratch:
            (scratch / "half").touch()
            os._exit(1)
    os.wait()
    assert names(tmp_path) == [folder.SCRATCH]
    with folder.only_one(tmp_path) as scratch:
        assert list(scratch.iterdir()) == []
    assert names(tmp_path) == []
