"""Where each device stands, in millimetres from the top left of the enclosure."""

import pytest

from kis.estimate.accessories import Arrangement, ShelfRow, Unit
from kis.estimate.busbars import Row
from kis.estimate.enclosure import Choice
from kis.estimate.model import Layout
from kis.estimate.placement import Plan, place
from kis.knowledge.snapshot import Snapshot

from .boards import breaker, selected

MAIN = selected(breaker("MAIN", 4, 100, 1000, height_dmm=1300))
NO_ACCESSORIES = Arrangement(None, (), 0)
Figures = tuple[str, float, float, float, float, bool]


def laid_out(
    snapshot: Snapshot,
    *busbars: list[Row],
    accessories: Arrangement = NO_ACCESSORIES,
    width_dmm: int = 6000,
    band_dmm: int = 1300,
) -> Layout:
    plan = Plan(MAIN, list(busbars), accessories, 800, band_dmm, 300)
    return place(plan, Choice(width_dmm, 10_000, 1500, None), snapshot.rules.drawing)


def figures(layout: Layout) -> list[Figures]:
    return [(p.device, p.x, p.y, p.w, p.h, p.rotated) for p in layout.placements]


def row(left: tuple[int, int, int], right: tuple[int, int, int] | None, height: int) -> Row:
    """Return a row of bodies by poles, width and height."""
    bodies = [
        selected(breaker(f"{sides[0]}P", sides[0], 100, sides[1], height_dmm=sides[2]))
        for sides in (left, right)
        if sides is not None
    ]
    return Row(bodies[0], bodies[1] if right else None, height)


def test_main_stands_upright_in_the_middle_of_the_top(seed_snapshot: Snapshot) -> None:
    layout = laid_out(seed_snapshot)
    assert figures(layout) == [("M1", 250, 80, 100, 130, False)]
    assert layout.placements[0].role == "main"
    assert layout.busbars == ()


def test_odd_width_stays_within_a_tenth_of_the_middle(seed_snapshot: Snapshot) -> None:
    assert laid_out(seed_snapshot, width_dmm=6001).placements[0].x == 250


def test_branches_lie_sideways_and_face_each_other(seed_snapshot: Snapshot) -> None:
    """Width runs down, height across; 100 between the columns for the busbar."""
    layout = laid_out(
        seed_snapshot,
        [row((3, 750, 1300), (3, 740, 960), 750), row((2, 500, 1300), None, 500)],
    )
    assert figures(layout)[1:] == [
        ("B1", 120, 240, 130, 75, True),
        ("B2", 350, 240, 96, 74, True),
        ("B3", 120, 315, 130, 50, True),
    ]
    (busbar,) = layout.busbars
    assert (busbar.x, busbar.y, busbar.h) == (300, 240, 125)


def test_facing_four_poles_stand_at_opposite_ends(seed_snapshot: Snapshot) -> None:
    """N is not mirrored: five pitches of 25 hold two bodies of four."""
    layout = laid_out(seed_snapshot, [row((4, 1000, 1300), (4, 1000, 1300), 1250)])
    assert [(p.y, p.h) for p in layout.placements[1:]] == [(240, 100), (265, 100)]


def test_busbars_divide_the_width(seed_snapshot: Snapshot) -> None:
    bar = [row((3, 750, 1300), None, 750)]
    layout = laid_out(seed_snapshot, bar, bar * 2, width_dmm=12_000)
    assert [(b.x, b.y, b.h) for b in layout.busbars] == [(300, 240, 75), (900, 240, 150)]
    assert [(p.device, p.x, p.y) for p in layout.placements[1:]] == [
        ("B1", 120, 240), ("B2", 720, 240), ("B3", 720, 315),
    ]  # fmt: skip


def test_busbar_without_rows_is_not_drawn(seed_snapshot: Snapshot) -> None:
    layout = laid_out(seed_snapshot, [row((3, 750, 1300), None, 750)], [], width_dmm=12_000)
    assert [bar.x for bar in layout.busbars] == [300]


def test_accessories_stand_beside_the_main_and_below_the_tallest_busbar(
    seed_snapshot: Snapshot,
) -> None:
    meter = Unit(1500, 1300, "METER", "meter")
    timer = Unit(1000, 650, "TIMER", "timer")
    arrangement = Arrangement(
        meter, (ShelfRow(400, (timer, timer)), ShelfRow(1800, (timer,))), 2800
    )
    bar = [row((3, 750, 1300), None, 750)]
    layout = laid_out(
        seed_snapshot, bar * 2, bar, accessories=arrangement, width_dmm=12_000, band_dmm=1500
    )
    below = 80 + 150 + 30 + 150
    assert [p[:3] for p in figures(layout) if p[0].startswith("A")] == [
        ("A1", 670, 80),  # 20 beside the main of 550 to 650
        ("A2", 50, below + 40),
        ("A3", 115, below + 40),
        ("A4", 50, below + 180),
    ]
    assert {p.role for p in layout.placements if p.device.startswith("A")} == {"accessory"}
    assert layout.placements[1].y == 80 + 150 + 30  # the band is as tall as the meter


@pytest.mark.parametrize(("width", "utilisation"), [(6000, 0.022), (13_000, 0.01)])
def test_utilisation_is_device_area_over_front(
    width: int, utilisation: float, seed_snapshot: Snapshot
) -> None:
    assert laid_out(seed_snapshot, width_dmm=width).utilisation == utilisation
