"""How many busbars, how wide, which enclosure."""

import msgspec
import pytest

from kis.estimate.accessories import Unit
from kis.estimate.busbars import Row
from kis.estimate.enclosure import Need, Siblings
from kis.estimate.fitting import Fit, fit
from kis.estimate.sizing import Budget
from kis.knowledge.model import StockEnclosure
from kis.knowledge.snapshot import Snapshot

from .boards import enclosure, rows_of

TALLEST_DMM = 22_000
MAIN_WIDTH_DMM = 1000
TIMER = Unit(1000, 650, "TIMER-24H", "timer")
METER = Unit(1300, 1300, "METER-3PH", "meter")

NEEDS = Budget(
    top_dmm=800,
    main_dmm=1300,
    gap_dmm=300,
    bottom_dmm=900,
    width_per_busbar_dmm=5600,
    least_width_dmm=4000,
    least_height_dmm=0,
    depth_dmm=1500,
    accessory_share_percent=0,
    accessory_duct_dmm=0,
)
"""An ECONOMIC board with a main of 100x130: 330 mm besides its rows."""

BARE = msgspec.structs.replace(NEEDS, width_per_busbar_dmm=0)


def siblings() -> Siblings:
    return Siblings(Need(4000, 4000, 1500))


def found(
    snapshot: Snapshot,
    rows: tuple[Row, ...] = (),
    units: tuple[Unit, ...] = (),
    *,
    needs: Budget = NEEDS,
    stock: tuple[StockEnclosure, ...] = (),
    tallest_dmm: int = TALLEST_DMM,
) -> Fit:
    return fit(
        needs, siblings, rows, list(units), MAIN_WIDTH_DMM, stock, tallest_dmm, snapshot.rules
    )


def test_main_alone_has_no_busbar(seed_snapshot: Snapshot) -> None:
    result = found(seed_snapshot, needs=BARE)
    assert result.busbars == []
    assert (result.width_dmm, result.height_dmm) == (4000, 3300)
    assert (result.need.width_dmm, result.need.height_dmm) == (4000, 4000)


def test_requirement_is_kept_beside_what_is_rounded_up(seed_snapshot: Snapshot) -> None:
    result = found(seed_snapshot, rows_of(750, 330))
    assert (result.width_dmm, result.height_dmm) == (5600, 3300 + 1080)
    assert (result.need.width_dmm, result.need.height_dmm) == (6000, 5000)
    assert (result.choice.width_dmm, result.choice.height_dmm) == (6000, 5000)


@pytest.mark.parametrize(
    ("rows", "busbars", "height"),
    [
        (18, 1, 3300 + 18 * 1000),
        (19, 2, 3300 + 10 * 1000),
        (37, 2, 3300 + 19 * 1000),
    ],
)
def test_one_busbar_more_once_no_stock_is_tall_enough(
    rows: int, busbars: int, height: int, seed_snapshot: Snapshot
) -> None:
    tallest = 3300 + 18_500 if rows < 37 else TALLEST_DMM + 300
    result = found(seed_snapshot, rows_of(*[1000] * rows), tallest_dmm=tallest)
    assert len(result.busbars) == busbars
    assert result.height_dmm == height
    assert result.width_dmm == busbars * 5600


def test_busbars_share_the_height_of_accessories(seed_snapshot: Snapshot) -> None:
    """E is 25 % of the tallest busbar, and what it leaves free costs nothing."""
    needs = msgspec.structs.replace(NEEDS, accessory_share_percent=25)
    result = found(seed_snapshot, rows_of(*[1000] * 20), (TIMER,), needs=needs)
    assert [len(bar) for bar in result.busbars] == [10, 10]
    assert result.height_dmm == 3300 + 10_000 + 2500


def test_two_busbars_get_no_less_front_than_one_of_full_height(seed_snapshot: Snapshot) -> None:
    """The second adds little width here: 1100 x 1300 would be less than 900 x 2200."""
    needs = msgspec.structs.replace(NEEDS, width_per_busbar_dmm=5200, least_width_dmm=9000)
    rows = rows_of(*[1000] * 19)
    result = found(seed_snapshot, rows, needs=needs)
    assert len(result.busbars) == 2
    assert result.need.front == 9000 * 22_000
    assert result.choice.front >= 9000 * 22_000
    assert (result.choice.width_dmm, result.choice.height_dmm) == (11_000, 18_000)


def test_where_no_stock_is_tall_enough_for_a_row_one_busbar_takes_all(
    seed_snapshot: Snapshot,
) -> None:
    result = found(seed_snapshot, rows_of(20_000, 1000))
    assert [[row.height_dmm for row in bar] for bar in result.busbars] == [[20_000, 1000]]


class TestWidth:
    def test_wide_accessory_widens_the_board(self, seed_snapshot: Snapshot) -> None:
        wide = msgspec.structs.replace(TIMER, width_dmm=7010)
        result = found(seed_snapshot, rows_of(750), (wide,))
        assert result.width_dmm == 7010 + 2 * 500
        assert result.need.width_dmm == 9000

    def test_wider_when_it_saves_front(self, seed_snapshot: Snapshot) -> None:
        """Sixteen timers of 65 take three rows at 600 wide, two at 700."""
        result = found(seed_snapshot, rows_of(900), (TIMER,) * 16)
        assert result.need.width_dmm == 7000
        assert result.height_dmm == 3300 + 900 + 2 * 1400

    def test_not_wider_when_it_saves_none(self, seed_snapshot: Snapshot) -> None:
        result = found(seed_snapshot, rows_of(*[1000] * 16), (TIMER,) * 8)
        assert result.need.width_dmm == 6000
        assert result.height_dmm == 3300 + 16_000 + 2 * 1400

    def test_wider_makes_room_beside_the_main(self, seed_snapshot: Snapshot) -> None:
        """400 wide leaves 80 beside a main of 100; a meter of 130 needs 500."""
        needs = msgspec.structs.replace(NEEDS, width_per_busbar_dmm=4000)
        result = found(seed_snapshot, rows_of(500), (METER,), needs=needs)
        assert result.need.width_dmm == 5000
        assert result.arrangement.beside == METER
        assert result.height_dmm == 3300 + 500


def test_unit_taller_than_the_main_lengthens_its_band(seed_snapshot: Snapshot) -> None:
    tall = msgspec.structs.replace(METER, height_dmm=1500)
    result = found(seed_snapshot, rows_of(750), (tall,))
    assert result.main_band_dmm == 1500
    assert result.height_dmm == 3300 + 200 + 750


def test_stock_is_chosen_for_the_rounded_need(seed_snapshot: Snapshot) -> None:
    stock = (enclosure(560, 440, 150), enclosure(600, 500, 150))
    result = found(seed_snapshot, rows_of(750, 330), stock=stock)
    assert result.choice.stock == stock[1]
