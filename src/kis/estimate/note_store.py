"""Keeps what people note on estimates: beside them, as an estimate itself never changes."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from kis.db.bulk import BulkInsert
from kis.estimate.tables import estimate_note_table, estimate_table


class Note(NamedTuple):
    """A note; `revision` counts how often it was written, 0 is one that never was.

    `updated_by` is the id of the key.
    """

    note: str = ""
    revision: int = 0
    updated_at: datetime | None = None
    updated_by: str | None = None


_notes = BulkInsert(estimate_note_table, estimate_note_table.c.keys(), skip_known=True)


def load_note(connection: Connection, estimate_id: str) -> Note | None:
    """Return the note on an estimate, an empty one if nobody wrote any; None: no such estimate."""
    table = estimate_note_table.c
    row = connection.execute(
        select(table.revision, *(table[name] for name in Note._fields))
        .select_from(estimate_table.outerjoin(estimate_note_table))
        .where(estimate_table.c.id == estimate_id)
    ).one_or_none()
    if row is None:
        return None
    return Note() if row[0] is None else Note(*row[1:])


def replace_note(connection: Connection, estimate_id: str, note: Note) -> bool:
    """Write `note` in place of the revision before it; False when that is not there (any more)."""
    values = note._asdict()
    if note.revision == 1:
        return bool(_notes.run(connection, [{"estimate_id": estimate_id, **values}]))
    table = estimate_note_table
    before = (table.c.estimate_id == estimate_id, table.c.revision == note.revision - 1)
    return bool(connection.execute(update(table).where(*before).values(**values)).rowcount)
