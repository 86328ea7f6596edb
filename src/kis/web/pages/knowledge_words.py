"""Small things that several pages about knowledge say. The clock apart, pure."""

from collections.abc import Collection
from datetime import date
from itertools import count

from kis import clock


def suggested_label(taken: Collection[str]) -> str:
    """Return a label for the next version: of today, with the next free number."""
    return next_label(taken, clock.now().astimezone().date())


def next_label(taken: Collection[str], day: date) -> str:
    """Return `v2026-01-15-01`, or with the first number that is free on that day."""
    labels = (f"v{day.isoformat()}-{number:02}" for number in count(1))
    return next(label for label in labels if label not in taken)
