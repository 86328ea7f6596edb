"""A restore puts back what was backed up, keeps what was there, and says what is lost."""

import gzip
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kis.db.migrate import REVISION_TABLE
from kis.errors import DomainError, ErrorCode
from kis.ops.backup import losing, restoring, sqlite_restore
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.restoring import (
    OTHER_INSTALLATION,
    UNREADABLE,
    Restored,
    Supplied,
    Supply,
    of_backup,
    prepare,
    swap,
    workplace,
)
from kis.ops.backup.source import Place, Source
from kis.ops.backup.trouble import Unsound
from kis.ops.keys.carrying import Carried
from tests.unit.ops.backup.made import NOW, quiet
from tests.unit.ops.installed import ENTRY, OPENER, change

LOSE_TWO = "INSERT INTO Estimate SELECT id || :mark, {} FROM Estimate LIMIT 2"
KEYS = "SELECT * FROM api_key UNION SELECT *, 0, 0, 0 FROM evidence_key ORDER BY id"
CHANGED_KEYS = """
    UPDATE api_key SET revoked_at = '2026-11-22 00:00:00.000000' WHERE scope = 'api';
    INSERT INTO api_key SELECT 'api-bcdfghjk', scope, 'api-bcdfghjk', '', created_at, NULL, NULL,
        NULL, x'00' FROM api_key WHERE scope = 'api';
    UPDATE evidence_key SET compromised_since = created_at, retired_at = created_at;
    INSERT INTO evidence_key SELECT 'evk-new', master_id, created_at, NULL, NULL, x'00'
        FROM evidence_key;
"""
OTHER_ONE = "UPDATE knowledge_activation SET at = '2020-01-01 00:00:00.000000'"
NO_MOMENT = "UPDATE api_key SET created_at = 'yesterday'"


def back_up(source: Source) -> Path:
    return source.folder / make_backup(source, lambda: NOW, quiet).manifest.file


def restore(source: Source, supply: Supply) -> Restored:
    with workplace(source) as place:
        return swap(prepare(place, supply, Order(OPENER), lambda: NOW, quiet), lambda: NOW)


def file_of(source: Source) -> Path:
    assert source.file is not None
    return source.file


def rows(file: Path | str, statement: str = "SELECT id FROM Estimate ORDER BY id") -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(statement).fetchall()


def run_script(source: Source, script: str) -> None:
    with closing(sqlite3.connect(file_of(source))) as connection:
        connection.executescript(script)


def lose_two(source: Source) -> None:
    with closing(sqlite3.connect(file_of(source))) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(Estimate)")][1:]
        connection.execute(LOSE_TWO.format(", ".join(f'"{name}"' for name in names)), ("x",))
        connection.commit()


def left_beside(source: Source) -> list[str]:
    return sorted(p.name for p in file_of(source).parent.glob("*kis*") if p.is_file())


def test_what_was_backed_up_is_there_and_the_old_one_is_kept(source: Source) -> None:
    before = rows(file_of(source))
    backup = back_up(source)
    lose_two(source)
    restored = restore(source, of_backup(backup))
    assert rows(file_of(source)) == before
    assert restored.kept is not None
    assert len(rows(restored.kept)) == 5
    losses = restored.prepared.losses
    assert losses is not None
    assert (losses.estimates, [lost.id[-1] for lost in losses.newest]) == (2, ["x", "x"])
    assert losses.active_before == losses.active_after
    assert {t.table: (t.before, t.after) for t in losses.tables} == {"Estimate": (5, 3)}
    audited = "SELECT actor, subject, digest FROM audit_entry WHERE action = 'database.restore'"
    digest = hashlib.sha256(backup.read_bytes()).hexdigest()
    assert rows(file_of(source), audited) == [("cli", backup.name, digest)]
    assert left_beside(source) == sorted(["kis.db", Path(restored.kept).name])


def test_nothing_is_lost(source: Source) -> None:
    prepared = restore(source, of_backup(back_up(source))).prepared
    assert prepared.losses is not None
    assert (prepared.losses.estimates, prepared.losses.tables) == (0, [])
    assert prepared.keys == Carried([], [])


def test_keys_are_as_they_were_before_it(source: Source) -> None:
    backup = back_up(source)
    run_script(source, CHANGED_KEYS)
    before = rows(file_of(source), KEYS)
    restored = restore(source, of_backup(backup))
    assert rows(file_of(source), KEYS) == before
    keys = restored.prepared.keys
    assert keys.made == ["api-bcdfghjk", "evk-new"]
    assert [key_id.partition("-")[0] for key_id in keys.ended] == ["api", "evk"]
    audited = "SELECT subject, reason FROM audit_entry WHERE action LIKE '%.carry_over'"
    assert len(rows(file_of(source), audited)) == 4
    # And back: the one that was set aside has nothing that this one does not know.
    assert restored.kept is not None
    assert restore(source, of_backup(Path(restored.kept))).prepared.keys == Carried([], [])
    assert rows(file_of(source), KEYS) == before


def test_keys_that_change_while_somebody_thinks_it_over(source: Source) -> None:
    supply = of_backup(back_up(source))
    with workplace(source) as place:
        prepared = prepare(place, supply, Order(OPENER), lambda: NOW, quiet)
        run_script(source, CHANGED_KEYS)
        before = rows(file_of(source), KEYS)
        swap(prepared, lambda: NOW)
    assert rows(file_of(source), KEYS) == before


@pytest.mark.parametrize("harm", [OTHER_ONE, NO_MOMENT])
def test_keys_that_cannot_be_carried_over(source: Source, harm: str) -> None:
    """Those of another installation may be under another master key: no server would start."""
    backup = back_up(source)
    before = rows(file_of(source), KEYS)
    run_script(source, CHANGED_KEYS + harm)
    keys = restore(source, of_backup(backup)).prepared.keys
    assert keys.trouble == (OTHER_INSTALLATION if harm is OTHER_ONE else UNREADABLE)
    assert rows(file_of(source), KEYS) == before


def test_what_is_in_the_log_of_the_old_one_is_kept(source: Source) -> None:
    """Killed, it left its last commits in its log."""
    backup = back_up(source)
    log = file_of(source).with_name("kis.db-wal")
    with closing(sqlite3.connect(file_of(source))) as connection:
        connection.execute(ENTRY)
        connection.commit()
        left = log.read_bytes(), file_of(source).read_bytes()
    file_of(source).write_bytes(left[1])
    log.write_bytes(left[0])
    kept = restore(source, of_backup(backup)).kept
    assert kept is not None
    entry = "SELECT count(*) FROM audit_entry WHERE action = ''"
    assert rows(kept, entry) == [(1,)]
    assert rows(file_of(source), entry) == [(0,)]


def test_where_there_is_none(source: Source) -> None:
    backup = back_up(source)
    file_of(source).unlink()
    restored = restore(source, of_backup(backup))
    assert (restored.kept, restored.prepared.losses) == (None, None)
    assert restored.prepared.keys.trouble == UNREADABLE
    assert len(rows(file_of(source))) == 3


def test_a_damaged_one_is_kept_with_its_log(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(source)
    # SQLite itself removes a log that says nothing, where it comes to look into it.
    monkeypatch.setattr(sqlite_restore, "_fold", lambda _: False)
    monkeypatch.setattr(restoring, "read_present", lambda *_: None)
    monkeypatch.setattr(losing, "read_present", lambda *_: None)
    for name in ("kis.db", "kis.db-wal"):
        file_of(source).with_name(name).write_bytes(b"damaged" * 1_000)
    restored = restore(source, of_backup(backup))
    assert restored.prepared.losses is None
    assert restored.kept is not None
    for name in (restored.kept, f"{restored.kept}-wal"):
        assert Path(name).read_bytes() == b"damaged" * 1_000
    assert len(rows(file_of(source))) == 3
    assert not file_of(source).with_name("kis.db-wal").exists()


def test_one_that_cannot_be_read_is_kept(source: Source) -> None:
    backup = back_up(source)
    file_of(source).write_bytes(b"damaged" * 1_000)
    restored = restore(source, of_backup(backup))
    assert restored.prepared.losses is None
    assert restored.kept is not None
    assert Path(restored.kept).read_bytes() == b"damaged" * 1_000
    assert len(rows(file_of(source))) == 3


def test_through_a_link(source: Source, tmp_path: Path) -> None:
    backup = back_up(source)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file_of(source).rename(elsewhere / "kis.db")
    file_of(source).symlink_to(elsewhere / "kis.db")
    restored = restore(source, of_backup(backup))
    assert file_of(source).is_symlink()
    assert restored.kept is not None
    assert Path(restored.kept).parent == elsewhere


def test_plain_file_of_somebody_else(source: Source, tmp_path: Path) -> None:
    """As `gunzip` leaves it, and without a manifest."""
    plain = tmp_path / "plain.db"
    plain.write_bytes(gzip.decompress(back_up(source).read_bytes()))
    lose_two(source)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    supplied = restore(source, of_backup(plain)).prepared.supplied
    assert supplied == Supplied("plain.db", None, None, digest)
    assert len(rows(file_of(source))) == 3


def cut_off(backup: Path) -> Supply:
    backup.write_bytes(backup.read_bytes()[:-1])
    return of_backup(backup)


def of_a_newer_program(backup: Path) -> Supply:
    def supply(place: Place, tell: Any) -> Supplied:
        of_backup(backup)(place, tell)
        change(place.url, f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
        return Supplied("newer", None, None)

    return supply


def rebuilt_otherwise(backup: Path) -> Supply:
    def supply(place: Place, tell: Any) -> Supplied:
        supplied = of_backup(backup)(place, tell)
        change(place.url, ENTRY)
        return supplied

    return supply


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut_off, "not of the size"),
        (of_a_newer_program, "newer KIS"),
        (rebuilt_otherwise, "as many as its manifest"),
        (lambda _: of_backup(Path(__file__)), "not a backup"),
    ],
)
def test_refused_before_anything_changes(source: Source, harm: Any, words: str) -> None:
    supply = harm(back_up(source))
    lose_two(source)
    with pytest.raises(DomainError, match=words) as refused:
        restore(source, supply)
    assert refused.value.main.code is ErrorCode.BACKUP_FAILED
    assert len(rows(file_of(source))) == 5
    assert left_beside(source) == ["kis.db"]
    assert not (file_of(source).parent / sqlite_restore.SCRATCH).exists()


def test_refused_while_another_program_has_it_open(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_restore, "BUSY_TIMEOUT_S", 0.1)
    backup = back_up(source)
    with closing(sqlite3.connect(file_of(source))) as other:
        other.execute("SELECT count(*) FROM Estimate").fetchone()
        with pytest.raises(DomainError, match=r"has kis\.db open"):
            restore(source, of_backup(backup))
    assert len(rows(file_of(source))) == 3
    assert not list(file_of(source).parent.glob("kis-before-restore-*"))


def test_no_room(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = back_up(source)
    monkeypatch.setattr(restoring, "ROOM", 1e9)
    with pytest.raises(DomainError) as refused:
        restore(source, of_backup(backup))
    assert refused.value.main.code is ErrorCode.DISK_FULL


def test_second_name_that_a_killed_restore_gave_is_taken_back(source: Source) -> None:
    backup = back_up(source)
    other = file_of(source).with_name("kis-before-restore-20260101_000000.db")
    other.hardlink_to(file_of(source))
    with workplace(source) as place:
        assert not other.exists()
        with pytest.raises(Unsound, match="not closed"):
            _leave_open(place, backup)
    assert left_beside(source) == ["kis.db"]


def _leave_open(place: Place, backup: Path) -> None:
    prepared = prepare(place, of_backup(backup), Order(OPENER), lambda: NOW, quiet)
    place.file.with_name("kis.db-wal").write_bytes(b"open")
    sqlite_restore.swap(prepared.place, NOW)
