"""The last backup and the ends of keys as metrics."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from kis.access.rules import StoredKey
from kis.ops.gauges import Source
from kis.ops.gauges_keeping import LastBackup, key_expiry

AT = "2026-11-22T17:00:00Z"
AT_S = datetime(2026, 11, 22, 17, tzinfo=UTC).timestamp()
NAME = "kis-backup-20261123_020000.db.gz"


def told(source: Source) -> dict[str, float]:
    return {sample.name: sample.value for metric in source() for sample in metric.samples}


def back_up(folder: Path, name: str = NAME, **changes: Any) -> None:
    (folder / name).write_bytes(b"packed")
    manifest = {"format": 1, "takenAt": AT, "packed": {"size": 6, "sha256": "ab"}, **changes}
    (folder / f"{name}.json").write_text(json.dumps(manifest))
    link = folder / "kis-backup-latest.db.gz"
    link.unlink(missing_ok=True)
    link.symlink_to(name)


def test_last_backup_is_the_one_that_the_link_leads_to(tmp_path: Path) -> None:
    source = LastBackup(tmp_path, is_server=False)
    back_up(tmp_path)
    assert told(source) == {
        "kis_last_backup_timestamp_seconds": AT_S,
        "kis_last_backup_bytes": 6,
    }
    back_up(tmp_path, "kis-backup-20261124_020000.db.gz", takenAt="2026-11-23T17:00:00Z")
    assert told(source)["kis_last_backup_timestamp_seconds"] == AT_S + 86_400


def test_without_a_backup_nothing_is_told_but_the_names(tmp_path: Path) -> None:
    source = LastBackup(tmp_path, is_server=False)
    assert told(source) == {}
    assert {metric.name for metric in source()} == {
        "kis_last_backup_timestamp_seconds", "kis_last_backup_bytes",
    }  # fmt: skip
    assert told(LastBackup(tmp_path / "not there", is_server=True)) == {}


@pytest.mark.parametrize("gone", [NAME, f"{NAME}.json"])
def test_backup_that_is_not_whole_is_none(tmp_path: Path, gone: str) -> None:
    back_up(tmp_path)
    (tmp_path / gone).unlink()
    assert told(LastBackup(tmp_path, is_server=False)) == {}


@pytest.mark.parametrize("changes", [{"takenAt": "yesterday"}, {"packed": 3}])
def test_damaged_manifest_tells_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    back_up(tmp_path, **changes)
    assert told(LastBackup(tmp_path, is_server=False)) == {}


def test_keys_that_end() -> None:
    at = datetime(2026, 11, 22, 17, tzinfo=UTC)
    key = StoredKey("api", "bcd", "shop", "", at, at, None, None, b"digest")
    found: list[Metric] = list(key_expiry(lambda: [key])())
    (sample,) = found[0].samples
    assert sample.labels == {"key_id": "bcd", "scope": "api"}
    assert sample.value == AT_S
    assert told(key_expiry(tuple)) == {}
