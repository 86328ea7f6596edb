"""Which backups are old enough to go. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

BACKUP_DAYS = 30
LOGS_DAYS = 90


class Dated(NamedTuple):
    """A backup: `is_good` when it was checked and is still whole, as far as its size tells."""

    name: str
    at: datetime
    is_good: bool = True


def expired(found: Iterable[Dated], now: datetime, days: int) -> list[str]:
    """Return the names of what is older than `days`, oldest first.

    Never the last good one, however old; nor, where none is good, the last one of all.
    """
    in_order = sorted(found, key=lambda each: (each.at, each.name))
    last = next((each for each in reversed(in_order) if each.is_good), None)
    if last is None and in_order:
        last = in_order[-1]
    oldest = now - timedelta(days=days)
    return [each.name for each in in_order if each.at < oldest and each is not last]
