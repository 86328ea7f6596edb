"""From counts to what a person looks at."""

from datetime import UTC, datetime

from kis.ops.following import Followed
from kis.ops.overview import hours_of, refusals_of, today_of
from kis.ops.report import CountLine

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def followed(*lines: str) -> Followed:
    all_of_it = Followed(NOW)
    for line in lines:
        all_of_it.add(line.encode())
    return all_of_it


def access(at: str, status: int = 201, ms: str = "4.2") -> str:
    return f'10.0.0.7 {at} "POST /v1/estimate/create" {status} {ms}ms key=api-bcd request=fgh'


def test_a_week_of_hours_ends_with_this_one() -> None:
    at = "2026-11-22T10:15:00Z"
    seen = followed(access(at), access(at, ms="120"), f"{at} ERROR a request failed request=fgh")
    *before, last = hours_of(seen.hours, NOW)
    assert len(before) == 7 * 24 - 1
    assert before[0].start == datetime(2026, 11, 15, 11, tzinfo=UTC)
    assert (before[0].requests, before[0].error_rate, before[0].latency.p95_ms) == (0, None, None)
    assert last.start == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert (last.requests, last.faults, last.error_rate, last.latency.p95_ms) == (2, 1, 0.5, 120)


def test_refusals_are_not_denials() -> None:
    codes = ("BRAND_CONFLICT", "FORBIDDEN", "UNAUTHENTICATED", "RATE_LIMITED", "BRAND_CONFLICT")
    lines = (
        f"2026-11-2{day}T10:15:00Z WARNING {code} $ request=fgh" for day in (1, 2) for code in codes
    )
    assert refusals_of(followed(*lines).hours) == (CountLine("BRAND_CONFLICT", 4),)


def test_today() -> None:
    at = f"{NOW.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    today = today_of(followed(access(at), access(at, 401), f"1 cache_hit {at} request=fgh").today)
    assert (today.requests, today.error_rate, today.hit_rate, today.missing) == (2, 0, 1, ())
    assert today.denied == {401: 1, 403: 0, 429: 0}
    assert [line.requests for line in today.routes] == [2]
    assert today_of(Followed(NOW).today).error_rate is None
