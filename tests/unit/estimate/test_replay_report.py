"""The report of a replay: figures in mm and m², causes and cases by what matters most."""

import msgspec

from kis.estimate.causes import RULES, Cause
from kis.estimate.replay import CauseCount, Counter, StoredSize, Tally
from kis.estimate.replay_report import MAX_CAUSES, regression_of, report_of, row_of
from kis.estimate.verdict import Judgement, Verdict
from kis.units import Size

REFUSED = Verdict(None, None, "NEED_KNOWLEDGE_UPDATE", "$.main.model", "모름", "unknown")


def tally() -> Tally:
    """One passed, two changed, one failed."""
    afters = (
        Verdict((500, 600, 150), "HB506015"), Verdict((600, 600, 150), "HB606015"),
        Verdict((450.5, 600, 150)), REFUSED,
    )  # fmt: skip
    rows = [
        StoredSize(f"e{n}", 500.0, 600.0, 150.0, "HB506015", "v1", b"{}")
        for n in range(len(afters))
    ]
    found = Tally()
    counter = Counter(found, lambda *_: (Cause("breakers", "removed", ("LS", "X", 3)),))
    counter.add(rows, map(Judgement, afters))
    counter.settle()
    return found


def test_figures_in_millimetres() -> None:
    report = report_of(tally(), "v2", None)
    assert (report.total, report.passed, report.changed, report.failed) == (4, 1, 2, 1)
    assert (report.width.grown, report.width.shrunk) == (1, 1)
    assert (report.width.most_grown, report.width.most_shrunk) == (100, -49.5)
    assert report.width.mean_change == 25.2
    assert (report.front_before_m2, report.front_after_m2) == (0.6, 0.6303)
    assert (report.front.most_grown, report.front.most_shrunk) == (0.06, -0.0297)
    assert (report.to_stock, report.to_made_to_order) == (0, 1)


def test_cases_failed_ones_first_then_the_largest_change() -> None:
    cases = report_of(tally(), "v2", "v1").cases
    assert [case.id for case in cases] == ["e3", "e1", "e2"]
    assert (cases[0].outcome, cases[0].code, cases[0].after) == ("failed", REFUSED.code, None)
    assert cases[1].before == Size(500, 600, 150)
    assert cases[2].after == Size(450.5, 600, 150)
    assert (cases[2].before_model, cases[2].after_model) == ("HB506015", None)
    assert cases[1].causes == ("breakers LS X 3P",)


def test_sizes_are_whole_where_whole() -> None:
    assert b'"before":{"W":500,"H":600,"D":150}' in msgspec.json.encode(
        report_of(tally(), "v2", None)
    )


def test_failures_and_causes() -> None:
    report = report_of(tally(), "v2", None)
    assert [(f.code, f.count, f.first_estimate) for f in report.failures] == [
        ("NEED_KNOWLEDGE_UPDATE", 1, "e3")
    ]
    (cause,) = report.causes
    assert cause.row == {"brand": "LS", "model": "X", "poles": "3P"}
    assert (cause.change, cause.changed, cause.failed) == ("removed", 2, 1)


def test_causes_most_frequent_first_and_bounded() -> None:
    causes = [
        CauseCount(Cause("accessories", "added", (f"A{n:03}",)), changed=n)
        for n in range(MAX_CAUSES + 10)
    ]
    report = report_of(Tally(causes=causes), "v2", None)
    assert (len(report.causes), report.cause_count) == (MAX_CAUSES, MAX_CAUSES + 10)
    assert report.causes[0].row == {"code": f"A{MAX_CAUSES + 9:03}"}


def test_rules_have_no_row() -> None:
    assert row_of(RULES) == {}
    assert row_of(Cause("enclosures", "added", ("HB",))) == {"model": "HB"}


def test_empty_replay() -> None:
    report = report_of(Tally(), "v2", None)
    assert (report.total, report.width.mean_change, report.cases) == (0, 0.0, ())


def test_regression_of_an_activation() -> None:
    regression = regression_of(tally())
    assert (regression.total, regression.passed) == (4, 1)
    assert (regression.changed, regression.failed) == (2, 1)
    failed, changed, _ = regression.cases
    assert (failed.name, failed.outcome, failed.code) == ("e3", "failed", REFUSED.code)
    assert (changed.before, changed.after) == (Size(500, 600, 150), Size(600, 600, 150))
    assert not any(case.golden for case in regression.cases)
