"""Rows that look wrong next to their neighbours: remarks for people, no refusals."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from kis.errors import Text
from kis.knowledge.model import Breaker, BreakerKey, Part, RowKey
from kis.knowledge.snapshot import Tables
from kis.units import to_mm

WIDER_POLES_NARROWER = "WIDER_POLES_NARROWER"
OUTLINE_DIFFERS = "OUTLINE_DIFFERS"
ELCB_UNLIKE_MCCB = "ELCB_UNLIKE_MCCB"
LOW_CONFIDENCE = "LOW_CONFIDENCE"

Group = tuple[object, ...]


class Remark(msgspec.Struct, frozen=True):
    """Something about a row of `part` that people should confirm; no row: the whole part."""

    code: str
    part: Part
    row: RowKey
    message: Text


def check_neighbours(tables: Tables, keys: Collection[BreakerKey]) -> list[Remark]:
    """Return remarks on the rows of `keys`, and on ELCBs whose MCCB is among them.

    They are ordered by row, then code. Keys that the tables do not hold are
    passed over. Time is about linear in the rows of `tables`.
    """
    wanted = set(keys)
    changed = [row for row in tables.breakers if row.key in wanted]
    by_series = _grouped(tables.breakers, _series_frame, {_series_frame(row) for row in changed})
    by_body = _grouped(tables.breakers, _body_group, {_body_group(row) for row in changed})
    remarks: list[Remark] = []
    for rows in by_series.values():
        remarks += _narrow_bodies(rows, wanted)
        remarks += _odd_outlines(rows, wanted)
    for rows in by_body.values():
        remarks += _odd_elcbs(rows, wanted)
    remarks += [_low_confidence(row) for row in changed if row.confidence == "low"]
    return sorted(remarks, key=lambda remark: (remark.row, remark.code))


def table_note(row: Breaker) -> Text:
    """Return the row's own warning as a quotation to follow a sentence; empty without one.

    It is data, in whatever language the table has it.
    """
    if not row.warning:
        return Text("", "")
    return Text(f" 표의 메모: “{row.warning}”", f' Note in the table: "{row.warning}"')


def _series_frame(row: Breaker) -> Group:
    return (row.brand, row.series, row.frame_size_a)


def _body_group(row: Breaker) -> Group:
    return (row.brand, row.frame_size_a, row.poles, row.grade)


def _grouped(
    rows: Iterable[Breaker], group_of: Callable[[Breaker], Group], only: Collection[Group]
) -> dict[Group, list[Breaker]]:
    groups: dict[Group, list[Breaker]] = {}
    for row in rows:
        group = group_of(row)
        if group in only:
            groups.setdefault(group, []).append(row)
    return groups


def _narrow_bodies(rows: Sequence[Breaker], wanted: Collection[BreakerKey]) -> Iterator[Remark]:
    """Compare with the usual width of other poles: one odd row must not blame all others."""
    usual = {
        poles: _usual_width(row.width_dmm for row in rows if row.poles == poles)
        for poles in {row.poles for row in rows}
    }
    told_from_above = {
        row.poles for row in rows if row.key in wanted and row.width_dmm == usual[row.poles]
    }
    for row in rows:
        if row.key not in wanted:
            continue
        own = row.width_dmm
        is_usual = own == usual[row.poles]
        fewer = [poles for poles, width in usual.items() if poles < row.poles and width > own]
        more = [
            poles
            for poles, width in usual.items()
            if poles > row.poles and width < own and not (is_usual and poles in told_from_above)
        ]
        if fewer:
            yield _width_remark(row, max(fewer), usual[max(fewer)], ko="좁습니다", en="narrower")
        elif more:
            yield _width_remark(row, min(more), usual[min(more)], ko="넓습니다", en="wider")


def _usual_width(widths: Iterable[int]) -> int:
    counts = Counter(widths)
    return min(counts, key=lambda width: (-counts[width], width))


def _width_remark(row: Breaker, poles: int, width_dmm: int, *, ko: str, en: str) -> Remark:
    own, other = to_mm(row.width_dmm), to_mm(width_dmm)
    message = Text(
        f"{_name(row)}: 폭 {own} mm는 같은 계열, 같은 프레임 {poles}P의 폭 {other} mm보다 {ko}.",
        f"{_name(row)}: {own} mm wide, {en} than the {other} mm of {poles}P "
        "in the same series and frame.",
    )
    return Remark(WIDER_POLES_NARROWER, "breakers", row.key, message)


def _odd_outlines(rows: Sequence[Breaker], wanted: Collection[BreakerKey]) -> Iterator[Remark]:
    """Compare height and depth within a grade: compact bodies are lower by design.

    A row that is alone in its grade is compared with the whole series and frame.
    """
    everywhere = Counter(_outline(row) for row in rows)
    in_grade: dict[str | None, Counter[tuple[int, int]]] = {}
    for row in rows:
        in_grade.setdefault(row.grade, Counter())[_outline(row)] += 1
    for row in rows:
        if row.key not in wanted:
            continue
        peers = in_grade[row.grade]
        usual = _majority_of_others(peers if peers.total() > 1 else everywhere, _outline(row))
        if usual is not None:
            yield _outline_remark(row, usual)


def _outline(row: Breaker) -> tuple[int, int]:
    return (row.height_dmm, row.depth_dmm)


def _majority_of_others(
    outlines: Counter[tuple[int, int]], own: tuple[int, int]
) -> tuple[int, int] | None:
    """Return the outline that over half of the other rows share, if it is not `own`."""
    others = outlines.total() - 1
    for outline, times in outlines.most_common(2):
        if outline != own and times * 2 > others:
            return outline
    return None


def _outline_remark(row: Breaker, usual: tuple[int, int]) -> Remark:
    height, depth = to_mm(row.height_dmm), to_mm(row.depth_dmm)
    usual_height, usual_depth = (to_mm(length) for length in usual)
    message = Text(
        f"{_name(row)}: 높이 x 깊이 {height} x {depth} mm가 같은 계열, 같은 프레임의 다른 행 "
        f"{usual_height} x {usual_depth} mm와 다릅니다.",
        f"{_name(row)}: height x depth {height} x {depth} mm differs from the "
        f"{usual_height} x {usual_depth} mm of others in the same series and frame.",
    )
    return Remark(OUTLINE_DIFFERS, "breakers", row.key, message)


def _odd_elcbs(rows: Sequence[Breaker], wanted: Collection[BreakerKey]) -> Iterator[Remark]:
    mccbs = [row for row in rows if row.type == "MCCB"]
    bodies = Counter(_body(row) for row in mccbs)
    if not bodies:
        return
    usual = min(bodies, key=lambda body: (-bodies[body], body))
    is_mccb_wanted = any(row.key in wanted for row in mccbs)
    for row in rows:
        is_told = is_mccb_wanted or row.key in wanted
        if row.type == "ELCB" and is_told and _body(row) not in bodies:
            own, other = _body_text(_body(row)), _body_text(usual)
            message = Text(
                f"{_name(row)}: 누전차단기 {own} mm가 같은 프레임, 극수, 등급의 "
                f"배선용차단기 {other} mm와 다릅니다.",
                f"{_name(row)}: the ELCB is {own} mm, the MCCB of the same frame, poles "
                f"and grade {other} mm.",
            )
            yield Remark(ELCB_UNLIKE_MCCB, "breakers", row.key, message)


def _body(row: Breaker) -> tuple[int, int, int]:
    return (row.width_dmm, row.height_dmm, row.depth_dmm)


def _body_text(body: tuple[int, int, int]) -> str:
    return " x ".join(str(to_mm(length)) for length in body)


def _low_confidence(row: Breaker) -> Remark:
    note = table_note(row)
    message = Text(
        f"{_name(row)}: 신뢰도가 낮은 행입니다.{note.ko}",
        f"{_name(row)}: a row of low confidence.{note.en}",
    )
    return Remark(LOW_CONFIDENCE, "breakers", row.key, message)


def _name(row: Breaker) -> str:
    return f"{row.brand} {row.model} {row.poles}P"
