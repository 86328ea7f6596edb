"""Keeps and finds the records of requests with an idempotency key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, tuple_

from kis.db.bulk import BulkInsert
from kis.idempotency.model import RecordKey
from kis.idempotency.tables import idempotency_record_table

_claims = BulkInsert(idempotency_record_table, idempotency_record_table.c.keys(), skip_known=True)


class Record(NamedTuple):
    """A kept answer. `body` is None where the estimate itself holds the bytes."""

    key: RecordKey
    fingerprint: str
    status: int
    estimate_id: str | None
    body: bytes | None
    created_at: datetime


def find(connection: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, Record]:
    """Return the records among `keys`."""
    wanted = list(keys)
    if not wanted:
        return {}
    table = idempotency_record_table.c
    identity = tuple_(table.owner, table.operation, table.key)
    rows = connection.execute(
        select(
            table.owner, table.operation, table.key, table.fingerprint, table.status,
            table.estimate_id, table.body, table.created_at,
        ).where(identity.in_(wanted))
    )  # fmt: skip
    records = (Record(RecordKey(*row[:3]), *row[3:]) for row in rows)
    return {record.key: record for record in records}


def claim(connection: Connection, records: Sequence[Record]) -> dict[RecordKey, Record]:
    """Add the `records` whose key is free; return what is kept when some were not.

    A kept record with another estimate than the given one has the key. They are
    added in the order of their keys: two processes that claim the same keys in
    other orders would wait for each other.
    """
    ordered = sorted(records, key=lambda record: record.key)
    if _claims.run(connection, [_columns(record) for record in ordered]) == len(records):
        return {}
    return find(connection, [record.key for record in records])


def _columns(record: Record) -> dict[str, object]:
    return {**record._asdict(), **record.key._asdict()}


def forget_before(connection: Connection, moment: datetime) -> int:
    """Delete what was recorded before `moment`; return how many."""
    table = idempotency_record_table
    return connection.execute(delete(table).where(table.c.created_at < moment)).rowcount
