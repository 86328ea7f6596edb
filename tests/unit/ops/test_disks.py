"""Folders whose disks are looked at."""

from pathlib import Path

from kis.ops.disks import folders_of
from tests.services import settings_in


def test_of_a_file(tmp_path: Path) -> None:
    """Each may be a link to another disk."""
    data, journal = tmp_path / "data", tmp_path / "journal"
    data.mkdir()
    home = tmp_path / "home"
    url = f"sqlite:///{data / 'kis.db'}"
    found = folders_of(settings_in(home, JOURNAL_DIR=str(journal), DATABASE_URL=url))
    assert found == {
        "home": home, "backups": home / "backups", "logs": home / "logs", "database": data,
        "journal": journal,
    }  # fmt: skip
    off = folders_of(settings_in(home, JOURNAL_DAYS="0", DATABASE_URL=url))
    assert "journal" not in off


def test_of_a_server(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, DATABASE_URL="postgresql://kis@127.0.0.1/kis")
    assert list(folders_of(settings)) == ["home", "backups", "logs"]
