"""Keeps the golden set: boards whose size is known to be right."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select

from kis.knowledge.regression import Case
from kis.knowledge.tables import golden_case_table
from kis.units import Size


class GoldenCase(NamedTuple):
    """A pinned board; `request` is JSON."""

    name: str
    width_mm: float
    height_mm: float
    depth_mm: float
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
    return [GoldenCase(*row) for row in rows]


def add_golden(connection: Connection, case: GoldenCase) -> bool:
    """Add a case; False when the name is taken."""
    table = golden_case_table
    if connection.scalar(select(table.c.name).where(table.c.name == case.name)) is not None:
        return False
    connection.execute(insert(table).values(**case._asdict()))
    return True


def delete_golden(connection: Connection, name: str) -> bool:
    """Delete a case; False when there is none of that name."""
    table = golden_case_table
    return bool(connection.execute(delete(table).where(table.c.name == name)).rowcount)
