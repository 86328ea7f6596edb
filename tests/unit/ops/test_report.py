"""From counts to a report."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from kis.ops.report import CountLine, Kind, Models, Report, compose, period_of, read_log

LAST = date(2026, 11, 22)
AFTERWARDS = datetime(2026, 11, 24, tzinfo=UTC)
SEOUL = timedelta(hours=9)
MODELS = Models((CountLine("SBS-54", 2),))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def log_of(folder: Path, by_day: dict[int, int], client: str = "10.0.0.7") -> Path:
    log = folder / "kis-backend.log"
    with log.open("a") as file:
        for day, requests in by_day.items():
            line = (
                f'{client} 2026-11-{day:02d}T10:15:00Z "POST /v1/estimate/create" 201 4.2ms'
                " key=api-bcd request=fgh\n"
            )
            file.write(line * requests)
    return log


def report_of(log: Path, kind: Kind = "daily", now: datetime = AFTERWARDS) -> Report:
    period = period_of(kind, LAST, midnight)
    return compose(period, *read_log(log, period), MODELS, now)


@pytest.mark.parametrize(("kind", "first"), [("daily", 22), ("weekly", 16)])
def test_period_ends_with_the_day_that_is_given(kind: Kind, first: int) -> None:
    period = period_of(kind, LAST, midnight)
    assert period.since == datetime(2026, 11, first, tzinfo=UTC)
    assert period.until == datetime(2026, 11, 23, tzinfo=UTC)


def test_days_begin_where_people_are(tmp_path: Path) -> None:
    log = tmp_path / "kis-backend.log"
    line = '10.0.0.7 {} "POST /v1/estimate/create" 201 4.2ms key=api-bcd request=fgh\n'
    moments = ("2026-11-21T14:59:59Z", "2026-11-21T15:00:00Z", "2026-11-22T15:00:00Z")
    log.write_text("".join(line.format(at) for at in moments))
    period = period_of("daily", LAST, lambda day: midnight(day) - SEOUL)
    report = compose(period, *read_log(log, period), MODELS, AFTERWARDS)
    assert (report.requests, report.since) == (1, "2026-11-21T15:00:00Z")


def test_nothing_was_logged(tmp_path: Path) -> None:
    report = report_of(tmp_path / "kis-backend.log", "weekly")
    assert (report.requests, report.error_rate, report.hit_rate) == (0, None, None)
    assert report.latency.p95_ms is None
    assert {line.verdict for line in report.volume} == {"unknown"}


def test_unusual_day_and_client(tmp_path: Path) -> None:
    quiet = dict.fromkeys(range(15, 22), 200)
    log = log_of(tmp_path, quiet)
    log_of(tmp_path, {21: 10, 22: 900}, client="10.0.0.8")
    report = report_of(log)
    (day,) = report.volume
    assert (day.requests, day.least_before, day.most_before, day.verdict) == (900, 200, 210, "more")
    assert [(line.client, line.requests) for line in report.unusual] == [
        ("", 900),
        ("10.0.0.8", 900),
    ]
    # Who stayed away is no client of this day.
    assert [line.client for line in report.clients] == ["10.0.0.8"]


def test_days_before_the_log_are_not_known(tmp_path: Path) -> None:
    report = report_of(log_of(tmp_path, {20: 1, 21: 1, 22: 900}))
    assert [line.verdict for line in report.volume] == ["unknown"]
    assert report.unusual == ()


def test_day_that_is_not_over_is_never_too_quiet(tmp_path: Path) -> None:
    log = log_of(tmp_path, {**dict.fromkeys(range(15, 22), 500), 22: 3})
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert report_of(log).volume[0].verdict == "less"
    so_far = report_of(log, now=noon)
    assert so_far.volume[0].verdict == "unknown"
    assert not so_far.is_complete


def test_week_has_a_line_for_each_day_that_has_begun(tmp_path: Path) -> None:
    log = log_of(tmp_path, dict.fromkeys(range(9, 23), 300))
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert [line.day for line in report_of(log, "weekly", noon).volume] == [
        f"2026-11-{day}" for day in (16, 17, 18, 19, 20)
    ]
    report = report_of(log, "weekly")
    assert (report.requests, len(report.volume), report.unusual) == (2_100, 7, ())
