"""Which body each line of the board is: looked up, never guessed."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import NamedTuple

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.estimate.alternatives import alternatives
from kis.estimate.gates import Origins
from kis.estimate.model import (
    MIXED,
    AccessoryLine,
    Board,
    Device,
    Form,
    SelectedAccessory,
    SelectedDevice,
    Selection,
)
from kis.knowledge.memory import remembered
from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.questions import Question, ask
from kis.knowledge.snapshot import Snapshot
from kis.korean import with_particle

MAX_CANDIDATES = 5
"""How many of the rows that a frame could mean are kept as evidence, best first."""
MAX_REMEMBERED_ROWS = 4_096
"""Of such rankings, in references to rows."""


class Lines(NamedTuple):
    """What is looked up in the tables: lines of a board, with their places in the request.

    The board need not be complete: `main` is None where it cannot be looked up.
    """

    brand: str
    form: Form
    main: Device | None
    branches: Iterable[tuple[Device, int]]
    accessories: Iterable[tuple[AccessoryLine, int]]


def select(board: Board, snapshot: Snapshot, origins: Origins | None = None) -> Selection:
    """Look every line of `board` up in `snapshot`; `origins` make paths of findings.

    Raises:
        DomainError: one finding for each line that cannot be told.

    """
    places = origins or Origins(
        tuple(range(len(board.branches))), tuple(range(len(board.accessories.items)))
    )
    lines = Lines(
        board.brand,
        board.form,
        board.main,
        zip(board.branches, places.branches, strict=True),
        zip(board.accessories.items, places.accessories, strict=True),
    )
    findings: list[Finding] = []
    main, branches, accessories = _select_lines(lines, snapshot, findings)
    if findings or main is None:
        raise DomainError(*findings)
    return Selection(
        main=main,
        branches=tuple(branch for branch in branches if branch is not None),
        accessories=tuple(accessories),
    )


def check_lines(lines: Lines, snapshot: Snapshot) -> list[Finding]:
    """Return what the tables have against `lines`, which need not make a whole board."""
    findings: list[Finding] = []
    _select_lines(lines, snapshot, findings)
    return findings


def _select_lines(
    lines: Lines, snapshot: Snapshot, findings: list[Finding]
) -> tuple[SelectedDevice | None, list[SelectedDevice | None], list[SelectedAccessory]]:
    main = None
    if lines.main is not None:
        main = _select_device(lines.main, "$.main", lines, snapshot, findings)
    told = len(findings)
    branches = [
        _select_device(line, f"$.branches[{place}]", lines, snapshot, findings)
        for line, place in lines.branches
    ]
    accessories = _select_accessories(lines, snapshot, findings)
    # Lines are looked up in the order of the normalised board: tell them as typed.
    findings[told:] = sorted(findings[told:], key=_line_number)
    return main, branches, accessories


def _line_number(finding: Finding) -> tuple[bool, int]:
    """Return the place of a finding's line in the request: branches, then accessories."""
    part, _, rest = finding.path.partition("[")
    return part != "$.branches", int(rest.partition("]")[0])


def _select_device(
    line: Device, path: str, lines: Lines, snapshot: Snapshot, findings: list[Finding]
) -> SelectedDevice | None:
    try:
        if line.model:
            return SelectedDevice(line, _by_model(line, path, lines.brand, snapshot))
        ranked = _by_frame(line, path, lines.form, snapshot)
        return SelectedDevice(line, ranked[0], ranked)
    except DomainError as error:
        findings.extend(error.findings)
        return None


# --- by model ----------------------------------------------------------------------


def _by_model(line: Device, path: str, board_brand: str, snapshot: Snapshot) -> Breaker:
    rows = snapshot.breakers_by_model(line.model)
    if len(rows) == 1 and _agrees(line, rows[0]):
        return rows[0]
    poles = _pole_count(line.poles)
    if not rows:
        question = Question(
            kind="breakerModel", brand=line.brand, model=line.model, poles=poles,
        )  # fmt: skip
        raise DomainError(_unknown(question, f"{path}.model"))
    findings: list[Finding] = []
    of_brand = [row for row in rows if line.brand in ("", row.brand)]
    if not of_brand:
        findings.append(_other_brand(line, path, rows, board_brand))
        of_brand = list(rows)
    elif len({row.brand for row in of_brand}) > 1:
        raise DomainError(_ambiguous(f"{path}.brand", "브랜드", "brand", of_brand))
    of_poles = [row for row in of_brand if poles in (0, row.poles)]
    if not of_poles:
        findings.append(_other_poles(line, path, of_brand, snapshot))
        of_poles = of_brand
    elif len(of_poles) > 1 and not findings:
        raise DomainError(_ambiguous(f"{path}.poles", "극수", "number of poles", of_poles))
    findings += _check_kind(line, path, of_poles, snapshot)
    findings += _check_frame(line, path, of_poles)
    findings += _check_rated_current(line, path, of_poles)
    if findings:
        raise DomainError(*findings)
    return of_poles[0]


def _agrees(line: Device, row: Breaker) -> bool:
    """Whether nothing that the line states speaks against `row`: mostly so."""
    return (
        line.brand in ("", row.brand)
        and _pole_count(line.poles) in (0, row.poles)
        and line.type in (None, row.type)
        and line.af in (None, row.frame_size_a)
        and _has_rated_current(row, line.at)
    )


def _check_kind(line: Device, path: str, rows: list[Breaker], snapshot: Snapshot) -> list[Finding]:
    row = rows[0]
    if line.type is None or line.type in [row.type for row in rows]:
        return []
    models = alternatives(snapshot, row, row.poles, line.type)
    where = "$.device.type" if path == "$.main" else f"{path}.type"
    return [
        Finding(
            ErrorCode.DEVICE_TYPE_MISMATCH,
            where,
            Text(
                f"{with_particle(row.model, '은/는')} {row.type}인데"
                f" {with_particle(line.type, '을/를')} 요청했습니다.",
                f"{row.model} is an {row.type}, but {line.type} was asked for.",
            ),
            Text(
                f"종류를 {with_particle(row.type, '으로/로')} 바꾸거나"
                f" {line.type} 모델을 고르십시오.",
                f"Ask for {row.type}, or choose a model that is an {line.type}.",
            ),
            {"expected": row.type, "actual": line.type, "models": models},
        )
    ]


def _check_frame(line: Device, path: str, rows: list[Breaker]) -> list[Finding]:
    row = rows[0]
    if line.af in (None, *(row.frame_size_a for row in rows)):
        return []
    return [
        Finding(
            ErrorCode.FRAME_SIZE_MISMATCH,
            f"{path}.af",
            Text(
                f"{row.model}의 프레임은 {row.frame_size_a}AF인데 {line.af}AF를 요청했습니다.",
                f"{row.model} has frame {row.frame_size_a} A, but {line.af} A was asked for.",
            ),
            Text(
                f"프레임을 {row.frame_size_a}AF로 바꾸거나 비우십시오.",
                f"Set the frame to {row.frame_size_a} AF, or leave it out.",
            ),
            {"expected": row.frame_size_a, "actual": line.af},
        )
    ]


def _has_rated_current(row: Breaker, rated_current_a: int | None) -> bool:
    if rated_current_a is None:
        return True
    if row.rated_currents_a:
        return rated_current_a in row.rated_currents_a
    return rated_current_a <= row.frame_size_a


def _check_rated_current(line: Device, path: str, rows: list[Breaker]) -> list[Finding]:
    if any(_has_rated_current(row, line.at) for row in rows):
        return []
    return [_wrong_rated_current(line, path, rows)]


def _wrong_rated_current(line: Device, path: str, rows: list[Breaker]) -> Finding:
    known = sorted({current for row in rows for current in row.rated_currents_a})
    listed, frame = ", ".join(map(str, known)), rows[0].frame_size_a
    return Finding(
        ErrorCode.RATED_CURRENT_MISMATCH,
        f"{path}.at",
        Text(
            f"정격전류 {line.at}A인 제품이 없습니다 ({line.model or f'{line.af}AF'}).",
            f"There is no rated current of {line.at} A ({line.model or f'{line.af} AF'}).",
        ),
        Text(f"가능한 값: {listed or f'{frame} 이하'}", f"Possible: {listed or f'up to {frame}'}"),
        {"allowed": known},
    )


# --- by frame ----------------------------------------------------------------------


def _by_frame(line: Device, path: str, form: Form, snapshot: Snapshot) -> tuple[Breaker, ...]:
    poles = _pole_count(line.poles)
    frame = line.af or 0
    kind = line.type or "MCCB"
    ranked = _ranked(snapshot, form, line.brand, frame, poles, kind, line.at)
    if ranked:
        return ranked
    rows = snapshot.breakers_by_frame(line.brand, frame, poles, kind)
    offered = _offered(rows)
    if not offered:
        question = Question(
            kind="breakerFrame", brand=line.brand, frame_size_a=frame, poles=poles, type=kind
        )
        raise DomainError(_unknown(question, f"{path}.af", [row.model for row in rows]))
    raise DomainError(_wrong_rated_current(line, path, offered))


def _offered(rows: list[Breaker]) -> list[Breaker]:
    """Return what a frame may mean: compact bodies are asked for by model."""
    return [row for row in rows if row.grade != "compact"]


@remembered(MAX_REMEMBERED_ROWS)
def _ranked(
    snapshot: Snapshot, form: Form, brand: str, frame: int, poles: int, kind: BreakerType,
    rated_current_a: int | None,
) -> tuple[Breaker, ...]:  # fmt: skip
    """Return the bodies that such a line can mean, best first; none: see why in `_by_frame`."""
    offered = _offered(snapshot.breakers_by_frame(brand, frame, poles, kind))
    preference = snapshot.rules.grade_preference[form]
    last = len(preference)

    def rank(row: Breaker) -> tuple[int, int, int, str]:
        grade = row.grade or ""
        return (
            preference.index(grade) if grade in preference else last,
            row.width_dmm * row.height_dmm,
            row.depth_dmm,
            row.model,
        )

    suitable = (row for row in offered if _has_rated_current(row, rated_current_a))
    return tuple(nsmallest(MAX_CANDIDATES, suitable, key=rank))


# --- accessories --------------------------------------------------------------------


def _select_accessories(
    lines: Lines, snapshot: Snapshot, findings: list[Finding]
) -> list[SelectedAccessory]:
    rules = snapshot.rules.accessories
    selected = []
    for line, place in lines.accessories:
        path = f"$.accessories.items[{place}].code"
        row = snapshot.accessory(line.code)
        if row is None:
            findings.append(_unknown(Question(kind="accessory", code=line.code), path))
            continue
        if not rules.can_place(row):
            findings.append(_unknown(Question(kind="outline", code=line.code), path))
            continue
        selected.append(SelectedAccessory(row, line.quantity))
    return selected


# --- findings -----------------------------------------------------------------------


def _pole_count(poles: str) -> int:
    return int(poles[0]) if poles else 0


def _unknown(question: Question, path: str, compact: list[str] | None = None) -> Finding:
    name = " ".join(question.subject.split(" ")[1:])
    words = ask(question)
    hint = words
    if compact:
        models = ", ".join(compact)
        hint = Text(
            f"{words.ko} 소형({models})은 모델명으로 요청하십시오.",
            f"{words.en} Ask for the compact ones ({models}) by model.",
        )
    return Finding(
        ErrorCode.NEED_KNOWLEDGE_UPDATE,
        path,
        Text(
            f"{name}의 치수가 활성 지식에 없습니다.",
            f"The active knowledge has no dimensions for {name}.",
        ),
        hint,
        {"question": question},
    )


def _other_brand(line: Device, path: str, rows: tuple[Breaker, ...], board_brand: str) -> Finding:
    brands = ", ".join(sorted({row.brand for row in rows}))
    where = f"{path}.brand" if board_brand == MIXED else f"{path}.model"
    return Finding(
        ErrorCode.BRAND_CONFLICT,
        where,
        Text(
            f"{with_particle(line.model, '은/는')} {brands} 제품인데"
            f" {with_particle(line.brand, '으로/로')} 요청했습니다.",
            f"{line.model} is made by {brands}, but {line.brand} was asked for.",
        ),
        Text(
            f"{line.brand} 모델을 고르거나 브랜드를 {with_particle(brands, '으로/로')} 바꾸십시오.",
            f"Choose a {line.brand} model, or make the brand {brands}.",
        ),
        {"expected": brands, "actual": line.brand},
    )


def _other_poles(line: Device, path: str, rows: list[Breaker], snapshot: Snapshot) -> Finding:
    known = ", ".join(sorted(f"{row.poles}P" for row in rows))
    return Finding(
        ErrorCode.POLES_MISMATCH,
        f"{path}.poles",
        Text(
            f"{with_particle(line.model, '은/는')} {known}인데"
            f" {with_particle(line.poles, '을/를')} 요청했습니다.",
            f"{line.model} is {known}, but {line.poles} was asked for.",
        ),
        Text(
            f"극수를 {with_particle(known, '으로/로')} 바꾸거나 {line.poles} 모델을 고르십시오.",
            f"Make it {known}, or choose a {line.poles} model.",
        ),
        {
            "expected": known,
            "actual": line.poles,
            "models": alternatives(snapshot, rows[0], _pole_count(line.poles), rows[0].type),
        },
    )


def _ambiguous(path: str, what_ko: str, what_en: str, rows: list[Breaker]) -> Finding:
    options = ", ".join(sorted({f"{row.brand} {row.model} {row.poles}P" for row in rows}))
    return Finding(
        ErrorCode.REQ_MORE_INFO,
        path,
        Text(
            f"같은 모델이 여럿 있어 {with_particle(what_ko, '을/를')} 명시해야 합니다.",
            f"Several rows have this model; the {what_en} must be stated.",
        ),
        Text(f"다음 중에서 고르십시오: {options}", f"One of: {options}"),
    )
