"""Fixtures of several test modules."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kis.home import prepare_home
from kis.settings import load_settings
from kis.telemetry import close_logging, configure_logging

# Full of what the runbook greps for, as hex may well be.
SECRETS = {
    "API_KEY": "8429d403" * 8,
    "ADMIN_API_KEY": "m401" * 8,
    "EVIDENCE_SECRET": "v403" * 8,
}


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Starts logging with the given settings; returns the log file."""

    def start(**environ: str) -> Path:
        prepare_home(tmp_path)
        settings = load_settings({"KIS_HOME": str(tmp_path), **SECRETS, **environ})
        configure_logging(settings)
        return settings.log_file

    yield start
    close_logging()
