"""Figures taken from real disks, files and databases."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.ops.backup.naming import Kind
from kis.ops.watch import at_home
from kis.ops.watch.at_home import look_at_home
from kis.ops.watch.observations import Observation, State
from kis.services import open_services
from kis.settings import Settings
from tests.services import settings_in
from tests.unit.ops.backup.made import publish

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def noon() -> datetime:
    return NOON


def observed(settings: Settings, check: str, now: Callable[[], datetime] = noon) -> Observation:
    """Return what is seen of one thing."""
    (found,) = (each for each in look_at_home(settings, now) if each.check == check)
    return found


# --- the disk and the database ------------------------------------------------------------


def test_disk_is_as_full_as_df_says(tmp_path: Path) -> None:
    usage = os.statvfs(tmp_path)
    used = usage.f_blocks - usage.f_bfree
    percent = 100 * used / (used + usage.f_bavail)
    found = observed(settings_in(tmp_path / "home"), "disk")
    assert found.value == pytest.approx(percent, abs=1)
    assert str(tmp_path / "home") in found.ko


def test_full_disk_is_past_its_limit(tmp_path: Path) -> None:
    full = observed(settings_in(tmp_path / "home", ALERT_DISK_PERCENT="1"), "disk")
    assert full.state == (State.WARNING if (full.value or 0) > 1 else State.OK)


def test_disk_of_the_journal_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "other-disk"
    journal.mkdir()
    settings = settings_in(tmp_path / "home", JOURNAL_DIR=str(journal))
    monkeypatch.setattr(at_home, "_used_percent", lambda path: 99 if path == journal else 50)
    found = observed(settings, "disk")
    assert found.state == State.WARNING
    assert str(journal) in found.ko


def test_size_of_a_database(tmp_path: Path, database_url: str) -> None:
    settings = settings_in(tmp_path / "home", DATABASE_URL=database_url, ALERT_DATABASE_MB="1")
    services = open_services(settings)
    try:
        found = observed(settings, "database")
    finally:
        services.database.close()
    assert 0 < (found.value or 0) < 100
    is_large = (found.value or 0) > 1
    assert found.state == (State.WARNING if is_large else State.OK)


def test_what_is_not_folded_into_the_file_counts(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    for name in ("kis.db", "kis.db-wal"):
        (tmp_path / "home" / "data" / name).write_bytes(bytes(1024 * 1024))
    assert observed(settings, "database").value == 2.0


def test_database_that_does_not_answer(tmp_path: Path) -> None:
    url = "postgresql://kis:secret-of-it@127.0.0.1:1/kis"
    found = observed(settings_in(tmp_path / "home", DATABASE_URL=url), "database")
    assert found.state == State.WARNING
    assert "secret-of-it" not in found.en + found.ko


# --- backups ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind"), [("", "sqlite"), ("postgresql://127.0.0.1:1/kis", "postgresql")]
)
@pytest.mark.parametrize(("hours", "state"), [(25.9, State.OK), (26.1, State.WARNING)])
def test_age_of_the_last_backup(
    tmp_path: Path, url: str, kind: Kind, hours: float, state: State
) -> None:
    settings = settings_in(tmp_path / "home", **({"DATABASE_URL": url} if url else {}))
    publish(settings.home / "backups", NOON - timedelta(hours=hours), kind)
    found = observed(settings, "backup")
    assert (found.value, found.state) == (hours, state)


def test_no_backup_yet(tmp_path: Path) -> None:
    found = observed(settings_in(tmp_path / "home"), "backup")
    assert (found.value, found.state) == (None, State.WARNING)


# --- the log ------------------------------------------------------------------------------


def test_errors_of_the_last_hour_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    settings.log_file.write_text(
        "2026-11-22T10:59:59Z ERROR long ago\n"
        '- 2026-11-22T11:00:00Z "GET /health" 200 0.1ms key=- request=f\n'
    )
    assert observed(settings, "errors").value == 0
    assert observed(settings, "errors", lambda: NOON - timedelta(minutes=1)).value == 100
