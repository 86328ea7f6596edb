"""Writes estimates with all that belongs to them, and finds them again."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, func, or_, select, type_coerce

from kis.audit import store as audit_store
from kis.db.bulk import BulkInsert
from kis.db.folding import holds
from kis.estimate.replay import StoredSize
from kis.estimate.tables import estimate_table
from kis.evidence.tables import evidence_table
from kis.idempotency import store as idempotency_store
from kis.idempotency.model import RecordKey, Replay, key_reused
from kis.knowledge.active import Stale
from kis.knowledge.pointer import hold_active_id

HOUR_CHARACTERS = len("2026-11-23 15")
_estimates = BulkInsert(estimate_table, estimate_table.c.keys())
_evidence = BulkInsert(evidence_table, evidence_table.c.keys())

_PIECE_OF_AN_ID = re.compile("[0-9a-fA-F-]{6,}")
"""Shorter ones, such as `100A`, are in many ids by chance."""


class EstimateRecord(NamedTuple):
    """An estimate on its way into the database: all of it or nothing is stored."""

    version_id: int
    estimate: dict[str, Any]
    evidence: dict[str, Any]
    audit: audit_store.Entry
    idempotency: idempotency_store.Record | None


Stored = Replay | None
"""None: stored as given. A replay: the key was answered before, this is the answer."""


def write_estimates(
    connection: Connection, records: Sequence[EstimateRecord]
) -> Sequence[Stored | Exception]:
    """Store `records`; one outcome for each, in order.

    The pointer is read in this very transaction: an estimate made under another
    version than the active one is not stored, its outcome is `Stale`.
    """
    active_id = hold_active_id(connection)
    fresh = [record for record in records if record.version_id == active_id]
    stale = [record for record in records if record.version_id != active_id]
    known = {
        **idempotency_store.claim(connection, [r.idempotency for r in fresh if r.idempotency]),
        **idempotency_store.find(connection, [r.idempotency.key for r in stale if r.idempotency]),
    }
    _insert(connection, [record for record in fresh if _kept(record, known) is None])
    answers = replays(
        connection,
        [(_kept(r, known), r.idempotency.fingerprint if r.idempotency else "") for r in records],
    )
    return [
        Stale() if answer is None and record.version_id != active_id else answer
        for record, answer in zip(records, answers, strict=True)
    ]


def _kept(
    record: EstimateRecord, known: dict[RecordKey, idempotency_store.Record]
) -> idempotency_store.Record | None:
    """Return what another estimate keeps under the key of `record`, if it has one."""
    kept = known.get(record.idempotency.key) if record.idempotency else None
    return None if kept is None or kept.estimate_id == record.estimate["id"] else kept


def _insert(connection: Connection, records: list[EstimateRecord]) -> None:
    _estimates.run(connection, [record.estimate for record in records])
    _evidence.run(connection, [record.evidence for record in records])
    audit_store.record(connection, [record.audit for record in records])


def replays(
    connection: Connection, found: Sequence[tuple[idempotency_store.Record | None, str]]
) -> list[Replay | Exception | None]:
    """Return for each record and fingerprint the kept answer, or the error of a reused key.

    None where there is no record.
    """
    wanted = [record.estimate_id for record, _ in found if record and record.body is None]
    answers = load_answers(connection, [name for name in wanted if name is not None])
    return [record and _replay(record, fingerprint, answers) for record, fingerprint in found]


def _replay(
    record: idempotency_store.Record, fingerprint: str, answers: dict[str, bytes]
) -> Replay | Exception:
    body = answers.get(record.estimate_id or "") if record.body is None else record.body
    if record.fingerprint != fingerprint or body is None:
        return key_reused()
    return Replay(record.status, body)


def find_replay(
    connection: Connection, key: RecordKey, fingerprint: str
) -> Replay | Exception | None:
    """Return what is kept under `key`; None when nothing is."""
    record = idempotency_store.find(connection, [key]).get(key)
    return replays(connection, [(record, fingerprint)])[0]


def write_refusals(
    connection: Connection, records: Sequence[idempotency_store.Record]
) -> Sequence[Replay | Exception | None]:
    """Keep refusals that cannot change; one outcome each: None, or what was kept before."""
    # Of several with one key the first one has it.
    first = {record.key: record for record in reversed(records)}
    known = idempotency_store.claim(connection, list(first.values()))

    def kept(record: idempotency_store.Record) -> idempotency_store.Record | None:
        found = known.get(record.key, first[record.key])
        return None if record is first[record.key] and found == record else found

    return replays(connection, [(kept(record), record.fingerprint) for record in records])


def load_answers(connection: Connection, ids: Collection[str]) -> dict[str, bytes]:
    """Return the bytes that were answered, by id; an unknown id is left out."""
    if not ids:
        return {}
    table = estimate_table.c
    rows = connection.execute(select(table.id, table.answer).where(table.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def load_answer(connection: Connection, estimate_id: str) -> bytes | None:
    """Return the bytes that were answered; None for an unknown id."""
    return load_answers(connection, {estimate_id}).get(estimate_id)


def load_owner(connection: Connection, estimate_id: str) -> str | None:
    """Return the holder of the key that asked for an estimate; None for an unknown id."""
    owner: str | None = connection.scalar(
        select(estimate_table.c.owner).where(estimate_table.c.id == estimate_id)
    )
    return owner


class EstimateSummary(NamedTuple):
    """A line of the list of estimates."""

    id: str
    created_at: datetime
    main_model: str
    brand: str
    form: str
    label: str
    customer: str
    width_mm: float
    height_mm: float
    depth_mm: float
    knowledge_version: str


class EstimateFilter(NamedTuple):
    """Which estimates to list; None does not restrict. `before` is an id (the cursor).

    `label`, `customer` and `text` are pieces, in any case of ASCII letters; `text` is
    one of the label, the customer, the main model or, from 6 characters on, the id.
    """

    limit: int
    before: str | None = None
    main_model: str | None = None
    brand: str | None = None
    form: str | None = None
    label: str | None = None
    customer: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    width_mm: float | None = None
    height_mm: float | None = None
    depth_mm: float | None = None
    text: str | None = None


def list_estimates(connection: Connection, wanted: EstimateFilter) -> list[EstimateSummary]:
    """Return the newest estimates that match, at most `wanted.limit`, newest first."""
    return [EstimateSummary(*row) for row in connection.execute(list_query(wanted))]


def list_query(wanted: EstimateFilter) -> Select[Any]:
    """Return the statement of `list_estimates`.

    What matches is looked for in an index that has all columns of the filters, in the
    order of the list: where little matches, all of it is read, which is a twentieth of
    the rows themselves.
    """
    table = estimate_table.c
    conditions: tuple[tuple[Any, Callable[[Any], ColumnElement[bool]]], ...] = (
        (wanted.before, lambda value: table.id < value),
        (wanted.main_model, lambda value: table.main_model == value),
        (wanted.brand, lambda value: table.brand == value),
        (wanted.form, lambda value: table.form == value),
        (wanted.label, lambda value: holds(table.label, value)),
        (wanted.customer, lambda value: holds(table.customer, value)),
        (wanted.since, lambda value: table.created_at >= value),
        (wanted.until, lambda value: table.created_at < value),
        (wanted.width_mm, lambda value: table.width_mm == value),
        (wanted.height_mm, lambda value: table.height_mm == value),
        (wanted.depth_mm, lambda value: table.depth_mm == value),
        (wanted.text, _holds_anywhere),
    )
    matching = select(table.id).order_by(table.id.desc()).limit(wanted.limit)
    for value, condition in conditions:
        if value is not None:
            matching = matching.where(condition(value))
    columns = (table[name] for name in EstimateSummary._fields)
    return select(*columns).where(table.id.in_(matching)).order_by(table.id.desc())


def load_summaries(connection: Connection, ids: Collection[str]) -> dict[str, EstimateSummary]:
    """Return the lines of estimates by id; an unknown id is left out."""
    table = estimate_table.c
    columns = (table[name] for name in EstimateSummary._fields)
    rows = connection.execute(select(*columns).where(table.id.in_(ids)))
    return {row.id: EstimateSummary(*row) for row in rows}


def _holds_anywhere(text: str) -> ColumnElement[bool]:
    table = estimate_table.c
    columns: list[ColumnElement[str]] = [table.main_model, table.label, table.customer]
    if _PIECE_OF_AN_ID.fullmatch(text):
        columns.append(table.id)
    return or_(*(holds(column, text) for column in columns))


def count_models(
    connection: Connection, since: datetime, until: datetime, limit: int
) -> list[tuple[str, int]]:
    """Return the main breakers that were asked for most from `since` to `until`, and how often."""
    table, times = estimate_table.c, func.count().label("times")
    rows = connection.execute(
        select(table.main_model, times)
        .where(table.created_at >= since, table.created_at < until)
        .group_by(table.main_model)
        .order_by(times.desc(), table.main_model)
        .limit(limit)
    )
    return [(row.main_model, row.times) for row in rows]


def count_by_hour(connection: Connection, since: datetime) -> dict[datetime, int]:
    """Return how many estimates each hour has, by its beginning in UTC; none of empty hours."""
    table = estimate_table.c
    hour = func.substr(type_coerce(table.created_at, Text), 1, HOUR_CHARACTERS).label("hour")
    rows = connection.execute(
        select(hour, func.count()).where(table.created_at >= since).group_by(hour)
    )
    return {datetime.fromisoformat(text).replace(tzinfo=UTC): times for text, times in rows}


class IdRange(NamedTuple):
    """Estimates by id, which is their order in time: those after `after`, up to `upto`.

    `size` is how many there were when the range was made.
    """

    after: str
    upto: str
    size: int


def find_range(
    connection: Connection, *, last: int | None = None, since: datetime | None = None
) -> IdRange:
    """Return the range of all estimates, of the `last` ones, or from `since` on."""
    ids = estimate_table.c.id
    upto = connection.scalar(select(func.max(ids))) or ""
    after = ""
    if last is not None:
        newest_out = select(ids).order_by(ids.desc()).offset(last).limit(1)
        after = connection.scalar(newest_out) or ""
    if since is not None:
        first = connection.scalar(select(func.min(ids)).where(estimate_table.c.created_at >= since))
        before = connection.scalar(select(func.max(ids)).where(ids < first)) if first else upto
        after = max(after, before or "")
    inside = select(func.count()).where(ids > after, ids <= upto)
    return IdRange(after, upto, connection.scalar(inside) or 0)


def load_sizes(connection: Connection, after: str, upto: str, limit: int) -> list[StoredSize]:
    """Return the sizes of the next estimates in the order of ids, at most `limit`."""
    table = estimate_table.c
    columns = [table[name] for name in StoredSize._fields]
    rows = connection.execute(
        select(*columns).where(table.id > after, table.id <= upto).order_by(table.id).limit(limit)
    )
    return list(starmap(StoredSize, rows))
