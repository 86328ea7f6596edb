"""The last good backup, for who only looks at it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kis.ops.backup.latest import last_good
from tests.unit.ops.backup import made

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def test_last_good_one_is_where_latest_leads(tmp_path: Path) -> None:
    assert last_good(tmp_path, "sqlite") is None
    made.publish(tmp_path, NOW - timedelta(days=1), content=b"content")
    newest = made.publish(tmp_path, NOW, content=b"content")
    assert last_good(tmp_path, "sqlite") == newest
    assert last_good(tmp_path, "postgresql") is None
    (tmp_path / newest.file).unlink()
    assert last_good(tmp_path, "sqlite") is None
