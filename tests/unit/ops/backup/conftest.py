"""An installation to back up."""

import shutil
from pathlib import Path

import pytest

from kis.ops.backup.source import Source
from tests.unit.ops.installed import OPENER, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with three estimates, to be copied: to make it takes a second."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder / "home", f"sqlite:///{folder / 'kis.db'}")
    return folder / "kis.db"


@pytest.fixture
def source(tmp_path: Path, installed: Path) -> Source:
    """A SQLite file with three estimates, and an empty folder of backups."""
    file = tmp_path / "kis.db"
    shutil.copyfile(installed, file)
    folder = tmp_path / "backups"
    folder.mkdir()
    return Source(f"sqlite:///{file}", file, folder, OPENER)
