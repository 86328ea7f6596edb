"""A day or a week as the log tells it: what the runbook greps for."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote

import msgspec

from kis.moments import second_text
from kis.ops.log_files import Read, files_since, read_file
from kis.ops.report_tally import DENIED, OTHERS, SERVER_FAULT, Tally, Timings
from kis.ops.report_volume import LEAST_DAYS, Verdict, judge

DAYS_BEFORE = 7
TOP = 10
ABSTENTION = "NEED_KNOWLEDGE_UPDATE"
Kind = Literal["daily", "weekly"]
LENGTH: dict[Kind, int] = {"daily": 1, "weekly": 7}


class Period(NamedTuple):
    """Days to report on, with the days before that volume is compared with.

    `starts` are the first moments of all of them and of the day after, in UTC.
    """

    kind: Kind
    days: tuple[date, ...]
    starts: tuple[datetime, ...]

    @property
    def since(self) -> datetime:
        """The first moment of the period."""
        return self.starts[DAYS_BEFORE]

    @property
    def until(self) -> datetime:
        """The first moment after the period."""
        return self.starts[-1]


class Latency(msgspec.Struct, frozen=True, rename="camel"):
    """How long requests took, in ms; null where there were none."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class RouteLine(msgspec.Struct, frozen=True, rename="camel"):
    """Requests of one address."""

    route: str
    requests: int
    latency: Latency


class ClientLine(msgspec.Struct, frozen=True, rename="camel"):
    """Requests of one client: of them creates, and refused with 401, 403 and 429."""

    client: str
    requests: int
    creates: int
    unauthenticated: int
    forbidden: int
    rate_limited: int


class CountLine(msgspec.Struct, frozen=True):
    """Something that is counted, and how often it was there."""

    name: str
    count: int


class VolumeLine(msgspec.Struct, frozen=True, rename="camel"):
    """The requests of a day beside those of the days before the period.

    `client` is empty for all clients together.
    """

    day: str
    client: str
    requests: int
    least_before: int | None
    most_before: int | None
    verdict: Verdict


class FileLine(msgspec.Struct, frozen=True):
    """A log file that was read, and what kept it from being read to its end."""

    name: str
    lines: int
    trouble: str


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """Everything; rates are shares of 1. `errorRate` is the runbook's: ERROR lines by requests."""

    kind: Kind
    first_day: str
    last_day: str
    since: str
    until: str
    is_complete: bool
    requests: int
    error_rate: float | None
    errors: int
    server_errors: int
    latest_errors: tuple[str, ...]
    latency: Latency
    routes: tuple[RouteLine, ...]
    statuses: tuple[CountLine, ...]
    clients: tuple[ClientLine, ...]
    denied: tuple[ClientLine, ...]
    keys: tuple[CountLine, ...]
    lookups: int
    hit_rate: float | None
    abstentions: int
    missing: tuple[CountLine, ...]
    refusals: tuple[CountLine, ...]
    slow_queries: int
    models: tuple[CountLine, ...] | None
    models_trouble: str
    volume: tuple[VolumeLine, ...]
    unusual: tuple[VolumeLine, ...]
    files: tuple[FileLine, ...]
    lines: int
    other_lines: int


class Models(NamedTuple):
    """The most used main breakers of the period, or why they could not be asked for."""

    counted: tuple[CountLine, ...] | None
    trouble: str = ""


def period_of(kind: Kind, last: date, midnight: Callable[[date], datetime]) -> Period:
    """Return the period that ends with the day `last`; `midnight` is when a day begins."""
    count = DAYS_BEFORE + LENGTH[kind]
    days = tuple(last - timedelta(days=back) for back in reversed(range(count)))
    starts = (*(midnight(day) for day in days), midnight(last + timedelta(days=1)))
    return Period(kind, days, starts)


def midnight(day: date) -> datetime:
    """Return when `day` begins on this machine's clock; there may be summer time."""
    return datetime.combine(day, time()).astimezone(UTC)


def read_log(log: Path, period: Period) -> tuple[Tally, list[Read]]:
    """Count what `log`, and what was rotated out of it, says of `period`."""
    tally = Tally([second_text(moment) for moment in period.starts], DAYS_BEFORE)
    since_s = period.starts[0].timestamp()
    return tally, [read_file(path, tally.add) for path in files_since(log, since_s)]


def compose(
    period: Period, tally: Tally, files: Sequence[Read], models: Models, now: datetime
) -> Report:
    """Return the report of `period` as it stands `now`."""
    volume = tuple(_volume(period, tally, now))
    clients = sorted(
        (_client_line(name, tally) for name in tally.clients), key=lambda line: -line.requests
    )
    denied = [line for line in clients if _denied(line)]
    requests, lookups = tally.timings.total, tally.lookups.total()
    return Report(
        kind=period.kind, first_day=str(period.days[DAYS_BEFORE]), last_day=str(period.days[-1]),
        since=second_text(period.since), until=second_text(period.until),
        is_complete=now >= period.until, requests=requests,
        error_rate=share_of(tally.faults, requests), errors=tally.faults,
        server_errors=sum(n for status, n in tally.statuses.items() if status >= SERVER_FAULT),
        latest_errors=tuple(f"{fault.at} {fault.text}" for fault in tally.latest_faults),
        latency=latency_of(tally.timings), routes=tuple(routes_of(tally)),
        statuses=tuple(CountLine(str(name), n) for name, n in sorted(tally.statuses.items())),
        clients=tuple(line for line in clients if line.requests)[:TOP],
        denied=tuple(sorted(denied, key=_denied, reverse=True)[:TOP]),
        keys=top_of(tally.keys), lookups=lookups, hit_rate=share_of(tally.lookups[True], lookups),
        abstentions=tally.refusals[ABSTENTION], missing=top_of(tally.missing),
        refusals=top_of(tally.refusals), slow_queries=tally.slow_queries, models=models.counted,
        models_trouble=models.trouble, volume=volume,
        unusual=tuple(_unusual(period, tally, volume, now)),
        files=tuple(FileLine(*read) for read in files), lines=tally.lines,
        other_lines=tally.other_lines,
    )  # fmt: skip


def latency_of(timings: Timings) -> Latency:
    """Return the quantiles of what was timed."""
    return Latency(*(timings.quantile(share) for share in (0.5, 0.95, 0.99)))


def share_of(part: int, whole: int) -> float | None:
    """Return `part` as a share of `whole`; None of nothing."""
    return round(part / whole, 6) if whole else None


def top_of(counter: Counter[str]) -> tuple[CountLine, ...]:
    """Return what was counted most, in its own letters."""
    return tuple(CountLine(unquote(name), n) for name, n in counter.most_common(TOP))


def routes_of(tally: Tally) -> Iterator[RouteLine]:
    """Yield the addresses that were asked for most."""
    ordered = sorted(tally.routes.items(), key=lambda item: -item[1].total)
    for route, timings in ordered[:TOP]:
        yield RouteLine(route, timings.total, latency_of(timings))


def _client_line(name: str, tally: Tally) -> ClientLine:
    client = tally.clients[name]
    return ClientLine(
        name, sum(client.by_day[DAYS_BEFORE:]), client.creates,
        *(client.denied[status] for status in DENIED),
    )  # fmt: skip


def _denied(line: ClientLine) -> int:
    return line.unauthenticated + line.forbidden + line.rate_limited


def _volume(period: Period, tally: Tally, now: datetime) -> Iterator[VolumeLine]:
    """Yield each day of the period that has begun, all clients together."""
    before = _known_before(tally.by_day, tally)
    for number in range(DAYS_BEFORE, len(period.days)):
        if period.starts[number] <= now:
            yield _judged(period, number, "", tally.by_day, before, now)


def _known_before(by_day: Sequence[int], tally: Tally) -> Sequence[int]:
    """Return the requests of the days before; of days before the log began nothing is known."""
    first = DAYS_BEFORE if tally.first_day is None else tally.first_day
    return by_day[first:DAYS_BEFORE]


def _judged(
    period: Period, number: int, client: str, by_day: Sequence[int], before: Sequence[int],
    now: datetime,
) -> VolumeLine:  # fmt: skip
    requests = by_day[number]
    verdict = judge(requests, before)
    if verdict == "less" and now < period.starts[number + 1]:
        verdict = "unknown"  # the day is not over
    return VolumeLine(
        str(period.days[number]), client, requests, min(before, default=None),
        max(before, default=None), verdict,
    )  # fmt: skip


def _unusual(
    period: Period, tally: Tally, volume: Sequence[VolumeLine], now: datetime
) -> Iterator[VolumeLine]:
    """Yield the days that are unusual, then the clients that sent unusually much."""
    yield from (line for line in volume if line.verdict in ("more", "less"))
    if tally.first_day is None or DAYS_BEFORE - tally.first_day < LEAST_DAYS:
        return
    found = []
    for name, client in tally.clients.items():
        # A client may stay away as it likes. Those who share a line here came late.
        if name == OTHERS:
            continue
        before = _known_before(client.by_day, tally)
        for number in range(DAYS_BEFORE, len(period.days)):
            line = _judged(period, number, name, client.by_day, before, now)
            if line.verdict == "more":
                found.append(line)
    yield from sorted(found, key=lambda line: -line.requests)[:TOP]
