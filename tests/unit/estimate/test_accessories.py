"""One beside the main, shelves of meters and contactors, the rest by first fit."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.accessories import (
    Arrangement,
    Space,
    Unit,
    arrange,
    placeable_units,
    space_at,
    widest_dmm,
)
from kis.knowledge.snapshot import Snapshot

from .boards import accessory, selected_accessory

METER = Unit(1300, 1300, "METER-3PH", "meter")
CONTACTOR = Unit(750, 460, "MC-9..22", "contactor")
TIMER = Unit(1000, 650, "TIMER-24H", "timer")
SPD = Unit(898, 356, "SPD", "spd")
NO_ROOM_BESIDE = Space(beside_width_dmm=0, usable_width_dmm=5000)
ROOM_BESIDE = Space(beside_width_dmm=1300, usable_width_dmm=5000)
MAIN_DMM = 1300


def arranged(
    units: list[Unit], snapshot: Snapshot, space: Space = NO_ROOM_BESIDE, free: int = 0
) -> Arrangement:
    return arrange(units, space, MAIN_DMM, free, snapshot.rules.accessories)


def rows(arrangement: Arrangement) -> list[tuple[int, list[str]]]:
    return [(row.y_dmm, [unit.code for unit in row.units]) for row in arrangement.rows]


def test_units_are_tallest_first(seed_snapshot: Snapshot) -> None:
    items = [
        selected_accessory(accessory("T", "timer", 650, 1000), 2),
        selected_accessory(accessory("M", "meter", 1300, 1300)),
        selected_accessory(accessory("W", "timer", 700, 1000)),
    ]
    units = placeable_units(items, seed_snapshot.rules.accessories)
    assert [unit.code for unit in units] == ["M", "W", "T", "T"]


@pytest.mark.parametrize(
    ("kind", "takes"),
    [("lamp", False), ("push_button", False), ("wiring_duct", False), ("meter", True),
     ("new kind", True)],
)  # fmt: skip
def test_door_and_duct_take_no_room(kind: str, takes: bool, seed_snapshot: Snapshot) -> None:
    rules = seed_snapshot.rules.accessories
    row = accessory("X", kind, 300, 300)
    assert rules.takes_room(row) is takes
    assert len(placeable_units([selected_accessory(row, 3)], rules)) == 3 * takes


def test_space_beside_a_centred_main(seed_snapshot: Snapshot) -> None:
    """600 wide, main 100: 250 on either side, less 20 to the main and 50 to the wall."""
    space = space_at(6000, 1000, seed_snapshot.rules.drawing)
    assert space == Space(beside_width_dmm=1800, usable_width_dmm=5000)


def test_widest() -> None:
    assert widest_dmm([SPD, METER, TIMER]) == 1300
    assert widest_dmm([]) == 0


@pytest.mark.parametrize(("count", "height"), [(1, 2000), (2, 2000), (3, 4000), (5, 6000)])
def test_meters_go_two_to_a_row_of_200(count: int, height: int, seed_snapshot: Snapshot) -> None:
    assert arranged([METER] * count, seed_snapshot).height_dmm == height


@pytest.mark.parametrize(("count", "height"), [(1, 2500), (5, 2500), (6, 5000), (11, 7500)])
def test_contactors_go_five_to_a_row_of_250(
    count: int, height: int, seed_snapshot: Snapshot
) -> None:
    assert arranged([CONTACTOR] * count, seed_snapshot).height_dmm == height


def test_shelf_is_as_tall_as_what_stands_on_it(seed_snapshot: Snapshot) -> None:
    tall = msgspec.structs.replace(METER, height_dmm=2600)
    assert arranged([tall, METER], seed_snapshot).height_dmm == 2600


def test_narrow_plate_takes_fewer_to_a_row(seed_snapshot: Snapshot) -> None:
    narrow = msgspec.structs.replace(NO_ROOM_BESIDE, usable_width_dmm=2500)
    assert arranged([METER] * 2, seed_snapshot, narrow).height_dmm == 4000


@pytest.mark.parametrize(("width", "count"), [(2500, 1), (2501, 2)])
def test_row_is_full_to_the_tenth(width: int, count: int, seed_snapshot: Snapshot) -> None:
    wide, narrow = (msgspec.structs.replace(TIMER, width_dmm=each) for each in (width, 2500))
    units = [wide, narrow]
    found = arranged(units, seed_snapshot)
    assert len(found.rows) == count


def test_rest_is_packed_by_first_fit_with_ducts(seed_snapshot: Snapshot) -> None:
    """Seven timers of 65 fill 455 of 500; the narrower SPD still fits the first row."""
    found = arranged([TIMER] * 8 + [SPD], seed_snapshot)
    assert rows(found) == [
        (400, ["TIMER-24H"] * 7 + ["SPD"]),
        (400 + 1000 + 400, ["TIMER-24H"]),
    ]
    assert found.height_dmm == 2 * (400 + 1000)


def test_shelves_come_before_the_rest(seed_snapshot: Snapshot) -> None:
    found = arranged([METER, TIMER, CONTACTOR], seed_snapshot)
    assert rows(found) == [
        (0, ["METER-3PH"]), (2000, ["MC-9..22"]), (4900, ["TIMER-24H"]),
    ]  # fmt: skip
    assert found.height_dmm == 2000 + 2500 + 400 + 1000


class TestBesideTheMain:
    @pytest.mark.parametrize("unit", [METER, CONTACTOR])
    def test_meter_or_contactor_that_fits(self, unit: Unit, seed_snapshot: Snapshot) -> None:
        assert arranged([unit], seed_snapshot, ROOM_BESIDE) == Arrangement(unit, (), 0)

    @pytest.mark.parametrize("unit", [TIMER, SPD])
    def test_nothing_else(self, unit: Unit, seed_snapshot: Snapshot) -> None:
        assert arranged([unit], seed_snapshot, ROOM_BESIDE).beside is None

    def test_not_where_it_does_not_fit(self, seed_snapshot: Snapshot) -> None:
        tight = msgspec.structs.replace(ROOM_BESIDE, beside_width_dmm=1299)
        assert arranged([METER], seed_snapshot, tight).beside is None

    def test_only_one(self, seed_snapshot: Snapshot) -> None:
        found = arranged([METER] * 3, seed_snapshot, ROOM_BESIDE)
        assert found.beside == METER
        assert rows(found) == [(0, ["METER-3PH"] * 2)]

    def test_the_one_that_saves_most(self, seed_snapshot: Snapshot) -> None:
        """A sixth contactor would need a shelf of 250, the meter one of 200."""
        found = arranged([METER, *[CONTACTOR] * 6], seed_snapshot, ROOM_BESIDE)
        assert found.beside == CONTACTOR
        assert found.height_dmm == 2000 + 2500

    def test_not_when_it_would_lengthen_the_board(self, seed_snapshot: Snapshot) -> None:
        """Two tall meters share a shelf; beside the main one would stand 60 above it."""
        tall = msgspec.structs.replace(METER, height_dmm=1900)
        found = arranged([tall, tall], seed_snapshot, ROOM_BESIDE)
        assert found.beside is None
        assert found.height_dmm == 2000

    def test_free_height_costs_nothing(self, seed_snapshot: Snapshot) -> None:
        """With 200 free below, a shelf is cheaper than a band that is 60 taller."""
        tall = msgspec.structs.replace(METER, height_dmm=1900)
        assert arranged([tall], seed_snapshot, ROOM_BESIDE).beside == tall
        assert arranged([tall], seed_snapshot, ROOM_BESIDE, free=2000).beside is None


units = st.builds(
    Unit,
    height_dmm=st.integers(1, 3000),
    width_dmm=st.one_of(st.integers(1, 4000), st.sampled_from([356, 460, 650])),
    code=st.sampled_from("ABC"),
    kind=st.sampled_from(["meter", "contactor", "timer", "spd"]),
)


@settings(max_examples=80, deadline=None)
@given(drawn=st.lists(units, max_size=25), beside=st.integers(0, 4000))
def test_rows_hold_everything_within_their_width_and_height(
    seed_snapshot: Snapshot, drawn: list[Unit], beside: int
) -> None:
    drawn.sort(key=lambda unit: (-unit.height_dmm, -unit.width_dmm, unit.code))
    rules = seed_snapshot.rules.accessories
    found = arranged(drawn, seed_snapshot, Space(beside, 4000))
    placed = [unit for row in found.rows for unit in row.units]
    placed += [found.beside] if found.beside else []
    assert Counter(placed) == Counter(drawn)
    bottom = 0
    for row in found.rows:
        assert sum(unit.width_dmm for unit in row.units) <= 4000
        assert row.y_dmm >= bottom
        bottom = row.y_dmm + max(unit.height_dmm for unit in row.units)
        for kind, shelf in rules.shelves.items():
            assert sum(unit.kind == kind for unit in row.units) <= shelf.per_row
    assert found.height_dmm >= bottom


def test_ducts_follow_the_rules(seed_snapshot: Snapshot) -> None:
    rules = msgspec.structs.replace(seed_snapshot.rules.accessories, duct_between_rows_dmm=0)
    found = arrange([TIMER], NO_ROOM_BESIDE, MAIN_DMM, 0, rules)
    assert rows(found) == [(0, ["TIMER-24H"])]
