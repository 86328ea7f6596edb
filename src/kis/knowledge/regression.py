"""What would change: known boards estimated once more under a candidate. Pure."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from kis.errors import DomainError
from kis.knowledge.progress import Tell, each_told, untold
from kis.knowledge.snapshot import Snapshot
from kis.units import Size

Resize = Callable[[object, Snapshot], Size]
"""Estimates a decoded request under a snapshot; raises DomainError."""


class Case(msgspec.Struct, frozen=True):
    """A board whose size is known. `name` is a golden case's, or an estimate's id."""

    name: str
    golden: bool
    request: object
    expected: Size


class CaseResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How one board did. Passed ones are counted, not listed."""

    name: str
    golden: bool
    outcome: Literal["passed", "changed", "failed"]
    before: Size | None = None
    after: Size | None = None
    code: str = ""
    path: str = ""
    message_ko: str = ""
    message_en: str = ""


class Regression(msgspec.Struct, frozen=True):
    """The report. `cases` are the ones that did not pass, golden ones first."""

    total: int
    passed: int
    changed: int
    failed: int
    cases: tuple[CaseResult, ...]

    @property
    def failed_golden(self) -> tuple[str, ...]:
        """Names of golden cases that are not as pinned: another size is a failure too."""
        return tuple(case.name for case in self.cases if case.golden)


MAX_LISTED = 200


def rerun_cases(
    cases: Sequence[Case], snapshot: Snapshot, resize: Resize, tell: Tell = untold
) -> Regression:
    """Estimate every case under `snapshot` and compare sizes."""
    told = each_told(cases, "golden", len(cases), tell)
    results = [_rerun(case, snapshot, resize) for case in told]
    odd = [result for result in results if result.outcome != "passed"]
    odd.sort(key=lambda result: not result.golden)
    counts = {
        outcome: sum(result.outcome == outcome for result in results)
        for outcome in ("passed", "changed", "failed")
    }
    return Regression(len(results), **counts, cases=tuple(odd[:MAX_LISTED]))


def join_regressions(golden: Regression, latest: Regression) -> Regression:
    """Return one report of two; the cases of the first come first."""
    return Regression(
        golden.total + latest.total,
        golden.passed + latest.passed,
        golden.changed + latest.changed,
        golden.failed + latest.failed,
        cases=(*golden.cases, *latest.cases)[:MAX_LISTED],
    )


def _rerun(case: Case, snapshot: Snapshot, resize: Resize) -> CaseResult:
    try:
        after = resize(case.request, snapshot)
    except DomainError as refusal:
        main = refusal.main
        return CaseResult(
            case.name, case.golden, "failed", before=case.expected, code=main.code,
            path=main.path, message_ko=main.message.ko, message_en=main.message.en,
        )  # fmt: skip
    if after == case.expected:
        return CaseResult(case.name, case.golden, "passed")
    outcome: Literal["changed", "failed"] = "failed" if case.golden else "changed"
    return CaseResult(case.name, case.golden, outcome, before=case.expected, after=after)
