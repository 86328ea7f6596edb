"""The last backup and the ends of keys as metrics."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import Metric

from kis.access.rules import StoredKey
from kis.ops.gauges import Source
from kis.ops.gauges_keeping import key_expiry, last_backup
from tests.unit.ops.backup.made import publish

AT = datetime(2026, 11, 22, 17, tzinfo=UTC)
AT_S = AT.timestamp()


def told(source: Source) -> dict[str, float]:
    return {sample.name: sample.value for metric in source() for sample in metric.samples}


def test_last_backup(tmp_path: Path) -> None:
    source = last_backup(tmp_path, "sqlite")
    for days in (0, 1):
        publish(tmp_path, AT + timedelta(days=days))
        assert told(source) == {
            "kis_last_backup_timestamp_seconds": AT_S + 86_400 * days,
            "kis_last_backup_bytes": 7,
        }


def test_without_a_backup_nothing_is_told_but_the_names(tmp_path: Path) -> None:
    source = last_backup(tmp_path / "not there", "postgresql")
    assert told(source) == {}
    assert {metric.name for metric in source()} == {
        "kis_last_backup_timestamp_seconds", "kis_last_backup_bytes",
    }  # fmt: skip


def test_keys_that_end() -> None:
    key = StoredKey("api", "bcd", "shop", "", AT, AT, None, None, b"digest")
    found: list[Metric] = list(key_expiry(lambda: [key])())
    (sample,) = found[0].samples
    assert sample.labels == {"key_id": "bcd", "scope": "api"}
    assert sample.value == AT_S
    assert told(key_expiry(tuple)) == {}
