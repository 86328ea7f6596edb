"""Who else is at the source or the target of a move."""

import threading
from pathlib import Path

import pytest

from kis.db.engine import Database
from kis.ops import endpoints
from kis.ops.endpoints import Refused, be_only_copy, require_nobody_else, require_source
from kis.ops.stored_table import reading
from tests.backends import POSTGRESQL_ONLY
from tests.unit.ops.installed import install, opened


@POSTGRESQL_ONLY  # a file has a lock
def test_other_process_at_the_source(
    migrated: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "OTHERS_LEAVE_S", 0.2)
    require_nobody_else(migrated)
    with opened(database_url), pytest.raises(Refused) as caught:
        require_nobody_else(migrated)
    assert "127.0.0.1" in caught.value.words.ko


@POSTGRESQL_ONLY
def test_process_that_is_about_to_leave(migrated: Database, database_url: str) -> None:
    with opened(database_url) as other:
        leaving = threading.Timer(0.3, other.close)
        leaving.start()
        require_nobody_else(migrated)
        leaving.join()


@POSTGRESQL_ONLY
def test_two_copies_into_one_target(migrated: Database, database_url: str) -> None:
    with (
        opened(database_url) as other,
        migrated.write_engine.connect() as first,
        other.write_engine.connect() as second,
    ):
        be_only_copy(first)
        second.exec_driver_sql("SET lock_timeout = 100")
        second.commit()
        with pytest.raises(Refused, match="Another db copy"):
            be_only_copy(second)


def test_source_that_was_never_started(migrated: Database) -> None:
    with reading(migrated) as connection, pytest.raises(Refused, match="no installation"):
        require_source(connection)


def test_source_keeps_its_name(database_url: str, tmp_path: Path) -> None:
    install(tmp_path / "home", database_url, estimates=0)
    names = []
    for _ in range(2):
        with opened(database_url) as database, reading(database) as connection:
            names.append(require_source(connection))
        install(tmp_path / "home", database_url, estimates=1)
    assert names[0] == names[1]
