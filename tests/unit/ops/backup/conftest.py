"""An installation to back up."""

from pathlib import Path

import pytest

from kis.ops.backup.source import Source
from tests.unit.ops.installed import OPENER, install


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A SQLite file with three estimates, and an empty folder of backups."""
    file = tmp_path / "kis.db"
    install(tmp_path / "home", f"sqlite:///{file}")
    folder = tmp_path / "backups"
    folder.mkdir()
    return Source(f"sqlite:///{file}", file, folder, OPENER)
