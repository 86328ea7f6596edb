"""Which version is active, held fast while something is written that depends on it.

SQLite has one writer, so that a transaction that writes is alone. On PostgreSQL
writers share the pointer's row, and an activation waits for them and they for it:
once it has answered, nothing is stored under the version before.
"""

from sqlalchemy import Connection, select

from kis.db.locks import lock_installation
from kis.knowledge.tables import knowledge_pointer_table


def hold_active_id(connection: Connection) -> int | None:
    """Return the id of the active version; it stays active until this transaction ends."""
    held: int | None = connection.scalar(
        select(knowledge_pointer_table.c.version_id).with_for_update(read=True)
    )
    return held


def hold_knowledge(connection: Connection) -> None:
    """Until this transaction ends nobody else changes versions, the golden set or the pointer.

    Estimates go on meanwhile: they too only hold the pointer.
    """
    lock_installation(connection)
    hold_active_id(connection)


def lock_active_id(connection: Connection) -> int | None:
    """Return the id of the active version; until this transaction ends nobody holds or moves it.

    The table is locked, not the row: who waits for a row that others share can wait for
    ever, as new ones come to share it; for a table they queue.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {knowledge_pointer_table.name} IN EXCLUSIVE MODE")
    locked: int | None = connection.scalar(select(knowledge_pointer_table.c.version_id))
    return locked
