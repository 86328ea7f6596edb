"""Known boards estimated once more: what is passed, changed, failed."""

import pytest

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.knowledge.regression import MAX_LISTED, Case, rerun_cases
from kis.knowledge.snapshot import Snapshot
from kis.units import Size

SMALL, LARGE = Size(400, 500, 150), Size(500, 600, 150)
REFUSAL = DomainError(
    Finding(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main.model", Text("모릅니다.", "Unknown."))
)


def resize(request: object, _: Snapshot) -> Size:
    """Give what the request says itself."""
    if isinstance(request, Size):
        return request
    raise REFUSAL


def golden(name: str, request: object, expected: Size = SMALL) -> Case:
    return Case(name, golden=True, request=request, expected=expected)


def estimate(name: str, request: object, expected: Size = SMALL) -> Case:
    return Case(name, golden=False, request=request, expected=expected)


def test_no_cases(seed_snapshot: Snapshot) -> None:
    report = rerun_cases([], seed_snapshot, resize)
    assert (report.total, report.cases, report.failed_golden) == (0, (), ())


def test_cases_that_pass_are_counted_and_not_listed(seed_snapshot: Snapshot) -> None:
    report = rerun_cases([golden("g", SMALL), estimate("e", SMALL)], seed_snapshot, resize)
    assert (report.total, report.passed, report.changed, report.failed) == (2, 2, 0, 0)
    assert report.cases == ()


def test_whole_and_fractional_numbers_are_the_same_size(seed_snapshot: Snapshot) -> None:
    """The golden set is kept as floats, an estimate answers whole numbers as such."""
    report = rerun_cases(
        [golden("g", Size(400, 500, 150), Size(400.0, 500.0, 150.0))], seed_snapshot, resize
    )
    assert report.passed == 1


def test_another_size_is_a_change_and_for_a_golden_case_a_failure(
    seed_snapshot: Snapshot,
) -> None:
    report = rerun_cases([estimate("e", LARGE), golden("g", LARGE)], seed_snapshot, resize)
    assert (report.changed, report.failed, report.failed_golden) == (1, 1, ("g",))
    first, second = report.cases
    assert (first.name, first.outcome, first.before, first.after) == ("g", "failed", SMALL, LARGE)
    assert (second.name, second.outcome) == ("e", "changed")
    assert (second.before, second.after) == (SMALL, LARGE)


@pytest.mark.parametrize("axis", range(3))
def test_every_axis_counts(seed_snapshot: Snapshot, axis: int) -> None:
    sizes = [400, 500, 150]
    sizes[axis] += 1
    report = rerun_cases([golden("g", Size(*sizes))], seed_snapshot, resize)
    assert report.failed == 1


def test_refusal_is_a_failure_with_its_code_and_words(seed_snapshot: Snapshot) -> None:
    report = rerun_cases([estimate("e", "?"), golden("g", "?")], seed_snapshot, resize)
    assert (report.failed, report.failed_golden) == (2, ("g",))
    case = report.cases[1]
    assert (case.name, case.code, case.path) == ("e", "NEED_KNOWLEDGE_UPDATE", "$.main.model")
    assert (case.message_ko, case.message_en) == ("모릅니다.", "Unknown.")
    assert (case.before, case.after) == (SMALL, None)


def test_report_is_bounded_and_no_golden_case_is_cut_off(seed_snapshot: Snapshot) -> None:
    cases = [estimate(f"e{n}", LARGE) for n in range(MAX_LISTED + 50)]
    report = rerun_cases([*cases, golden("g", LARGE)], seed_snapshot, resize)
    assert (report.total, report.changed) == (MAX_LISTED + 51, MAX_LISTED + 50)
    assert len(report.cases) == MAX_LISTED
    assert report.failed_golden == ("g",)


def test_golden_cases_beyond_the_bound_still_refuse(seed_snapshot: Snapshot) -> None:
    report = rerun_cases(
        [golden(f"g{n}", LARGE) for n in range(MAX_LISTED + 1)], seed_snapshot, resize
    )
    assert report.failed == MAX_LISTED + 1
    assert report.failed_golden
