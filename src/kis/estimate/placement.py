"""Where each device stands on the front view, once the enclosure is known.

Tenths of a millimetre inside, origin top left; `Placement` leaves in mm.
"""

from typing import NamedTuple, Self

from kis.estimate.accessories import Arrangement
from kis.estimate.busbars import Row
from kis.estimate.enclosure import Choice
from kis.estimate.fitting import Fit
from kis.estimate.model import Busbar, Layout, Placement, Role, SelectedDevice
from kis.estimate.sizing import Budget
from kis.knowledge.rules import Drawing
from kis.units import to_mm


class Plan(NamedTuple):
    """What is to be drawn: the main, rows by busbar, accessories, and the budget."""

    main: SelectedDevice
    busbars: list[list[Row]]
    accessories: Arrangement
    top_dmm: int
    main_band_dmm: int
    gap_dmm: int

    @classmethod
    def of(cls, main: SelectedDevice, needs: Budget, found: Fit) -> Self:
        """Take from a fit what the drawing needs."""
        return cls(
            main, found.busbars, found.arrangement, needs.top_dmm, found.main_band_dmm,
            needs.gap_dmm,
        )  # fmt: skip


class _Box(NamedTuple):
    device: str
    role: Role
    model: str
    x: int
    y: int
    w: int
    h: int
    rotated: bool


def place(plan: Plan, enclosure: Choice, drawing: Drawing) -> Layout:
    """Place everything in `enclosure`; what it has to spare in height is left at the bottom."""
    width_dmm = enclosure.width_dmm
    rows_top = plan.top_dmm + plan.main_band_dmm + plan.gap_dmm
    boxes = [_place_main(plan, width_dmm)]
    busbars = []
    count = len(plan.busbars)
    number = 0
    lowest = 0
    for index, rows in enumerate(plan.busbars):
        centre = width_dmm * (2 * index + 1) // (2 * count)
        y = rows_top
        for row in rows:
            boxes += _place_row(row, centre, y, number, drawing.busbar_gap_dmm)
            number += 1 if row.right is None else 2
            y += row.height_dmm
        lowest = max(lowest, y - rows_top)
        if rows:
            busbars.append(Busbar(to_mm(centre), to_mm(rows_top), to_mm(y - rows_top)))
    boxes += _place_accessories(plan, width_dmm, rows_top + lowest, drawing)
    covered = sum(box.w * box.h for box in boxes)
    return Layout(
        placements=tuple(
            Placement(
                b.device, b.role, b.model, to_mm(b.x), to_mm(b.y), to_mm(b.w), to_mm(b.h), b.rotated
            )
            for b in boxes
        ),
        busbars=tuple(busbars),
        # Never the float 0.0, which has two spellings in JSON.
        utilisation=round(covered / enclosure.front, 3) or 0,
    )


def _place_main(plan: Plan, width_dmm: int) -> _Box:
    row = plan.main.row
    x = (width_dmm - row.width_dmm) // 2
    return _Box("M1", "main", row.model, x, plan.top_dmm, row.width_dmm, row.height_dmm, False)


def _place_row(row: Row, centre: int, y: int, number: int, gap_dmm: int) -> list[_Box]:
    """Lay both partners sideways: width runs down, height across."""
    left = row.left.row
    boxes = [
        _Box(
            f"B{number + 1}", "branch", left.model,
            centre - gap_dmm // 2 - left.height_dmm, y, left.height_dmm, left.width_dmm, True,
        )
    ]  # fmt: skip
    if row.right is not None:
        right = row.right.row
        # N is not mirrored: a facing 4P sits at the other end of its longer row.
        offset = row.height_dmm - right.width_dmm if row.faces_two_4p else 0
        boxes.append(
            _Box(
                f"B{number + 2}", "branch", right.model,
                centre + gap_dmm // 2, y + offset, right.height_dmm, right.width_dmm, True,
            )
        )  # fmt: skip
    return boxes


def _place_accessories(plan: Plan, width_dmm: int, below: int, drawing: Drawing) -> list[_Box]:
    boxes = []
    arrangement = plan.accessories
    number = 0
    if arrangement.beside is not None:
        unit = arrangement.beside
        number += 1
        x = (width_dmm + plan.main.row.width_dmm) // 2 + drawing.beside_main_gap_dmm
        boxes.append(
            _Box(f"A{number}", "accessory", unit.code, x, plan.top_dmm,
                 unit.width_dmm, unit.height_dmm, False)
        )  # fmt: skip
    for row in arrangement.rows:
        x = drawing.side_clearance_dmm
        for unit in row.units:
            number += 1
            boxes.append(
                _Box(f"A{number}", "accessory", unit.code, x, below + row.y_dmm,
                     unit.width_dmm, unit.height_dmm, False)
            )  # fmt: skip
            x += unit.width_dmm
    return boxes
