"""Names of backups, as the runbook has them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kis.ops.backup.naming import (
    Kind,
    Named,
    backup_name,
    free_moment,
    latest_name,
    logs_name,
    read_backup_name,
    read_logs_name,
    read_replaced_name,
    replaced_name,
    zone_of,
)

SEOUL = timezone(timedelta(hours=9))
NIGHT = datetime(2026, 11, 22, 2, 0, 5, 999_999, tzinfo=SEOUL)


def test_names_are_those_of_the_runbook() -> None:
    assert backup_name("sqlite", NIGHT) == "kis-backup-20261122_020005.db.gz"
    assert latest_name("sqlite") == "kis-backup-latest.db.gz"
    assert logs_name(NIGHT) == "logs-backup-20261122_020005.tar.gz"
    assert backup_name("postgresql", NIGHT) == "kis-backup-20261122_020005.dump"
    assert latest_name("postgresql") == "kis-backup-latest.dump"
    assert replaced_name("sqlite", NIGHT) == "kis-before-restore-20261122_020005.db"
    assert replaced_name("postgresql", NIGHT) == "kis_before_restore_20261122_020005"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_names_are_read_as_written(kind: Kind) -> None:
    whole = NIGHT.replace(microsecond=0)
    assert read_backup_name(backup_name(kind, NIGHT), SEOUL) == Named(kind, whole)
    assert read_logs_name(logs_name(NIGHT), SEOUL) == whole
    assert read_replaced_name(replaced_name(kind, NIGHT), SEOUL) == whole


@pytest.mark.parametrize(
    "name",
    [
        "kis-backup-latest.db.gz",
        "kis-backup-20261122_020005.db",
        "kis-backup-20261122_020005.db.gz.json",
        "kis-backup-20261322_020005.db.gz",
        "kis-backup-20261122_020005.db.gz.part",
        "my-kis-backup-20261122_020005.db.gz",
        "logs-backup-20261122_020005.tar",
        "kis-before-restore-20261122_020005.db-wal",
        "kis-before-restore-20261322_020005.db",
        "kis_before_restore_20261122",
        "",
    ],
)
def test_other_names_are_none(name: str) -> None:
    assert read_backup_name(name, UTC) is None
    assert read_logs_name(name, UTC) is None
    assert read_replaced_name(name, UTC) is None


def test_two_in_one_second() -> None:
    taken = {backup_name("sqlite", NIGHT), backup_name("sqlite", NIGHT + timedelta(seconds=1))}
    assert free_moment(NIGHT, taken, "sqlite") == NIGHT + timedelta(seconds=2)
    assert free_moment(NIGHT, taken, "postgresql") == NIGHT


def test_zone() -> None:
    assert zone_of(NIGHT) == SEOUL
