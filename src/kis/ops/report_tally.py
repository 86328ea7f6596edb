"""Counts what the log says, line by line, in memory that does not grow with it. Pure."""

import re
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from functools import lru_cache

from kis.ops.report_lines import Access, Fact, Lookup, Message, Refusal, read_line

MOST_NAMES = 10_000
"""Clients, or missing rows, that are counted by name; whoever comes later counts as `OTHERS`."""

MOST_ROUTES = 200
OTHERS = "..."
DENIED = (401, 403, 429)
SERVER_FAULT = 500
NOT_FOUND = 404
STATIC = "/static/"
CREATE = "POST /v1/estimate/create"
SAMPLES = 5
_SPECIFIC = re.compile(r"[0-9%]")
_API_VERSION = re.compile(r"v[0-9]+")


class Timings:
    """How long requests took: how often each duration, which has two digits."""

    def __init__(self) -> None:
        """Start with none."""
        self._counts: Counter[float] = Counter()
        self.total = 0

    def add(self, ms: float) -> None:
        """Count a request that took `ms`."""
        self._counts[ms] += 1
        self.total += 1

    def quantile(self, share: float) -> float | None:
        """Return the time in ms that `share` of the requests did not exceed; None without any."""
        needed = share * self.total
        reached = 0
        for ms in sorted(self._counts):
            reached += self._counts[ms]
            if reached >= needed:
                return ms
        return None


class ByClient:
    """What one client sent: `by_day` of all days, the rest of the period alone."""

    def __init__(self, days: int) -> None:
        """Start with nothing on each of so many days."""
        self.by_day = [0] * days
        self.creates = 0
        self.denied: Counter[int] = Counter()


class Tally:
    """Everything that a report tells of the log.

    `starts` are the first moments of the days, as the log writes them, and of the day
    after the last one; the first `before` of them come before the period.
    """

    def __init__(self, starts: Sequence[str], before: int) -> None:
        """Start at nothing."""
        self._starts = list(starts)
        self._before = before
        self._days = len(starts) - 1
        self._at, self._day = "", -1
        self._routes: dict[tuple[str, str, int], str] = {}
        self.by_day = [0] * self._days
        self.first_day: int | None = None
        """The first day that the log tells of: of days before it nothing is known."""
        self.timings = Timings()
        self.routes: dict[str, Timings] = {}
        self.statuses: Counter[int] = Counter()
        self.clients: dict[str, ByClient] = {}
        self.keys: Counter[str] = Counter()
        self.lookups: Counter[bool] = Counter()
        self.refusals: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.faults = 0
        self.latest_faults: deque[Message] = deque(maxlen=SAMPLES)
        self.slow_queries = 0
        self.lines = 0
        self.other_lines = 0

    def add(self, line: bytes) -> None:
        """Count `line`, whatever day it is of."""
        self.lines += 1
        # The rest of a traceback belongs to the line before.
        if line[:1] == b"\t":
            return
        fact = read_line(line)
        if fact is None:
            self.other_lines += bool(line)
            return
        self.add_fact(fact)

    def add_fact(self, fact: Fact) -> None:
        """Count what a line states, whatever day it is of."""
        day = self._day_of(fact.at)
        if day < 0:
            return
        if self.first_day is None or day < self.first_day:
            self.first_day = day
        if isinstance(fact, Access):
            self._add_access(fact, day)
        elif day >= self._before:
            self._add_other(fact)

    def _day_of(self, at: str) -> int:
        """Return the number of the day of a moment; -1 for one outside."""
        if at != self._at:
            day = bisect_right(self._starts, at) - 1
            self._at, self._day = at, day if day < self._days else -1
        return self._day

    def _add_access(self, fact: Access, day: int) -> None:
        self.by_day[day] += 1
        client = self.clients.get(fact.client)
        if client is None:
            name = fact.client if len(self.clients) < MOST_NAMES else OTHERS
            client = self.clients.setdefault(name, ByClient(self._days))
        client.by_day[day] += 1
        if day < self._before:
            return
        status = fact.status
        self.statuses[status] += 1
        if status in DENIED:
            client.denied[status] += 1
        if fact.key_id:
            _count(self.keys, fact.key_id)
        route = self._route_of(fact)
        if route == CREATE:
            client.creates += 1
        ms = two_digits(fact.ms)
        self.timings.add(ms)
        timings = self.routes.get(route)
        if timings is None:
            route = route if len(self.routes) < MOST_ROUTES else OTHERS
            timings = self.routes.setdefault(route, Timings())
        timings.add(ms)

    def _route_of(self, fact: Access) -> str:
        known = fact.method, fact.path, fact.status
        route = self._routes.get(known)
        if route is None:
            route = route_of(fact.method, fact.path, fact.status)
            if len(self._routes) >= MOST_NAMES:
                self._routes.clear()
            self._routes[known] = route
        return route

    def _add_other(self, fact: Fact) -> None:
        match fact:
            case Lookup():
                self.lookups[fact.hit] += 1
            case Refusal():
                _count(self.refusals, fact.code)
                if fact.missing:
                    _count(self.missing, fact.missing)
            case Message(level="ERROR" | "CRITICAL"):
                self.faults += 1
                self.latest_faults.append(fact)
            case Message():
                self.slow_queries += fact.text.startswith("slow query")


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MOST_NAMES else OTHERS] += 1


def route_of(method: str, path: str, status: int) -> str:
    """Return the address without what differs each time: ids, labels, names in Korean.

    What pages are made of is one.
    """
    if status == NOT_FOUND:
        return f"{method} (404)"
    if path.startswith(STATIC):
        return f"{method} {STATIC}*"
    parts = (
        "*" if _SPECIFIC.search(part) and not _API_VERSION.fullmatch(part) else part
        for part in path.split("/")
    )
    return f"{method} {'/'.join(parts)}"


@lru_cache(MOST_NAMES)
def two_digits(ms: float) -> float:
    """Return `ms` as the text form of the log has it; the other has more."""
    return float(f"{ms:.1e}")
