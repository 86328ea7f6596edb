"""Writes what came of the lines of batches: many at once, each with an outcome of its own."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection

from kis.estimate.store import EstimateRecord, Stored, replays, write_estimates, write_refusals
from kis.idempotency import store as idempotency_store
from kis.idempotency.model import RecordKey
from kis.knowledge.questions_store import Asking, write_questions


class Refused(NamedTuple):
    """A line without an estimate, and what is to be remembered of it."""

    key: RecordKey | None
    fingerprint: str
    kept: idempotency_store.Record | None
    """Where the refusal follows from the line alone: kept under its key like an answer."""
    asking: Asking | None


Writing = EstimateRecord | Refused
Outcome = Stored | Exception
"""None: stored as given. An exception is the line's alone, `Stale` among them."""


def write_chunks(
    connection: Connection, chunks: Sequence[Sequence[Writing]]
) -> list[list[Outcome]]:
    """Store the lines of `chunks`; outcomes for each chunk, in order.

    What is made under another version than the active one is not stored, its
    outcome is `Stale`: see `write_estimates`. Whatever keeps one line from being
    stored undoes all of them, so that a chunk is stored wholly or not.
    """
    lines = list(chain.from_iterable(chunks))
    outcomes: list[Outcome] = [None] * len(lines)
    _write_estimates(connection, lines, outcomes)
    _keep_refusals(connection, lines, outcomes)
    _ask(connection, lines, outcomes)
    remaining = iter(outcomes)
    return [[next(remaining) for _ in chunk] for chunk in chunks]


def _write_estimates(connection: Connection, lines: list[Writing], outcomes: list[Outcome]) -> None:
    records = [
        (place, line) for place, line in enumerate(lines) if isinstance(line, EstimateRecord)
    ]
    if records:
        found = write_estimates(connection, [record for _, record in records])
        for (place, _), outcome in zip(records, found, strict=True):
            outcomes[place] = outcome


def _refused(lines: list[Writing]) -> Iterator[tuple[int, Refused]]:
    return ((place, line) for place, line in enumerate(lines) if isinstance(line, Refused))


def _keep_refusals(connection: Connection, lines: list[Writing], outcomes: list[Outcome]) -> None:
    kept = [(place, line.kept) for place, line in _refused(lines) if line.kept]
    found = write_refusals(connection, [record for _, record in kept])
    for (place, _), outcome in zip(kept, found, strict=True):
        outcomes[place] = outcome


def _ask(connection: Connection, lines: list[Writing], outcomes: list[Outcome]) -> None:
    """Give what was answered under a key before; count the questions of all others."""
    open_lines = [(place, line) for place, line in _refused(lines) if not line.kept]
    known = idempotency_store.find(connection, {line.key for _, line in open_lines if line.key})
    kept = [(known.get(line.key) if line.key else None, line.fingerprint) for _, line in open_lines]
    askings = []
    for (place, line), answer in zip(open_lines, replays(connection, kept), strict=True):
        outcomes[place] = answer
        if answer is None and line.asking is not None:
            askings.append((place, line.asking))
    if askings:
        found = write_questions(connection, [asking for _, asking in askings])
        for (place, _), outcome in zip(askings, found, strict=True):
            outcomes[place] = outcome
