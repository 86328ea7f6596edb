"""How the service does, for a person who looks: what health-check and report say, at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from kis.db.engine import Database
from kis.errors import ErrorCode
from kis.estimate.store import count_by_hour, count_models
from kis.moments import second_text
from kis.ops.apart import run_apart
from kis.ops.following import SPAN, Followed, follow
from kis.ops.report import (
    ABSTENTION,
    TOP,
    CountLine,
    Latency,
    RouteLine,
    latency_of,
    midnight,
    routes_of,
    share_of,
    top_of,
)
from kis.ops.report_hours import LENGTH, Hour, Hours
from kis.ops.report_lines import Access
from kis.ops.report_tally import DENIED, Tally
from kis.ops.watch.at_home import look_at_home
from kis.ops.watch.observations import Observation
from kis.settings import Settings

DAYS = 30
GOOD_FOR_S = 20.0
"""It takes a process, and a query of all estimates of `DAYS`: not for each who looks."""
HOUR = timedelta(hours=1)
DENIAL_CODES = (ErrorCode.UNAUTHENTICATED, ErrorCode.FORBIDDEN, ErrorCode.RATE_LIMITED)


class DayCount(NamedTuple):
    """How many estimates a day had, by this machine's clock."""

    day: date
    estimates: int


class Today(NamedTuple):
    """What the log says of today; rates are shares of 1. `denied` are counts by status."""

    requests: int
    error_rate: float | None
    latency: Latency
    hit_rate: float | None
    abstentions: int
    routes: tuple[RouteLine, ...]
    missing: tuple[CountLine, ...]
    denied: dict[int, int]


class HourLine(NamedTuple):
    """What the log says of an hour; `faults` are its lines of ERROR."""

    start: datetime
    requests: int
    faults: int
    error_rate: float | None
    latency: Latency


class Overview(NamedTuple):
    """What is shown: `hours` and `days` end with this hour and today.

    `refusals` are those of the hours by code, without denials; `denials` the latest, latest
    first; `models` the main breakers that were used most in the days.
    """

    taken_at: datetime
    observations: tuple[Observation, ...]
    today: Today
    days: tuple[DayCount, ...]
    hours: tuple[HourLine, ...]
    refusals: tuple[CountLine, ...]
    denials: tuple[Access, ...]
    models: tuple[CountLine, ...]


class OverviewService:
    """Looks at everything, for all who ask within some seconds at once."""

    def __init__(self, settings: Settings, database: Database, now: Callable[[], datetime]) -> None:
        """Look at the home of `settings` and at `database`."""
        self._settings = settings
        self._database = database
        self._now = now
        self._turn = asyncio.Lock()
        self._last: tuple[float, Overview] | None = None
        self._followed: Followed | None = None

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
        days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
        since = midnight(days[0])
        followed, observations, by_hour, models = await asyncio.gather(
            run_apart(follow, self._settings.log_file, self._followed, now),
            asyncio.to_thread(look_at_home, self._settings, self._now),
            self._database.read(lambda c: count_by_hour(c, since)),
            self._database.read(lambda c: count_models(c, since, now, TOP)),
        )
        counts: Counter[date] = Counter()
        for hour, times in by_hour.items():
            counts[hour.astimezone().date()] += times
        self._followed, hours = followed, followed.hours
        return Overview(
            taken_at=now, observations=observations, today=today_of(followed.today),
            days=tuple(DayCount(day, counts[day]) for day in days),
            hours=tuple(hours_of(hours, now)), refusals=refusals_of(hours),
            denials=tuple(reversed(hours.denials)),
            models=tuple(CountLine(name, times) for name, times in models),
        )  # fmt: skip


def today_of(tally: Tally) -> Today:
    """Return what was counted of a day."""
    requests, lookups = tally.timings.total, tally.lookups.total()
    return Today(
        requests=requests, error_rate=share_of(tally.faults, requests),
        latency=latency_of(tally.timings), hit_rate=share_of(tally.lookups[True], lookups),
        abstentions=tally.refusals[ABSTENTION], routes=tuple(routes_of(tally)),
        missing=top_of(tally.missing), denied={status: tally.statuses[status] for status in DENIED},
    )  # fmt: skip


def hours_of(hours: Hours, now: datetime) -> Iterator[HourLine]:
    """Yield each hour of `SPAN` up to that of `now`, those with nothing in them too."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for back in reversed(range(SPAN // HOUR)):
        start = last - back * HOUR
        hour = hours.by_name.get(second_text(start)[:LENGTH], Hour())
        requests = hour.timings.total
        yield HourLine(
            start, requests, hour.faults, share_of(hour.faults, requests), latency_of(hour.timings)
        )


def refusals_of(hours: Hours) -> tuple[CountLine, ...]:
    """Return which codes were answered most, but for those of keys and of the rate limit."""
    counts: Counter[str] = Counter()
    for hour in hours.by_name.values():
        counts.update(hour.refusals)
    for code in DENIAL_CODES:
        del counts[code]
    return top_of(counts)
