"""Counting by the hour."""

from kis.ops.report_hours import LATEST_DENIALS, Hours
from kis.ops.report_lines import Access, Fact, Lookup, Message, Refusal

FIRST = "2026-11-22T09"


def access(at: str = "2026-11-22T10:15:00Z", status: int = 201, ms: float = 4.2) -> Access:
    return Access(at, "10.0.0.7", "POST", "/v1/estimate/create", status, ms, "api-bcd")


def hours_of(*facts: Fact) -> Hours:
    hours = Hours(FIRST)
    for fact in facts:
        hours.add(fact)
    return hours


def test_each_hour_for_itself() -> None:
    hours = hours_of(
        access(ms=2),
        access(ms=444.4),
        access("2026-11-22T11:00:00Z"),
        Lookup("2026-11-22T11:00:00Z", hit=True),
        Message("2026-11-22T11:00:00Z", "ERROR", "a request failed"),
        Message("2026-11-22T11:00:00Z", "WARNING", "slow query 120ms"),
        Refusal("2026-11-22T11:00:00Z", "BRAND_CONFLICT", ""),
    )
    ten, eleven = hours.by_name["2026-11-22T10"], hours.by_name["2026-11-22T11"]
    assert (ten.timings.total, ten.timings.quantile(1), ten.faults) == (2, 440, 0)
    assert (eleven.timings.total, eleven.faults) == (1, 1)
    assert eleven.refusals == {"BRAND_CONFLICT": 1}


def test_what_is_older_is_left_and_what_becomes_older_is_forgotten() -> None:
    old = "2026-11-22T09:59:59Z"
    hours = hours_of(access("2026-11-22T08:59:59Z", 401), access(old, 401), access(status=403))
    assert list(hours.by_name) == [FIRST, "2026-11-22T10"]
    hours.forget_before("2026-11-22T10")
    hours.add(access(old))
    assert list(hours.by_name) == ["2026-11-22T10"]
    assert [denial.status for denial in hours.denials] == [403]


def test_the_latest_denials_are_kept() -> None:
    denied = [access(status=429, ms=float(number)) for number in range(LATEST_DENIALS + 3)]
    hours = hours_of(access(), *denied)
    assert list(hours.denials) == denied[3:]
    hours.forget_before(FIRST)
    hours.add(access(status=401))
    assert [denial.status for denial in hours.denials] == [*[429] * (LATEST_DENIALS - 1), 401]
