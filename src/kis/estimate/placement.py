"""Where each device stands on the front view, once the enclosure is known.

Tenths of a millimetre inside, origin top left; `Placement` leaves in mm.
"""

from typing import Self

import msgspec

from kis.estimate.accessories import Arrangement, Unit
from kis.estimate.busbars import Row
from kis.estimate.enclosure import Choice
from kis.estimate.fitting import Fit
from kis.estimate.model import Busbar, Layout, Number, Placement, Role, SelectedDevice
from kis.estimate.sizing import Budget
from kis.knowledge.model import Breaker
from kis.knowledge.rules import Drawing
from kis.units import to_mm


class Plan(msgspec.Struct, frozen=True):
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


class _Sheet:
    """What is placed so far, and its front area in square tenths of a millimetre."""

    __slots__ = ("covered", "placements")

    def __init__(self) -> None:
        self.placements: list[Placement] = []
        self.covered = 0

    def stand(self, device: str, role: Role, body: Breaker | Unit, x: int, y: int) -> None:
        """Add an upright body with its top left corner there."""
        width, height = body.width_dmm, body.height_dmm
        name = body.code if isinstance(body, Unit) else body.model
        self.covered += width * height
        self.placements.append(
            Placement(
                device, role, name, to_mm(x), to_mm(y), to_mm(width), to_mm(height), rotated=False
            )
        )


class _Lying(msgspec.Struct, frozen=True):
    """A branch on its side, width down and height across: what equal rows have in common."""

    model: str
    x: Number
    w: Number
    h: Number
    offset_dmm: int
    """How far below the top of its row it begins."""

    @classmethod
    def of(cls, body: Breaker, x: int, offset_dmm: int) -> Self:
        return cls(body.model, to_mm(x), to_mm(body.height_dmm), to_mm(body.width_dmm), offset_dmm)

    def at(self, number: int, y: int) -> Placement:
        return Placement(
            f"B{number}", "branch", self.model, self.x, to_mm(y + self.offset_dmm), self.w,
            self.h, rotated=True,
        )  # fmt: skip


def place(plan: Plan, enclosure: Choice, drawing: Drawing) -> Layout:
    """Place everything in `enclosure`; what it has to spare in height is left at the bottom."""
    width_dmm = enclosure.width_dmm
    rows_top = plan.top_dmm + plan.main_band_dmm + plan.gap_dmm
    sheet = _Sheet()
    main = plan.main.row
    sheet.stand("M1", "main", main, (width_dmm - main.width_dmm) // 2, plan.top_dmm)
    busbars = []
    count = len(plan.busbars)
    lowest = rows_top
    for index, rows in enumerate(plan.busbars):
        centre = width_dmm * (2 * index + 1) // (2 * count)
        bottom = _place_rows(rows, centre, rows_top, drawing.busbar_gap_dmm // 2, sheet)
        lowest = max(lowest, bottom)
        if rows:
            busbars.append(Busbar(to_mm(centre), to_mm(rows_top), to_mm(bottom - rows_top)))
    _place_accessories(plan, width_dmm, lowest, drawing, sheet)
    return Layout(
        placements=tuple(sheet.placements),
        busbars=tuple(busbars),
        # Never the float 0.0, which has two spellings in JSON.
        utilisation=round(sheet.covered / enclosure.front, 3) or 0,
    )


def _place_rows(rows: list[Row], centre: int, top: int, half_gap: int, sheet: _Sheet) -> int:
    """Lay the partners of each row sideways, from `top` down; return where they end."""
    placements = sheet.placements
    y = top
    shown = None
    for row in rows:
        if row is not shown:
            # Equal rows are one object, and stand together.
            shown = row
            body = row.left.row
            left = _Lying.of(body, centre - half_gap - body.height_dmm, 0)
            right = None
            front = body.width_dmm * body.height_dmm
            if row.right is not None:
                body = row.right.row
                # N is not mirrored: a facing 4P sits at the other end of its longer row.
                offset = row.height_dmm - body.width_dmm if row.faces_two_4p else 0
                right = _Lying.of(body, centre + half_gap, offset)
                front += body.width_dmm * body.height_dmm
        placements.append(left.at(len(placements), y))
        if right is not None:
            placements.append(right.at(len(placements), y))
        sheet.covered += front
        y += row.height_dmm
    return y


def _place_accessories(
    plan: Plan, width_dmm: int, below: int, drawing: Drawing, sheet: _Sheet
) -> None:
    number = 0
    if plan.accessories.beside is not None:
        unit = plan.accessories.beside
        number += 1
        x = (width_dmm + plan.main.row.width_dmm) // 2 + drawing.beside_main_gap_dmm
        sheet.stand(f"A{number}", "accessory", unit, x, plan.top_dmm)
    for row in plan.accessories.rows:
        x = drawing.side_clearance_dmm
        for unit in row.units:
            number += 1
            sheet.stand(f"A{number}", "accessory", unit, x, below + row.y_dmm)
            x += unit.width_dmm
