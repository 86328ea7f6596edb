"""Facing rows of least height; checked against brute force."""

from functools import cache
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.busbars import Row, pair_rows, pitch_class, pole_pitch_dmm, reachable_loads
from kis.estimate.model import Form, SelectedDevice
from kis.knowledge.model import Breaker
from kis.knowledge.snapshot import Snapshot

from .boards import FRAMES_A, breaker, selected

many = settings(max_examples=60, deadline=None)

bodies = st.builds(
    breaker,
    st.sampled_from("ABCDEF"),
    poles=st.integers(1, 4),
    frame=st.sampled_from(FRAMES_A),
    width=st.one_of(st.integers(100, 3500), st.sampled_from([178, 712, 750, 1000])),
)
heights = st.one_of(st.integers(1, 3000), st.sampled_from([330, 500, 750, 1000, 1050, 1400, 2800]))


def units(*bodies_in_a_class: tuple[int, int]) -> list[SelectedDevice]:
    """Return breakers of 100AF by poles and width."""
    return [
        selected(breaker(f"{poles}P{width}", poles, 100, width))
        for poles, width in bodies_in_a_class
    ]


def pairs(rows: tuple[Row, ...]) -> list[tuple[str, str | None, int]]:
    return [
        (row.left.row.model, row.right.row.model if row.right else None, row.height_dmm)
        for row in rows
    ]


@pytest.mark.parametrize(
    ("frame", "shares_with", "pitch_dmm"),
    [
        (30, 30, 250), (32, 100, 250), (50, 100, 250), (60, 100, 250), (63, 100, 250),
        (100, 100, 250), (125, 125, 300), (150, 250, 350), (200, 250, 350), (225, 250, 350),
        (250, 250, 350), (400, 400, 470), (600, 600, 700), (800, 800, 700),
    ],
)  # fmt: skip
def test_pitch_class(frame: int, shares_with: int, pitch_dmm: int, seed_snapshot: Snapshot) -> None:
    assert pitch_class(frame, seed_snapshot.rules) == shares_with
    assert pole_pitch_dmm(frame, seed_snapshot.rules) == pitch_dmm


def test_neighbours_in_width_face_each_other(seed_snapshot: Snapshot) -> None:
    rows = pair_rows(units((2, 500), (3, 750), (2, 500), (3, 740), (2, 490)), "ECONOMIC",
                     seed_snapshot.rules)  # fmt: skip
    assert pairs(rows) == [
        ("3P750", "3P740", 750), ("2P500", "2P500", 500), ("2P490", None, 490),
    ]  # fmt: skip


def test_of_equal_width_the_taller_body_comes_first(seed_snapshot: Snapshot) -> None:
    branches = [
        selected(breaker(model, height_dmm=height))
        for model, height in (("LOW", 960), ("TALL", 1640), ("B", 1300), ("A", 1300))
    ]
    rows = pair_rows(branches, "ECONOMIC", seed_snapshot.rules)
    assert pairs(rows) == [("TALL", "A", 750), ("B", "LOW", 750)]


def test_pitch_classes_do_not_face_each_other(seed_snapshot: Snapshot) -> None:
    branches = [
        selected(breaker(f"{frame}AF", frame=frame, width=1000))
        for frame in (30, 100, 125, 200, 250, 600, 800)
    ]
    rows = pair_rows(branches, "STANDARD", seed_snapshot.rules)
    assert [(left, right) for left, right, _ in pairs(rows)] == [
        ("800AF", None), ("600AF", None), ("200AF", "250AF"), ("125AF", None), ("100AF", None),
        ("30AF", None),
    ]  # fmt: skip


@many
@given(rows=st.lists(bodies, max_size=8))
def test_economic_rows_are_of_least_height(seed_snapshot: Snapshot, rows: list[Breaker]) -> None:
    branches = [selected(row) for row in rows]
    classes = tuple(pitch_class(b.row.frame_size_a, seed_snapshot.rules) for b in branches)
    widths = tuple(b.row.width_dmm for b in branches)

    @cache
    def least(left: frozenset[int]) -> int:
        if not left:
            return 0
        first = min(left)
        rest = left - {first}
        alone = widths[first] + least(rest)
        facing = [
            max(widths[first], widths[other]) + least(rest - {other})
            for other in rest
            if classes[other] == classes[first]
        ]
        return min([alone, *facing])

    paired = pair_rows(branches, "ECONOMIC", seed_snapshot.rules)
    assert sum(row.height_dmm for row in paired) == least(frozenset(range(len(branches))))


@pytest.mark.parametrize(
    ("bodies_in_a_class", "expected"),
    [
        ([(4, 1000)] * 2, [1250]),
        ([(4, 1000)] * 3, [1250, 1000]),
        ([(4, 1000)] * 3 + [(3, 750)] * 2, [1250, 1000, 750]),
        ([(4, 1000), (3, 750)], [1000]),
        ([(4, 1300)] * 2, [1300]),
        # An odd body is wider than the 4P: they face each other all the same.
        ([(4, 600)] * 2 + [(3, 610)], [1250, 610]),
    ],
)
def test_two_facing_four_poles_take_five_pitches(
    bodies_in_a_class: list[tuple[int, int]], expected: list[int], seed_snapshot: Snapshot
) -> None:
    rows = pair_rows(units(*bodies_in_a_class), "STANDARD", seed_snapshot.rules)
    assert [row.height_dmm for row in rows] == expected


def test_economic_board_knows_no_five_pitches(seed_snapshot: Snapshot) -> None:
    (row,) = pair_rows(units((4, 1000), (4, 1000)), "ECONOMIC", seed_snapshot.rules)
    assert row.faces_two_4p
    assert row.height_dmm == 1000


@many
@given(
    rows=st.lists(bodies, max_size=12), more=bodies, form=st.sampled_from(["ECONOMIC", "STANDARD"])
)
def test_one_breaker_more_lowers_no_row(
    seed_snapshot: Snapshot, rows: list[Breaker], more: Breaker, form: Form
) -> None:
    branches = [selected(row) for row in rows]
    before = heights_of(branches, form, seed_snapshot)
    after = heights_of([*branches, selected(more)], form, seed_snapshot)
    assert len(after) >= len(before)
    assert [(b, a) for b, a in zip(before, after, strict=False) if a < b] == []


def heights_of(branches: list[SelectedDevice], form: Form, snapshot: Snapshot) -> list[int]:
    rows = pair_rows(branches, form, snapshot.rules)
    return sorted((row.height_dmm for row in rows), reverse=True)


@many
@given(rows=st.lists(bodies, max_size=12), form=st.sampled_from(["ECONOMIC", "STANDARD"]))
def test_every_breaker_is_in_one_row(
    seed_snapshot: Snapshot, rows: list[Breaker], form: Form
) -> None:
    branches = [selected(row, 2) for row in rows]
    paired = pair_rows(branches, form, seed_snapshot.rules)
    seen = [id(unit) for row in paired for unit in (row.left, row.right) if unit is not None]
    assert sorted(seen) == sorted(id(branch) for branch in branches for _ in range(2))


@many
@given(
    bodies_drawn=st.lists(bodies, max_size=8),
    form=st.sampled_from(["ECONOMIC", "STANDARD"]),
    most_dmm=st.sampled_from([5_000, 50_000]),
)
def test_reachable_loads_are_those_of_every_choice(
    bodies_drawn: list[Breaker], form: Form, most_dmm: int, seed_snapshot: Snapshot
) -> None:
    rules = seed_snapshot.rules
    devices = [selected(row) for row in bodies_drawn]
    choices = chain.from_iterable(combinations(devices, n) for n in range(len(devices) + 1))
    loads = {sum(row.height_dmm for row in pair_rows(some, form, rules)) for some in choices}
    found = reachable_loads(devices, form, rules, most_dmm)
    assert {n for n in range(found.bit_length()) if found >> n & 1} == {
        load for load in loads if load <= most_dmm
    }


def test_reachable_loads_count_each_breaker_of_a_line(seed_snapshot: Snapshot) -> None:
    line = selected(breaker(width=750), quantity=5)
    found = reachable_loads([line], "ECONOMIC", seed_snapshot.rules, 5_000)
    assert found == 1 | 1 << 750 | 1 << 1500 | 1 << 2250
