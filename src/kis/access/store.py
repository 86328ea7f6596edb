"""Reads and writes API keys. A secret never comes here: only what is kept of it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from kis.access.keys import EnvKey
from kis.access.rules import StoredKey
from kis.access.tables import api_key_table

_table = api_key_table.c
QUERY = select(
    _table.scope, _table.id, _table.holder, _table.label, _table.created_at,
    _table.expires_at, _table.revoked_at, _table.last_used_at, _table.digest,
)  # fmt: skip
"""All keys; the columns are those of `StoredKey`."""


def load_keys(connection: Connection) -> list[StoredKey]:
    """Return all keys, also those that have ended."""
    return [StoredKey(*row) for row in connection.execute(QUERY)]


def add_keys(connection: Connection, keys: Sequence[StoredKey]) -> None:
    """Store `keys`, which are new."""
    for key in keys:
        columns = key._asdict()
        columns["id"] = columns.pop("key_id")
        connection.execute(insert(api_key_table).values(columns))


def put_keys(connection: Connection, keys: Sequence[StoredKey]) -> None:
    """Store `keys`, each in place of what is stored of its id."""
    for key in keys:
        connection.execute(delete(api_key_table).where(_table.id == key.key_id))
    add_keys(connection, keys)


def end_key(connection: Connection, key: StoredKey, at: datetime, given: EnvKey | None) -> None:
    """Have `key` end `at` that moment.

    One that the environment gives (`given`) opens until then, whatever becomes of the
    environment.
    """
    digest = key.digest or (None if given is None else given.digest)
    connection.execute(
        update(api_key_table).where(_table.id == key.key_id).values(expires_at=at, digest=digest)
    )


def revoke_key(connection: Connection, key: StoredKey, at: datetime, given: EnvKey | None) -> None:
    """Have `key` end now, and never open anything again.

    The digest of one that the environment gives (`given`) is kept, so that it is known
    whichever setting gives it later.
    """
    digest = key.digest or (None if given is None else given.digest)
    connection.execute(
        update(api_key_table).where(_table.id == key.key_id).values(revoked_at=at, digest=digest)
    )


def mark_used(connection: Connection, key_ids: Collection[str], at: datetime) -> None:
    """Note that those keys were in use `at` that moment."""
    connection.execute(update(api_key_table).where(_table.id.in_(key_ids)).values(last_used_at=at))
