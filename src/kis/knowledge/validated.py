"""The result of a validation, and where the last one of each version is kept."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from kis.knowledge.diff import Counts
from kis.knowledge.tables import knowledge_version_table
from kis.knowledge.trial import Sample
from kis.knowledge.validation import Remark


class Validated(msgspec.Struct, frozen=True, rename="camel"):
    """The result of validating a version. Only a `valid` one can be activated.

    `rebased`: laid on another active version than before. `takenBack`: it was
    validated before and is `staged` again, as it failed now.
    """

    version_label: str
    valid: bool
    state: str
    base_version: str
    rebased: bool
    taken_back: bool
    digest: str
    counts: Counts
    sample_size: int
    succeeded: int
    failed: int
    samples: tuple[Sample, ...]
    warnings: tuple[Remark, ...]


class Validation(msgspec.Struct, frozen=True):
    """A validation: when, by whose key, and what came of it."""

    at: datetime
    by: str
    result: Validated


def keep_validation(connection: Connection, version_id: int, validation: Validation) -> None:
    """Keep the last validation of a version; one that was deleted meanwhile has none."""
    table = knowledge_version_table
    connection.execute(
        update(table)
        .where(table.c.id == version_id)
        .values(summary=msgspec.json.encode(validation))
    )


def load_validation(connection: Connection, version_id: int) -> Validation | None:
    """Return the last validation of a version; None when there was none, or it is deleted."""
    table = knowledge_version_table.c
    kept = connection.scalar(select(table.summary).where(table.id == version_id))
    return None if kept is None else msgspec.json.decode(kept, type=Validation)
