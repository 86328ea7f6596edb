"""Branch breakers in facing pairs, and the pairs dealt to busbars.

Branches lie sideways in two columns that face each other over a vertical
busbar: a body's width runs down the enclosure, its height across. Lengths are
tenths of a millimetre.
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from kis.estimate.model import Form, SelectedDevice
from kis.knowledge.rules import RuleSet, row_for_frame

FOUR_POLES = 4


class Row(NamedTuple):
    """Two facing breakers, or one alone; as tall as its wider partner at least."""

    left: SelectedDevice
    right: SelectedDevice | None
    height_dmm: int

    @property
    def faces_two_4p(self) -> bool:
        """Whether both partners have four poles."""
        return (
            self.right is not None
            and self.left.row.poles == FOUR_POLES
            and self.right.row.poles == FOUR_POLES
        )


def pair_rows(branches: Iterable[SelectedDevice], form: Form, rules: RuleSet) -> tuple[Row, ...]:
    """Pair `branches` within their pitch class, wide ones first.

    Sorting by width and pairing neighbours gives the least total height. In a
    STANDARD board two facing 4P breakers take five pole pitches, since N is not
    mirrored (DOMAIN, "Layout" and "STANDARD"). There 4P breakers face each other
    before the rest is paired: were they to face whoever is as wide, an odd body
    could part two of them and make the board smaller. So one breaker more gives
    at least as many rows, and in order of height each is at least as tall.
    """
    lines = sorted(branches, key=_line_order(rules))
    rows: list[Row] = []
    for _, members in groupby(lines, key=lambda line: pitch_class(line.row.frame_size_a, rules)):
        of_class = [line for line in members for _ in range(line.line.quantity)]
        if form == "STANDARD":
            pitch_dmm = pole_pitch_dmm(of_class[0].row.frame_size_a, rules)
            facing, of_class = _part_facing_4p(of_class)
            rows += _pair(facing, rules.standard.facing_four_pole_pitches * pitch_dmm)
        rows += _pair(of_class)
    return tuple(rows)


def reachable_loads(
    branches: Iterable[SelectedDevice], form: Form, rules: RuleSet, most_dmm: int
) -> int:
    """Return what the rows of `pair_rows` come to for any choice among `branches`.

    Bit n is set where some of them (none, to all of them) take n tenths of a
    millimetre on one busbar; up to `most_dmm`.
    """
    mask = (1 << (most_dmm + 1)) - 1
    loads = 1
    lines = sorted(branches, key=_line_order(rules))
    for _, members in groupby(lines, key=lambda line: pitch_class(line.row.frame_size_a, rules)):
        of_class = [line for line in members for _ in range(line.line.quantity)]
        pitch_dmm = pole_pitch_dmm(of_class[0].row.frame_size_a, rules)
        facing_dmm = rules.standard.facing_four_pole_pitches * pitch_dmm
        states = {_NOTHING_OPEN: loads}
        for unit in of_class:
            can_face = form == "STANDARD" and unit.row.poles == FOUR_POLES
            moves = _face if can_face else _mix
            taken = dict(states)
            for state, bits in states.items():
                for after, added_dmm in moves(state, unit.row.width_dmm, facing_dmm):
                    taken[after] = taken.get(after, 0) | bits << added_dmm & mask
            states = taken
        loads = 0
        for state, bits in states.items():
            loads |= 0 if state.facing else bits
    return loads


class _Open(NamedTuple):
    """What waits for a partner: one of the facing 4P, one of the others.

    `has_spare`: the last 4P, with none to face, is among the others already.
    """

    facing: bool
    mixed: bool
    has_spare: bool


_NOTHING_OPEN = _Open(facing=False, mixed=False, has_spare=False)
_Moves = Iterable[tuple[_Open, int]]


def _mix(state: _Open, width_dmm: int, _facing_dmm: int) -> _Moves:
    yield state._replace(mixed=not state.mixed), 0 if state.mixed else width_dmm


def _face(state: _Open, width_dmm: int, facing_dmm: int) -> _Moves:
    if state.has_spare:
        return
    added_dmm = 0 if state.facing else max(width_dmm, facing_dmm)
    yield state._replace(facing=not state.facing), added_dmm
    if not state.facing:
        yield from _mix(state._replace(has_spare=True), width_dmm, facing_dmm)


LineOrder = tuple[int, int, int, str, str, str]


def _line_order(rules: RuleSet) -> Callable[[SelectedDevice], LineOrder]:
    def order(line: SelectedDevice) -> LineOrder:
        row = line.row
        return (
            -pitch_class(row.frame_size_a, rules),
            -row.width_dmm,
            -row.height_dmm,
            row.brand,
            row.model,
            line.line.name,
        )

    return order


def pitch_class(frame_size_a: int, rules: RuleSet) -> int:
    """Return the class by its upper frame; above the table each frame is alone."""
    row = row_for_frame(rules.pitch_classes, frame_size_a)
    return row.max_frame_size_a if row else frame_size_a


def pole_pitch_dmm(frame_size_a: int, rules: RuleSet) -> int:
    """Return the distance between two poles of that frame."""
    row = row_for_frame(rules.pitch_classes, frame_size_a)
    return row.pole_pitch_dmm if row else rules.pole_pitch_above_dmm


def _part_facing_4p(
    units: list[SelectedDevice],
) -> tuple[list[SelectedDevice], list[SelectedDevice]]:
    """Return the 4P breakers that face another 4P, and the others; both keep their order."""
    even = sum(unit.row.poles == FOUR_POLES for unit in units) // 2 * 2
    facing: list[SelectedDevice] = []
    others: list[SelectedDevice] = []
    for unit in units:
        is_facing = unit.row.poles == FOUR_POLES and len(facing) < even
        (facing if is_facing else others).append(unit)
    return facing, others


def _pair(units: list[SelectedDevice], least_dmm: int = 0) -> list[Row]:
    rows = []
    for index in range(0, len(units), 2):
        left = units[index]
        right = units[index + 1] if index + 1 < len(units) else None
        rows.append(Row(left, right, max(left.row.width_dmm, least_dmm)))
    return rows
