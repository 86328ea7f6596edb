"""What tests of backups share."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 2, 0, 0, 123_000, tzinfo=UTC)


def quiet(*_: object) -> None:
    """Tell nobody."""
