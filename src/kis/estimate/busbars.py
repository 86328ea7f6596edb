"""Branch breakers in facing pairs, and the pairs dealt to busbars.

Branches lie sideways in two columns that face each other over a vertical
busbar: a body's width runs down the enclosure, its height across. Lengths are
tenths of a millimetre.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from kis.estimate.model import Form, SelectedDevice
from kis.knowledge.rules import RuleSet, row_for_frame

FOUR_POLES = 4


class Row(msgspec.Struct, frozen=True):
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

    Equal rows stand one after the other, and are one object.
    """
    rows: list[Row] = []
    for lines in _by_class(branches, rules):
        of_class = [(line, line.line.quantity) for line in lines]
        if form == "STANDARD":
            pitch_dmm = pole_pitch_dmm(lines[0].row.frame_size_a, rules)
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
    for lines in _by_class(branches, rules):
        of_class = [line for line in lines for _ in range(line.line.quantity)]
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


def _by_class(branches: Iterable[SelectedDevice], rules: RuleSet) -> Iterator[list[SelectedDevice]]:
    """Yield the lines of each pitch class, the largest first, wide ones first in each."""
    classes: dict[int, list[SelectedDevice]] = {}
    for line in branches:
        classes.setdefault(pitch_class(line.row.frame_size_a, rules), []).append(line)
    for upper_frame_a in sorted(classes, reverse=True):
        yield sorted(classes[upper_frame_a], key=_line_order)


def _line_order(line: SelectedDevice) -> tuple[int, int, str, str, str]:
    row = line.row
    return (-row.width_dmm, -row.height_dmm, row.brand, row.model, line.line.name)


def pitch_class(frame_size_a: int, rules: RuleSet) -> int:
    """Return the class by its upper frame; above the table each frame is alone."""
    row = row_for_frame(rules.pitch_classes, frame_size_a)
    return row.max_frame_size_a if row else frame_size_a


def pole_pitch_dmm(frame_size_a: int, rules: RuleSet) -> int:
    """Return the distance between two poles of that frame."""
    row = row_for_frame(rules.pitch_classes, frame_size_a)
    return row.pole_pitch_dmm if row else rules.pole_pitch_above_dmm


_Run = tuple[SelectedDevice, int]
"""A line, and how many of its breakers."""


def _part_facing_4p(runs: list[_Run]) -> tuple[list[_Run], list[_Run]]:
    """Return the 4P breakers that face another 4P, and the others; both keep their order."""
    left = sum(count for line, count in runs if line.row.poles == FOUR_POLES) // 2 * 2
    facing: list[_Run] = []
    others: list[_Run] = []
    for line, count in runs:
        faces = min(count, left) if line.row.poles == FOUR_POLES else 0
        left -= faces
        facing.append((line, faces))
        others.append((line, count - faces))
    return facing, others


def _pair(runs: list[_Run], least_dmm: int = 0) -> list[Row]:
    """Pair neighbours: the odd one of a run with the first of the next."""
    rows: list[Row] = []
    single: SelectedDevice | None = None
    for line, count in runs:
        left = count
        if single is not None and left:
            rows.append(Row(single, line, max(single.row.width_dmm, least_dmm)))
            single = None
            left -= 1
        rows += [Row(line, line, max(line.row.width_dmm, least_dmm))] * (left // 2)
        if left % 2:
            single = line
    if single is not None:
        rows.append(Row(single, None, max(single.row.width_dmm, least_dmm)))
    return rows
