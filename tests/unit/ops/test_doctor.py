"""What the doctor finds on real homes, sound and damaged."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from kis.access.keys import Scope, key_id_for
from kis.access.tokens import make_token
from kis.db.migrate import REVISION_TABLE
from kis.ops.doctor import Checkup, examine
from kis.services import open_services
from kis.settings import Settings, env_file_of
from tests.services import ADMIN_API_KEY, API_KEY, settings_in

SECRETS_IN_FILE = {"API_KEY": "", "ADMIN_API_KEY": "", "EVIDENCE_SECRET": ""}


def used(home: Path, **environ: str) -> Settings:
    """Return settings of a home whose database was opened once, and closed."""
    settings = settings_in(home, **environ)
    open_services(settings).database.close()
    return settings


def finding(settings: Settings, what: str, *, owns_database: bool = True) -> Checkup:
    found = examine(settings, owns_database=owns_database)
    assert all(checkup.ko and checkup.en for checkup in found)
    (checkup,) = (checkup for checkup in found if checkup.what == what)
    return checkup


def run_sql(settings: Settings, sql: str) -> None:
    with closing(sqlite3.connect(settings.home / "data" / "kis.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(sql)
        connection.commit()


def test_sound_home(tmp_path: Path) -> None:
    found = examine(used(tmp_path), owns_database=True)
    assert [c.what for c in found] == [
        "program",
        "secrets",
        "keys",
        "disk",
        "database",
        "storedKeys",
    ]
    assert all(checkup.is_good for checkup in found if checkup.what != "disk")


# --- secrets -----------------------------------------------------------------------------


def test_secrets_that_the_group_of_the_service_can_read(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, **SECRETS_IN_FILE)
    env_file_of(tmp_path).chmod(0o640)
    checkup = finding(settings, "secrets")
    assert checkup.is_good
    assert "640" in checkup.en
    assert "group" in checkup.en


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o606])
def test_secrets_that_others_can_read(tmp_path: Path, mode: int) -> None:
    settings = settings_in(tmp_path, **SECRETS_IN_FILE)
    assert finding(settings, "secrets").is_good
    env_file_of(tmp_path).chmod(mode)
    checkup = finding(settings, "secrets")
    assert not checkup.is_good
    assert f"{mode:o}" in checkup.en
    assert env_file_of(tmp_path).stat().st_mode & 0o777 == mode


def test_secrets_from_the_environment_need_no_file(tmp_path: Path) -> None:
    assert not env_file_of(tmp_path).exists()
    assert finding(settings_in(tmp_path), "secrets").is_good


@pytest.mark.parametrize(("name", "scope"), [("API_KEY", "admin"), ("ADMIN_API_KEY", "api")])
def test_token_of_the_other_scope(tmp_path: Path, name: str, scope: str) -> None:
    token = make_token(f"{scope}-bcdfghjk", bytes(32))
    checkup = finding(settings_in(tmp_path, **{name: token}), "keys")
    assert not checkup.is_good
    assert name in checkup.ko
    assert token not in checkup.ko + checkup.en


def test_equal_keys_lock_the_administration(tmp_path: Path) -> None:
    checkup = finding(settings_in(tmp_path, ADMIN_API_KEY=API_KEY), "keys")
    assert not checkup.is_good
    assert "ADMIN_API_KEY" in checkup.ko
    assert "locked" in checkup.en
    assert API_KEY not in checkup.ko + checkup.en


# --- disk --------------------------------------------------------------------------------


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "is_good"), [(15, True), (14, False)])
def test_disk_that_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_good: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 100 - free, free))
    assert finding(settings_in(tmp_path), "disk").is_good is is_good


def test_disk_of_the_journal_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "other-disk"
    journal.mkdir()
    settings = settings_in(tmp_path / "home", JOURNAL_DIR=str(journal))
    full = Usage(100, 99, 1)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: full if path == journal else Usage(100, 50, 50)
    )
    found = finding(settings, "disk")
    assert not found.is_good
    assert str(journal) in found.ko


# --- database ----------------------------------------------------------------------------


def test_home_that_never_started_is_sound_and_stays_as_it_is(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert finding(settings, "database").is_good
    assert list((tmp_path / "data").iterdir()) == []


def test_database_in_use_is_the_servers_to_check(tmp_path: Path) -> None:
    assert finding(used(tmp_path), "database", owns_database=False).is_good


def test_what_the_server_says_of_its_database_is_told(tmp_path: Path) -> None:
    found = examine(used(tmp_path), owns_database=False, complaints=["옮겨짐 / moved"])
    (checkup,) = (checkup for checkup in found if checkup.what == "database")
    assert not checkup.is_good
    assert "moved" in checkup.en


def test_file_that_is_no_database(tmp_path: Path) -> None:
    settings = used(tmp_path)
    (tmp_path / "data" / "kis.db").write_bytes(b"not a database" * 1_000)
    checkup = finding(settings, "database")
    assert not checkup.is_good
    assert "not a database" in checkup.en


def test_pages_that_were_overwritten(tmp_path: Path) -> None:
    """As after `cp` over a live file, or a failing disk."""
    settings = used(tmp_path)
    path = tmp_path / "data" / "kis.db"
    raw = bytearray(path.read_bytes())
    raw[4096 * 2 : 4096 * 8] = b"\xa5" * 4096 * 6
    path.write_bytes(raw)
    checkup = finding(settings, "database")
    assert not checkup.is_good
    assert "\n" not in checkup.en


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE knowledge_document SET content = x'00'",
        "UPDATE knowledge_document SET digest = 'x' || digest",
        "DELETE FROM knowledge_document",
        "UPDATE knowledge_version SET rules_digest = enclosures_digest",
        "DELETE FROM knowledge_version",
    ],
    ids=["no zlib", "renamed", "gone", "exchanged", "no version"],
)
def test_knowledge_that_was_changed(tmp_path: Path, sql: str) -> None:
    settings = used(tmp_path)
    run_sql(settings, sql)
    assert not finding(settings, "database").is_good


def test_schema_of_another_program(tmp_path: Path) -> None:
    settings = used(tmp_path)
    run_sql(settings, f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    checkup = finding(settings, "database")
    assert not checkup.is_good
    assert "9999" in checkup.en


# --- stored keys -------------------------------------------------------------------------


def test_keys_that_are_not_stored_yet_are_not_looked_at(tmp_path: Path) -> None:
    found = examine(settings_in(tmp_path), owns_database=True)
    assert "storedKeys" not in {checkup.what for checkup in found}


def test_secrets_under_another_master_key(tmp_path: Path) -> None:
    used(tmp_path)
    checkup = finding(settings_in(tmp_path, KIS_MASTER_KEY="another-master-key" * 2), "storedKeys")
    assert not checkup.is_good
    assert "keys master" in checkup.en


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_key_of_the_env_that_has_ended(tmp_path: Path, column: str) -> None:
    settings = used(tmp_path)
    key_id = key_id_for(Scope.ADMIN, ADMIN_API_KEY)
    run_sql(settings, f"UPDATE api_key SET {column} = created_at WHERE id = '{key_id}'")
    checkup = finding(settings, "storedKeys")
    assert (checkup.is_good, checkup.en.split()[0]) == (False, "ADMIN_API_KEY")
