"""An activation that the workers have not all answered yet, as a row of PostgreSQL.

Whoever activates deletes it when he has their answers, or together with taking the version
back. Where he dies before, the row gets overdue, and whoever finds it so does that for him.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from kis.db.postgres import NOW_S
from kis.knowledge.fleet import ACKNOWLEDGED_WITHIN_S
from kis.knowledge.tables import (
    knowledge_activation_table,
    knowledge_pending_table,
    knowledge_pointer_table,
)

OVERDUE_AFTER_S = ACKNOWLEDGED_WITHIN_S + 0.5
"""Whoever is alive has the answers by then. What is left of ten seconds is for the way back."""


class Overdue(NamedTuple):
    """An activation that nobody has settled: from which version to which, by whom and when."""

    activation_id: int
    version_id: int
    label: str
    before: str
    actor: str
    at: datetime


def expect_answers(connection: Connection, activation_id: int) -> None:
    """Note that the workers have to answer an activation; those before it are settled by it."""
    connection.execute(delete(knowledge_pending_table))
    connection.execute(
        insert(knowledge_pending_table).values(
            activation_id=activation_id, overdue_at_s=NOW_S + OVERDUE_AFTER_S
        )
    )


def load_overdue(connection: Connection) -> Overdue | None:
    """Return the activation that is to be settled by anybody, if there is one."""
    of, activation = knowledge_pending_table.c, knowledge_activation_table.c
    found = connection.execute(
        select(
            activation.id, activation.version_id, activation.label, activation.previous_label,
            activation.actor, activation.at,
        )
        .join(knowledge_pending_table, of.activation_id == activation.id)
        .join(knowledge_pointer_table, knowledge_pointer_table.c.activation_id == activation.id)
        .where(of.overdue_at_s < NOW_S)
    ).one_or_none()  # fmt: skip
    return None if found is None else Overdue(*found)


def settle(connection: Connection, activation_id: int) -> bool:
    """Note that nobody has to answer any more; return whether somebody had to."""
    table = knowledge_pending_table
    return bool(
        connection.execute(delete(table).where(table.c.activation_id == activation_id)).rowcount
    )
