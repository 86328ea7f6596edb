"""How the service does, for a person who looks: what health-check and report say, at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from kis.db.engine import Database
from kis.estimate.store import count_by_hour
from kis.ops.apart import run_apart
from kis.ops.report import Report, midnight, report_of_day
from kis.ops.watch.looking import look_at_home
from kis.ops.watch.observations import Observation
from kis.settings import Settings

DAYS = 30
GOOD_FOR_S = 20.0
"""The log is read as a whole for a report: not for each who looks."""


class DayCount(NamedTuple):
    """How many estimates a day had, by this machine's clock."""

    day: date
    estimates: int


class Overview(NamedTuple):
    """What is shown; `report` is of today, `days` end with today."""

    taken_at: datetime
    observations: tuple[Observation, ...]
    report: Report
    days: tuple[DayCount, ...]


class OverviewService:
    """Looks at everything, for all who ask within some seconds at once."""

    def __init__(self, settings: Settings, database: Database, now: Callable[[], datetime]) -> None:
        """Look at the home of `settings` and at `database`."""
        self._settings = settings
        self._database = database
        self._now = now
        self._turn = asyncio.Lock()
        self._last: tuple[float, Overview] | None = None

    async def look(self) -> Overview:
        """Return how the service does, or did some seconds ago.

        Raises:
            DatabaseUnavailable: the estimates cannot be counted.

        """
        async with self._turn:
            if self._last is None or time.monotonic() > self._last[0] + GOOD_FOR_S:
                self._last = time.monotonic(), await self._take()
            return self._last[1]

    async def _take(self) -> Overview:
        now = self._now()
        today = now.astimezone().date()
        first = today - timedelta(days=DAYS - 1)
        report, observations, hours = await asyncio.gather(
            run_apart(report_of_day, self._settings.log_file, today, now),
            asyncio.to_thread(look_at_home, self._settings, self._now),
            self._database.read(lambda c: count_by_hour(c, midnight(first))),
        )
        counts: Counter[date] = Counter()
        for hour, times in hours.items():
            counts[hour.astimezone().date()] += times
        days = [first + timedelta(days=number) for number in range(DAYS)]
        return Overview(
            now, observations, report, tuple(DayCount(day, counts[day]) for day in days)
        )
