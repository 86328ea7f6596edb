"""What the service wires, and what it tells of it."""

from pathlib import Path

import pytest

from kis.db.engine import open_database
from kis.ops.journal import bases
from kis.ops.journal.protection import Protection, status_of
from kis.settings import Settings, load_settings
from tests.backends import POSTGRESQL_ONLY
from tests.unit.conftest import SECRETS

from .made import Clock, Notes
from .test_bases import until


def settings_of(home: Path, **environ: str) -> Settings:
    return load_settings({"KIS_HOME": str(home), **SECRETS, **environ})


def test_it_tells_how_it_is_doing(
    tmp_path: Path, file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "FIRST_AFTER_S", 0.01)
    notes = Notes(file, clock)
    protection = Protection(notes.database, settings_of(tmp_path), clock)
    protection.start()
    notes.commit()
    until(lambda: protection.status().spans)
    status = protection.status()
    assert status.is_on
    assert status.folder == str(tmp_path / "backups" / "journal")
    assert status.bytes == protection.bytes > 0
    assert status.trouble == protection.trouble == ""
    assert status.lag_seconds is not None
    told = {metric.name: metric.samples[0].value for metric in protection.gauges()}
    assert told["kis_journal_working"] == 1
    assert told["kis_journal_bytes"] > 0
    assert told["kis_journal_lag_seconds"] >= 0
    protection.stop()
    notes.close()
    protection.finish()
    left = status_of(Path(status.folder), is_on=True)
    assert left.lag_seconds is None
    assert left.spans[0].first == status.spans[0].first
    assert left.spans[0].last >= status.spans[0].last


def test_it_can_be_turned_off(tmp_path: Path, file: Path, clock: Clock) -> None:
    notes = Notes(file, clock)
    protection = Protection(notes.database, settings_of(tmp_path, JOURNAL_DAYS="0"), clock)
    protection.start()
    notes.commit()
    protection.stop()
    notes.close()
    protection.finish()
    status = protection.status()
    assert (status.is_on, status.spans, status.bytes, status.trouble) == (False, (), 0, "")
    assert not Path(status.folder).exists()
    assert not list(protection.gauges())


@POSTGRESQL_ONLY  # it archives its own log
def test_a_server_has_its_own(tmp_path: Path, database_url: str, clock: Clock) -> None:
    database = open_database(database_url, slow_query_ms=60_000)
    protection = Protection(database, settings_of(tmp_path, DATABASE_URL=database_url), clock)
    protection.start()
    protection.stop()
    database.close()
    protection.finish()
    assert not protection.is_on
    assert (protection.lag_s, protection.bytes, protection.trouble) == (0, 0, "")


def test_what_is_no_chain_gives_no_moments(folder: Path) -> None:
    folder.mkdir()
    chain = folder / "20260101T000000000000Z-00000000"
    chain.write_text("a file")
    (folder / "20260102T000000000000Z-00000000").mkdir()
    status = status_of(folder, is_on=True)
    assert status.bytes == 0
    assert status.spans == ()
