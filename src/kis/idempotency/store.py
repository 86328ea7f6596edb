"""Keeps and finds the records of requests with an idempotency key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

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
    # SQLite finds no index for a list of tuples. Nearly always there is one caller.
    callers: dict[tuple[str, str], list[str]] = {}
    for owner, operation, key in keys:
        callers.setdefault((owner, operation), []).append(key)
    table = idempotency_record_table.c
    columns = [table[name] for name in Record._fields[1:]]
    found: dict[RecordKey, Record] = {}
    for caller, wanted in callers.items():
        rows = connection.execute(
            select(table.key, *columns).where(
                table.owner == caller[0], table.operation == caller[1], table.key.in_(wanted)
            )
        )
        for key, *more in rows:
            record_key = RecordKey(*caller, key)
            found[record_key] = Record(record_key, *more)
    return found


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


def forget_before(connection: Connection, moment: datetime, at_most: int) -> int:
    """Delete what was recorded before `moment`, the oldest first; return how many.

    About `at_most`, as those of one moment go together: whoever else writes has to wait.
    """
    table = idempotency_record_table
    created_at = table.c.created_at
    is_old = created_at < moment
    last: datetime | None = connection.scalar(
        select(created_at).where(is_old).order_by(created_at).offset(at_most - 1).limit(1)
    )
    return connection.execute(
        delete(table).where(is_old if last is None else created_at <= last)
    ).rowcount
