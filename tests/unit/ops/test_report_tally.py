"""Counting lines."""

import pytest

from kis.ops import report_tally
from kis.ops.report_tally import CREATE, OTHERS, Tally, Timings, route_of

STARTS = [f"2026-11-{day}T00:00:00Z" for day in (20, 21, 22, 23)]
"""Two days before, one day of the period."""


def access(
    day: int,
    client: str = "10.0.0.7",
    status: int = 201,
    path: str = "/v1/estimate/create",
    ms: str = "4.2",
) -> bytes:
    at = f"2026-11-{day}T10:15:00Z"
    return f'{client} {at} "POST {path}" {status} {ms}ms key=api-bcd request=fgh'.encode()


def tally_of(*lines: bytes) -> Tally:
    tally = Tally(STARTS, before=2)
    for line in lines:
        tally.add(line)
    return tally


def test_days_are_told_apart() -> None:
    days = (19, 20, 20, 21, 22, 22, 22, 23)
    tally = tally_of(*(access(day) for day in days))
    assert tally.by_day == [2, 1, 3]
    assert tally.clients["10.0.0.7"].by_day == [2, 1, 3]
    assert (tally.timings.total, tally.first_day, tally.lines) == (3, 0, 8)


def test_denied_are_counted_by_client() -> None:
    tally = tally_of(
        access(22, "a", 401), access(22, "a", 401), access(22, "b", 429), access(21, "a", 403)
    )
    assert tally.clients["a"].denied == {401: 2}
    assert tally.clients["b"].denied == {429: 1}
    assert tally.statuses == {401: 2, 429: 1}


def test_faults_refusals_lookups() -> None:
    tally = tally_of(
        b"1 cache_hit 2026-11-22T10:15:00Z request=fgh",
        b"0 cache_hit 2026-11-22T10:15:00Z request=fgh",
        b"2026-11-22T10:15:00Z WARNING NEED_KNOWLEDGE_UPDATE $.main missing=a+b request=fgh",
        b"2026-11-22T10:15:00Z WARNING slow query 120ms SELECT 1",
        b"2026-11-22T10:15:00Z ERROR a request failed, request=fgh",
        b"\tTraceback (most recent call last):",
        b"2026-11-21T10:15:00Z ERROR of the day before",
        b"what another program wrote",
    )
    assert (tally.faults, tally.slow_queries, tally.other_lines) == (1, 1, 1)
    assert tally.lookups == {True: 1, False: 1}
    assert tally.refusals == {"NEED_KNOWLEDGE_UPDATE": 1}
    assert tally.missing == {"a b": 1}
    assert [fault.text for fault in tally.latest_faults] == ["a request failed, request=fgh"]


def test_many_clients_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_tally, "MOST_NAMES", 10)
    monkeypatch.setattr(report_tally, "MOST_ROUTES", 10)
    tally = tally_of(*(access(22, f"c{n}", path=f"/{chr(97 + n) * 3}") for n in range(26)))
    for names in (tally.clients, tally.routes):
        assert len(names) == 11
        assert OTHERS in names
    assert sum(client.by_day[2] for client in tally.clients.values()) == 26
    assert sum(timings.total for timings in tally.routes.values()) == 26


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("POST", "/v1/estimate/create", 201, CREATE),
        ("GET", "/v1/estimate/0199403-4290-4%301e", 200, "GET /v1/estimate/*"),
        ("DELETE", "/v1/knowledge/versions/v2025-09-24-01", 200, "DELETE /v1/knowledge/versions/*"),
        ("GET", "/static/console/console.js", 200, "GET /static/*"),
        ("GET", "/wp-login", 404, "GET (404)"),
    ],
)
def test_addresses_without_ids(method: str, path: str, status: int, route: str) -> None:
    assert route_of(method, path, status) == route


def test_quantiles() -> None:
    timings = Timings()
    assert timings.quantile(0.95) is None
    for ms in range(1, 101):
        timings.add(float(ms))
    assert [timings.quantile(share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]


def test_durations_have_two_digits_in_both_forms() -> None:
    tally = tally_of(access(22, ms="4.2"), access(22, ms="4.213"))
    assert tally.routes[CREATE].quantile(1.0) == 4.2
    assert tally.routes[CREATE].total == 2
