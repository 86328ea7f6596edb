"""Backups of PostgreSQL: dumped, restored into a database beside it, and swapped by name."""

import shutil
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from kis.db.locks import NUMBER
from kis.errors import DomainError, ErrorCode
from kis.ops.backup import postgres_restore, restoring
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.folder import stored_backups
from kis.ops.backup.naming import zone_of
from kis.ops.backup.restoring import Prepared, Restored, of_backup, prepare, swap, workplace
from kis.ops.backup.source import Source
from kis.ops.backup.verifying import verify
from tests.backends import new_database, own_programs
from tests.postgres import PostgresServer
from tests.unit.ops.backup.made import NOW, quiet
from tests.unit.ops.installed import ENTRY, OPENER, change, install

__all__ = ["own_programs"]
pytestmark = pytest.mark.usefixtures("own_programs")

ENTRIES = "SELECT count(*) FROM audit_entry WHERE action = ''"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> str:
    """The name of a database with three estimates, to be copied."""
    postgres.execute("CREATE DATABASE of_backups")
    install(tmp_path_factory.mktemp("home"), postgres.url("of_backups"))
    return "of_backups"


@pytest.fixture
def source(tmp_path: Path, template: str, postgres: PostgresServer, request: Any) -> Source:
    url = new_database("postgresql", tmp_path, request)
    name = make_url(url).database
    postgres.execute(f"DROP DATABASE {name}")
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    folder = tmp_path / "backups"
    folder.mkdir()
    return Source(url, None, folder, OPENER)


def databases(postgres: PostgresServer) -> set[str]:
    return {row[0] for row in postgres.execute("SELECT datname FROM pg_database")}


def back_up(source: Source) -> Path:
    return source.folder / make_backup(source, lambda: NOW, quiet).manifest.file


def drill(source: Source, path: Path) -> Prepared:
    with workplace(source) as place:
        return prepare(place, of_backup(path), Order(OPENER), lambda: NOW, quiet)


def restore(source: Source, path: Path, at: datetime = NOW) -> Restored:
    restoring.require_alone(source)
    with workplace(source) as place:
        return swap(prepare(place, of_backup(path), Order(OPENER), lambda: at, quiet), lambda: at)


def rows(url: str, statement: str) -> list[Any]:
    with closing(psycopg.connect(url)) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_backup(source: Source) -> None:
    backup = back_up(source)
    (stored,) = stored_backups(source.folder, zone_of(NOW))
    assert (stored.path, stored.kind, stored.is_latest) == (backup, "postgresql", True)
    assert stored.manifest is not None
    contents = stored.manifest.contents
    assert contents.rows["Estimate"] == 3
    assert contents.evidence is not None
    assert (contents.evidence.verified, contents.evidence.invalid) == (3, 0)
    assert backup.name.endswith(".dump")
    (found,) = verify(source, [backup], Order(OPENER), quiet)
    assert found.trouble is None
    assert found.contents == contents


def test_what_was_backed_up_is_there_and_the_old_one_is_kept(
    source: Source, postgres: PostgresServer
) -> None:
    backup = back_up(source)
    change(source.url, ENTRY)
    before = databases(postgres)
    restored = restore(source, backup)
    assert restored.kept is not None
    assert databases(postgres) == before | {restored.kept}
    assert rows(source.url, ENTRIES) == [(0,)]
    kept_url = make_url(source.url).set(database=restored.kept)
    assert rows(kept_url.render_as_string(hide_password=False), ENTRIES) == [(1,)]
    losses = restored.prepared.losses
    assert losses is not None
    assert [(t.table, t.before - t.after) for t in losses.tables] == [("audit_entry", 1)]
    told = "SELECT subject FROM audit_entry WHERE action = 'database.restore'"
    assert rows(source.url, told) == [(backup.name,)]


def test_drill_leaves_nothing_behind_beside_a_server(
    source: Source, postgres: PostgresServer
) -> None:
    backup = back_up(source)
    change(source.url, ENTRY)
    before = databases(postgres)
    with closing(psycopg.connect(source.url)):
        losses = drill(source, backup).losses
    assert losses is not None
    assert [table.table for table in losses.tables] == ["audit_entry"]
    assert databases(postgres) == before


def test_refused_while_somebody_is_connected(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(source)
    monkeypatch.setattr(postgres_restore, "GONE_WITHIN_S", 0.0)
    with closing(psycopg.connect(source.url)):
        with pytest.raises(DomainError, match="1 sessions"):
            restore(source, backup)
        # And when it came after that was asked.
        monkeypatch.setattr(restoring, "require_alone", lambda _: None)
        with pytest.raises(DomainError, match="is connected to the database"):
            restore(source, backup)
    assert rows(source.url, 'SELECT count(*) FROM "Estimate"') == [(3,)]


def test_where_there_is_none(source: Source, postgres: PostgresServer) -> None:
    backup = back_up(source)
    postgres.execute(f"DROP DATABASE {make_url(source.url).database}")
    restored = restore(source, backup)
    assert (restored.kept, restored.prepared.losses) == (None, None)
    assert rows(source.url, 'SELECT count(*) FROM "Estimate"') == [(3,)]


def test_what_a_killed_restore_left_is_removed(source: Source, postgres: PostgresServer) -> None:
    backup = back_up(source)
    postgres.execute(f"CREATE DATABASE {make_url(source.url).database}_kis_restore_tmp")
    drill(source, backup)
    assert not [name for name in databases(postgres) if name.endswith("_kis_restore_tmp")]


def test_what_a_killed_restore_asked_for_is_waited_for(
    source: Source, postgres: PostgresServer
) -> None:
    """The server finishes a statement, though nobody waits for it any more."""
    backup = back_up(source)
    beside = f"{make_url(source.url).database}_kis_restore_tmp"
    with closing(psycopg.connect(postgres.url("postgres"), autocommit=True)) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [NUMBER, beside])

        def end() -> None:
            other.execute(f"CREATE DATABASE {beside}".encode())
            other.close()

        ending = threading.Timer(0.5, end)
        ending.start()
        assert drill(source, backup).contents.rows["Estimate"] == 3
        ending.join()


def test_two_from_two_folders_of_backups(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on two machines, which no lock of a folder keeps apart."""
    backup = back_up(source)
    monkeypatch.setattr(postgres_restore, "FREE_WITHIN_S", 0.1)
    (tmp_path / "elsewhere").mkdir()
    with workplace(source._replace(folder=tmp_path / "elsewhere")):
        with pytest.raises(DomainError) as refused:
            drill(source, backup)
        assert refused.value.main.code is ErrorCode.BACKUP_RUNNING


def test_what_restores_set_aside_goes_when_it_is_old(
    source: Source, postgres: PostgresServer
) -> None:
    backup = back_up(source)
    restored = [restore(source, backup, NOW - timedelta(days=days)) for days in (60, 50, 40)]
    older, in_use, newest = [str(each.kept) for each in restored]
    of_others = f"kis_before_restore_{NOW.astimezone() - timedelta(days=90):%Y%m%d_%H%M%S}"
    postgres.execute(f"CREATE DATABASE {of_others}")
    with closing(psycopg.connect(postgres.url(in_use))):
        assert make_backup(source, lambda: NOW, quiet).forgotten == [older]
    assert databases(postgres) >= {in_use, newest, of_others}
    assert make_backup(source, lambda: NOW, quiet).forgotten == [in_use]
    assert databases(postgres) >= {newest, of_others}


def test_damaged_dump(source: Source) -> None:
    backup = back_up(source)
    raw = bytearray(backup.read_bytes())
    raw[len(raw) // 2] ^= 1
    backup.write_bytes(raw)
    with pytest.raises(DomainError, match="SHA-256"):
        drill(source, backup)
    backup.with_name(f"{backup.name}.json").unlink()
    backup.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DomainError, match="pg_restore"):
        drill(source, backup)


def test_role_that_may_create_no_database(source: Source, postgres: PostgresServer) -> None:
    backup = back_up(source)
    postgres.execute("DROP ROLE IF EXISTS restricted")
    postgres.execute("CREATE ROLE restricted LOGIN PASSWORD 'restricted'")
    url = make_url(source.url).set(username="restricted", password="restricted")
    of = source._replace(url=url.render_as_string(hide_password=False))
    with pytest.raises(DomainError, match="CREATEDB"):
        drill(of, backup)


def test_backup_of_the_other_kind(source: Source, installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "kis.db"
    shutil.copyfile(installed, file)
    of_file = Source(f"sqlite:///{file}", file, source.folder, OPENER)
    theirs, ours = back_up(of_file), back_up(source)
    for of, path in ((source, theirs), (of_file, ours)):
        with pytest.raises(DomainError, match="other kind"):
            drill(of, path)
    # The one of a file can be looked into anywhere, the other where there is a server.
    assert [found.trouble is None for found in verify(source, [theirs, ours], Order(OPENER), quiet)]
    there, not_there = verify(of_file, [theirs, ours], Order(OPENER), quiet)
    assert there.trouble is None
    assert not_there.trouble is not None
