"""What goes and what stays."""

from datetime import UTC, datetime, timedelta

import pytest

from kis.knowledge.unused import (
    ACTIVE,
    NEVER_ACTIVE,
    PREVIOUS,
    RECENT,
    RETIRED,
    Activation,
    Known,
    upload_of,
    uses_of,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)
A, B, C, D = 1, 2, 3, 4
ONE, TWO = (RETIRED, RECENT), (RETIRED, RETIRED)


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def known(*made_days_ago: int) -> list[Known]:
    """Return versions with ids from 1, made so many days ago."""
    return [Known(n, f"v{n}", "validated", ago(d)) for n, d in enumerate(made_days_ago, 1)]


@pytest.mark.parametrize(
    ("made", "history", "whys"),
    [
        ((90,), [(A, 90)], [ACTIVE]),
        ((90, 40), [(A, 90)], [ACTIVE, NEVER_ACTIVE]),
        ((90, 30), [(A, 90)], [ACTIVE, RECENT]),
        # However long ago it was, a roll back has somewhere to go.
        ((900, 800), [(A, 900), (B, 800)], [PREVIOUS, ACTIVE]),
        ((900, 800, 700), [(A, 900), (B, 800), (C, 700)], [RETIRED, PREVIOUS, ACTIVE]),
        # Retired 31 and 29 days ago, and not when it became active.
        ((90, 80, 31, 29), [(A, 90), (B, 80), (C, 31), (D, 29)], [*TWO, PREVIOUS, ACTIVE]),
        ((90, 80, 30, 29), [(A, 90), (B, 80), (C, 30), (D, 29)], [*ONE, PREVIOUS, ACTIVE]),
        # Rolled back to: what it came from is where a roll back would go now.
        ((90, 80, 70), [(A, 90), (B, 80), (C, 70), (A, 60)], [ACTIVE, RETIRED, PREVIOUS]),
        # The one before was deleted by hand: the one before that is the way back.
        ((90, 80), [(A, 90), (9, 85), (B, 80)], [PREVIOUS, ACTIVE]),
        ((90, 80, 70), [(A, 90), (B, 80), (9, 75), (C, 70)], [RETIRED, PREVIOUS, ACTIVE]),
        # The same version twice in a row leaves the way back where it was.
        ((90, 80), [(A, 90), (B, 80), (B, 70)], [PREVIOUS, ACTIVE]),
    ],
)  # fmt: skip
def test_stays_or_goes(
    made: tuple[int, ...], history: list[tuple[int, int]], whys: list[object]
) -> None:
    activations = [Activation(version, ago(days)) for version, days in history]
    uses = uses_of(known(*made), activations, activations[-1].version_id, BEFORE)
    assert [use.why for use in uses] == whys
    assert [use.goes for use in uses] == [why in (NEVER_ACTIVE, RETIRED) for why in whys]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("v2025-09-24-02-0123456789ab.csv", ("v2025-09-24-02", "0123456789ab")),
        ("v-0123456789ab-0123456789ab.json", ("v-0123456789ab", "0123456789ab")),
        ("v2025-09-24-02.csv", None),
        ("replay-v2.checkpoint", None),
        ("v2-0123456789AB.csv", None),
    ],
)
def test_uploads_are_told_by_their_names(name: str, expected: tuple[str, str] | None) -> None:
    assert upload_of(name) == expected
