"""What was active when: who put it in place, and why; what came of the last regression."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, exists, select

from kis.knowledge.regression import Regression
from kis.knowledge.tables import knowledge_activation_table, knowledge_version_table


class Step(NamedTuple):
    """One activation or rollback. `kept` is False once the version was deleted."""

    id: int
    version_id: int
    label: str
    previous_label: str | None
    kind: str
    reason: str
    actor: str
    forced: bool
    at: datetime
    kept: bool


class LastRegression(NamedTuple):
    """What the activation of `label` found the golden cases and the latest estimates to be."""

    label: str
    at: datetime
    actor: str
    regression: Regression


def load_steps(connection: Connection, version_id: int | None = None) -> list[Step]:
    """Return all activations, newest first; those of one version where it is given."""
    table, version = knowledge_activation_table.c, knowledge_version_table.c
    columns = [table[name] for name in Step._fields if name != "kept"]
    query = select(*columns, exists().where(version.id == table.version_id).label("kept"))
    if version_id is not None:
        query = query.where(table.version_id == version_id)
    rows = connection.execute(query.order_by(table.id.desc()))
    return [Step._make(row)._replace(kept=bool(row.kept)) for row in rows]


def load_last_regression(connection: Connection) -> LastRegression | None:
    """Return the newest regression that an activation kept; None when there is none."""
    table = knowledge_activation_table.c
    row = connection.execute(
        select(table.label, table.at, table.actor, table.regression)
        .where(table.regression.is_not(None))
        .order_by(table.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    regression = msgspec.json.decode(row.regression, type=Regression)
    return LastRegression(row.label, row.at, row.actor, regression)
