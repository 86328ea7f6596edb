"""The logs of a week in one file, on Sundays."""

import tarfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kis.ops.backup import logs

SEOUL = timezone(timedelta(hours=9))
SUNDAY = datetime(2026, 11, 22, 2, tzinfo=SEOUL)


def test_due_on_sundays_once(tmp_path: Path) -> None:
    days = [SUNDAY + timedelta(days=number) for number in range(8)]
    assert [logs.is_due(tmp_path, day) for day in days] == [True, *[False] * 6, True]
    (tmp_path / "logs-backup-20261122_010000.tar.gz").touch()
    assert [logs.is_due(tmp_path, day) for day in days] == [*[False] * 7, True]


def test_pack(tmp_path: Path) -> None:
    folder, backups, scratch = (tmp_path / name for name in ("logs", "backups", "scratch"))
    for each in (folder, backups, scratch):
        each.mkdir()
    (folder / "kis-backend.log").write_text("today\n")
    (folder / "kis-backend.log-20261115.gz").write_bytes(b"rotated")
    (folder / "elsewhere").symlink_to(tmp_path)
    (folder / "kept").mkdir()
    name = logs.pack(folder, backups, scratch, SUNDAY)
    assert name == "logs-backup-20261122_020000.tar.gz"
    assert list(scratch.iterdir()) == []
    with tarfile.open(backups / name) as archive:
        assert archive.getnames() == ["logs/kis-backend.log", "logs/kis-backend.log-20261115.gz"]
        assert archive.extractfile("logs/kis-backend.log").read() == b"today\n"  # type: ignore[union-attr]
