"""Moments as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kis.moments import moment_text, second_text

AT = datetime(2026, 11, 22, 10, 15, 0, 123_456, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (AT, "2026-11-22T10:15:00.123Z"),
        (AT.replace(microsecond=0), "2026-11-22T10:15:00.000Z"),
        (AT.replace(microsecond=999_999), "2026-11-22T10:15:00.999Z"),
    ],
)
def test_moment_text(moment: datetime, text: str) -> None:
    assert moment_text(moment) == text


@pytest.mark.parametrize("moment", [AT, AT.astimezone(SEOUL)])
def test_second_text_is_in_utc_without_fractions(moment: datetime) -> None:
    assert second_text(moment) == "2026-11-22T10:15:00Z"
