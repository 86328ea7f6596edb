"""What a replay found, as it is answered: in millimetres and square metres. Pure."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from kis.estimate.causes import Cause, CausePart
from kis.estimate.replay import Figure, ReplayCase, Tally
from kis.estimate.verdict import Verdict
from kis.knowledge.diff import Change
from kis.knowledge.regression import CaseResult, Regression
from kis.units import Size, to_mm

MAX_CAUSES = 100
SQUARE_METRE = 100_000_000
"""In square tenths of a millimetre."""


class _Answered(msgspec.Struct, frozen=True, rename="camel"):
    """Base: immutable, camelCase outside."""


class SideChange(_Answered, frozen=True):
    """How one side changed, in mm (the front: m²), over the changed estimates.

    `mostShrunk` is negative or 0; `meanChange` is over all changed ones.
    """

    grown: int
    shrunk: int
    mean_change: int | float
    most_grown: int | float
    most_shrunk: int | float


class Failure(_Answered, frozen=True):
    """A code that estimates would be refused with."""

    code: str
    count: int
    first_estimate: str


class RowCause(_Answered, frozen=True):
    """A row that differs, and in how many changed and failed estimates it appears.

    `row` is empty for the rules, for the stock as a whole, and for `unknown`.
    """

    part: CausePart
    change: Change
    row: dict[str, str]
    changed: int
    failed: int


class OddCase(_Answered, frozen=True):
    """An estimate that changes or fails. A `model` of null is made to order."""

    id: str
    outcome: Literal["changed", "failed"]
    before: Size | None
    before_model: str | None
    after: Size | None
    after_model: str | None
    code: str
    path: str
    message_ko: str
    message_en: str
    causes: tuple[str, ...]


class ReplayReport(_Answered, frozen=True):
    """The report. `against` null: compared with what was answered.

    `cases`: the failed ones first, then the largest changes of the front.
    """

    version: str
    against: str | None
    total: int
    passed: int
    changed: int
    failed: int
    to_stock: int
    to_made_to_order: int
    front_before_m2: float
    front_after_m2: float
    width: SideChange
    height: SideChange
    depth: SideChange
    front: SideChange
    failures: tuple[Failure, ...]
    cause_count: int
    causes: tuple[RowCause, ...]
    cases: tuple[OddCase, ...]


def report_of(tally: Tally, version: str, against: str | None) -> ReplayReport:
    """Return the report of `tally`."""
    causes = sorted(
        tally.causes,
        key=lambda c: (-c.changed - c.failed, c.cause.part, [str(step) for step in c.cause.key]),
    )
    figures = tally.figures
    return ReplayReport(
        version=version,
        against=against,
        total=tally.total,
        passed=tally.passed,
        changed=tally.changed,
        failed=tally.failed,
        to_stock=tally.to_stock,
        to_made_to_order=tally.to_made,
        front_before_m2=_square_metres(tally.front_before),
        front_after_m2=_square_metres(tally.front_after),
        width=_in_mm(figures["width"], tally.changed),
        height=_in_mm(figures["height"], tally.changed),
        depth=_in_mm(figures["depth"], tally.changed),
        front=_in_square_metres(figures["front"], tally.changed),
        failures=tuple(
            Failure(code, refusals.count, refusals.first)
            for code, refusals in sorted(tally.refusals.items(), key=lambda each: -each[1].count)
        ),
        cause_count=len(causes),
        causes=tuple(
            RowCause(c.cause.part, c.cause.change, row_of(c.cause), c.changed, c.failed)
            for c in causes[:MAX_CAUSES]
        ),
        cases=tuple(map(_case, _odd(tally))),
    )


def regression_of(tally: Tally) -> Regression:
    """Return what an activation tells of the latest estimates."""
    return Regression(
        tally.total, tally.passed, tally.changed, tally.failed,
        cases=tuple(map(_case_result, _odd(tally))),
    )  # fmt: skip


def row_of(cause: Cause) -> dict[str, str]:
    """Return the key of a row by its names, as differences of versions tell it."""
    names = {"breakers": ("brand", "model", "poles"), "accessories": ("code",)}
    steps = (f"{step}P" if isinstance(step, int) else step for step in cause.key)
    return dict(zip(names.get(cause.part, ("model",)), steps, strict=False))


def _odd(tally: Tally) -> Iterable[ReplayCase]:
    return (*tally.failed_cases, *tally.changed_cases)


def _case(case: ReplayCase) -> OddCase:
    after = case.after
    return OddCase(
        case.id, "failed" if after.sides is None else "changed",
        _size(case.before), case.before.model, _size(after), after.model,
        after.code, after.path, after.message_ko, after.message_en,
        tuple(" ".join((cause.part, *row_of(cause).values())) for cause in case.causes),
    )  # fmt: skip


def _case_result(case: ReplayCase) -> CaseResult:
    after = case.after
    return CaseResult(
        case.id, False, "failed" if after.sides is None else "changed",
        _size(case.before), _size(after), after.code, after.path,
        after.message_ko, after.message_en,
    )  # fmt: skip


def _size(verdict: Verdict) -> Size | None:
    if verdict.sides is None:
        return None
    # The columns have floats only; sizes are whole where whole.
    return Size(*(int(side) if side == int(side) else side for side in verdict.sides))


def _square_metres(front: int) -> float:
    return round(front / SQUARE_METRE, 4)


def _in_mm(figure: Figure, changed: int) -> SideChange:
    mean = round(figure.change / max(1, changed) / 10, 1)
    return SideChange(
        figure.grown, figure.shrunk, mean, to_mm(figure.most_grown), -to_mm(-figure.most_shrunk)
    )


def _in_square_metres(figure: Figure, changed: int) -> SideChange:
    return SideChange(
        figure.grown, figure.shrunk, _square_metres(round(figure.change / max(1, changed))),
        _square_metres(figure.most_grown), _square_metres(figure.most_shrunk),
    )  # fmt: skip
