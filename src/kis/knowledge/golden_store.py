"""Keeps the golden set: boards whose size is known to be right."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from kis.knowledge.regression import Case
from kis.knowledge.tables import golden_case_table
from kis.units import Size, from_mm, to_mm


class GoldenCase(NamedTuple):
    """A pinned board; `request` is JSON."""

    name: str
    width_mm: int | float
    height_mm: int | float
    depth_mm: int | float
    note: str
    created_at: datetime
    created_by: str
    request: bytes

    def as_case(self) -> Case:
        """Return the case for a regression run."""
        return Case(
            self.name,
            golden=True,
            request=msgspec.json.decode(self.request),
            expected=Size(self.width_mm, self.height_mm, self.depth_mm),
        )


def list_golden(connection: Connection) -> list[GoldenCase]:
    """Return the golden set by name."""
    table = golden_case_table.c
    rows = connection.execute(
        select(*(table[name] for name in GoldenCase._fields)).order_by(table.name)
    )
    return [_whole_where_whole(GoldenCase(*row)) for row in rows]


def _whole_where_whole(case: GoldenCase) -> GoldenCase:
    """Return the case with its sizes as estimates have them; the column has only floats."""
    width, height, depth = (
        to_mm(from_mm(side)) for side in (case.width_mm, case.height_mm, case.depth_mm)
    )
    return case._replace(width_mm=width, height_mm=height, depth_mm=depth)


def add_golden(connection: Connection, case: GoldenCase) -> bool:
    """Add a case; False when the name is taken."""
    table = golden_case_table
    if connection.scalar(select(table.c.name).where(table.c.name == case.name)) is not None:
        return False
    connection.execute(insert(table).values(**case._asdict()))
    return True


def resize_golden(connection: Connection, name: str, size: Size) -> bool:
    """Give a case another size; False when there is none of that name."""
    table = golden_case_table
    sides = {"width_mm": size.W, "height_mm": size.H, "depth_mm": size.D}
    changed = connection.execute(update(table).where(table.c.name == name).values(**sides))
    return bool(changed.rowcount)


def delete_golden(connection: Connection, name: str) -> bool:
    """Delete a case; False when there is none of that name."""
    table = golden_case_table
    return bool(connection.execute(delete(table).where(table.c.name == name)).rowcount)
