"""Where things are, and a clock."""

from pathlib import Path

import pytest

from .made import Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The database."""
    return tmp_path / "kis.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The journal."""
    return tmp_path / "journal"


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()
