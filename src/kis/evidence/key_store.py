"""Reads and writes the secrets that seal evidence, encrypted as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from kis.evidence.tables import evidence_key_table

_table = evidence_key_table.c
_LOST = "lost-"


class StoredSecret(NamedTuple):
    """A row of `evidence_key`.

    `master_id` names the master key that it is encrypted under, after `lost-` where the
    owner has said that nobody has that one any more.
    """

    key_id: str
    master_id: str
    created_at: datetime
    retired_at: datetime | None
    compromised_since: datetime | None
    locked_secret: bytes

    @property
    def is_lost(self) -> bool:
        """Whether it was given up."""
        return self.master_id.startswith(_LOST)


QUERY = select(
    _table.id, _table.master_id, _table.created_at, _table.retired_at,
    _table.compromised_since, _table.locked_secret,
)  # fmt: skip
"""All keys; the columns are those of `StoredSecret`."""


def load_secrets(connection: Connection) -> list[StoredSecret]:
    """Return all keys."""
    return [StoredSecret(*row) for row in connection.execute(QUERY)]


def make_current(connection: Connection, secret: StoredSecret) -> None:
    """Store `secret`, which is new, and retire whatever sealed before."""
    connection.execute(
        update(evidence_key_table)
        .where(_table.retired_at.is_(None))
        .values(retired_at=secret.created_at)
    )
    _add(connection, secret)


def put(connection: Connection, secrets: Sequence[StoredSecret]) -> None:
    """Store `secrets`, each in place of what is stored of its id."""
    for secret in secrets:
        connection.execute(delete(evidence_key_table).where(_table.id == secret.key_id))
        _add(connection, secret)


def _add(connection: Connection, secret: StoredSecret) -> None:
    columns = secret._asdict()
    columns["id"] = columns.pop("key_id")
    connection.execute(insert(evidence_key_table).values(columns))


def mark_compromised(connection: Connection, key_id: str, since: datetime) -> None:
    """Have a key verify only what it sealed before `since`."""
    connection.execute(
        update(evidence_key_table).where(_table.id == key_id).values(compromised_since=since)
    )


def relock(connection: Connection, secret: StoredSecret) -> None:
    """Replace what is stored of a secret, which was encrypted under another master key."""
    connection.execute(
        update(evidence_key_table)
        .where(_table.id == secret.key_id)
        .values(master_id=secret.master_id, locked_secret=secret.locked_secret)
    )


def give_up(connection: Connection, secret: StoredSecret) -> None:
    """Note that nobody can open a secret. It is kept: its master key may be found again."""
    relock(connection, secret._replace(master_id=_LOST + secret.master_id))
