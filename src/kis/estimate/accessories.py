"""Where accessories go: one beside the main, the rest in rows below the branches.

DOMAIN, "Accessories". Lengths are tenths of a millimetre.
"""

from collections.abc import Iterable
from itertools import chain

import msgspec

from kis.estimate.model import SelectedAccessory
from kis.knowledge.rules import AccessoryRules, Drawing


class Unit(msgspec.Struct, frozen=True):
    """One accessory that takes up room on the mounting plate."""

    height_dmm: int
    width_dmm: int
    code: str
    kind: str


class ShelfRow(msgspec.Struct, frozen=True):
    """Accessories side by side; `y_dmm` counts from the end of the branches."""

    y_dmm: int
    units: tuple[Unit, ...]


class Arrangement(msgspec.Struct, frozen=True):
    """What stands beside the main, and the rows below with their total height."""

    beside: Unit | None
    rows: tuple[ShelfRow, ...]
    height_dmm: int


NOTHING_TO_ARRANGE = Arrangement(None, (), 0)


class Space(msgspec.Struct, frozen=True):
    """What one enclosure width leaves: beside the main, and across the plate."""

    beside_width_dmm: int
    usable_width_dmm: int


def placeable_units(accessories: Iterable[SelectedAccessory], rules: AccessoryRules) -> list[Unit]:
    """Return every accessory that needs a place, tallest first.

    Door-mounted ones and wiring ducts take none; the gates have made sure that
    the others have an outline.
    """
    units = [
        Unit(item.row.height_dmm or 0, item.row.width_dmm or 0, item.row.code, item.row.kind)
        for item in accessories
        if rules.takes_room(item.row)
        for _ in range(item.quantity)
    ]
    return sorted(units, key=lambda u: (-u.height_dmm, -u.width_dmm, u.code))


def space_at(width_dmm: int, main_width_dmm: int, drawing: Drawing) -> Space:
    """Return the room that an enclosure of that width leaves around a centred main."""
    beside = (width_dmm - main_width_dmm) // 2
    beside -= drawing.beside_main_gap_dmm + drawing.side_clearance_dmm
    return Space(beside, width_dmm - 2 * drawing.side_clearance_dmm)


def arrange(
    units: list[Unit], space: Space, main_height_dmm: int, free_dmm: int, rules: AccessoryRules
) -> Arrangement:
    """Arrange `units` so that they lengthen the board least.

    `free_dmm` of height below the branches costs nothing. A unit beside the
    main that is taller than the main lengthens that band.
    """
    if not units:
        return NOTHING_TO_ARRANGE

    def cost(arrangement: Arrangement) -> tuple[int, int, bool]:
        beside = arrangement.beside
        band = max(0, beside.height_dmm - main_height_dmm) if beside else 0
        below = max(0, arrangement.height_dmm - free_dmm)
        return (below + band, arrangement.height_dmm, beside is None)

    options = [Arrangement(None, *_stack(units, space.usable_width_dmm, rules))]
    for kind in rules.beside_main_kinds:
        beside = next(
            (u for u in units if u.kind == kind and u.width_dmm <= space.beside_width_dmm), None
        )
        if beside is not None:
            rest = units.copy()
            rest.remove(beside)
            options.append(Arrangement(beside, *_stack(rest, space.usable_width_dmm, rules)))
    return min(options, key=cost)


def _stack(
    units: list[Unit], usable_width_dmm: int, rules: AccessoryRules
) -> tuple[tuple[ShelfRow, ...], int]:
    """Stack the kinds that have a shelf of their own, then the rest by first fit."""
    rows: list[ShelfRow] = []
    y = 0
    for kind, shelf in rules.shelves.items():
        own = [unit for unit in units if unit.kind == kind]
        for row in _first_fit(own, usable_width_dmm, shelf.per_row):
            rows.append(ShelfRow(y, tuple(row)))
            y += max(shelf.row_height_dmm, row[0].height_dmm)
    rest = [unit for unit in units if unit.kind not in rules.shelves]
    for row in _first_fit(rest, usable_width_dmm, len(rest)):
        y += rules.duct_between_rows_dmm
        rows.append(ShelfRow(y, tuple(row)))
        y += row[0].height_dmm
    return tuple(rows), y


def _first_fit(units: list[Unit], width_dmm: int, per_row: int) -> list[list[Unit]]:
    """Put each unit, tallest first, in the first row that has room for it."""
    rows: list[list[Unit]] = []
    free: list[int] = []
    first_open: dict[int, int] = {}
    for unit in units:
        # Equal widths come in runs: rows that could not take one cannot take the next.
        index = first_open.get(unit.width_dmm, 0)
        while index < len(rows) and (free[index] < unit.width_dmm or len(rows[index]) >= per_row):
            index += 1
        first_open[unit.width_dmm] = index
        if index == len(rows):
            rows.append([])
            free.append(width_dmm)
        rows[index].append(unit)
        free[index] -= unit.width_dmm
    return rows


def widest_dmm(units: Iterable[Unit]) -> int:
    """Return the width of the widest unit; 0 when there is none."""
    return max(chain((unit.width_dmm for unit in units), (0,)))
