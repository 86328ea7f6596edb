"""Keeps the open questions: what was asked for that nobody knows.

Whoever may estimate can make up names, so how many are kept is bounded. Counting
them for each question would cost more than asking it; instead every thousandth
new one makes room for the thousand after it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import compress, islice
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select, update

from kis.db.bulk import BulkInsert
from kis.knowledge.active import Stale
from kis.knowledge.pointer import hold_active_id
from kis.knowledge.questions import Question, ask, is_answered
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.tables import knowledge_question_table

MAX_QUESTIONS = 10_000
"""How many are kept, open or answered."""

PRUNE_EVERY = 1_000
"""How many new ones come in between two prunings; each leaves room for as many."""

MAX_ASKED_AT_ONCE = 200
"""How many of one request are kept: as many as an estimate may have lines."""


_NOT_OF_NEW_ONES = {"id", "closed_at", "closed_by"}
_new_questions = BulkInsert(
    knowledge_question_table,
    [each.name for each in knowledge_question_table.c if each.name not in _NOT_OF_NEW_ONES],
    skip_known=True,
)


class Asking(NamedTuple):
    """One refused request: where it asked for what, who asked, when, of which version."""

    questions: tuple[tuple[str, Question], ...]
    asked_by: str
    at: datetime
    version_id: int


class OpenQuestion(NamedTuple):
    """A question with its history."""

    id: int
    subject: str
    kind: str
    path: str | None
    question_ko: str
    question_en: str
    times_asked: int
    first_asked_at: datetime
    last_asked_at: datetime
    last_asked_by: str
    closed_at: datetime | None
    closed_by: str | None
    detail: bytes


def write_questions(connection: Connection, askings: Sequence[Asking]) -> Sequence[Stale | None]:
    """Count each question once for each asking; a closed one opens again.

    At most `MAX_QUESTIONS` are kept: the answered ones go first, then the least
    asked, of these the ones that were asked longest ago.

    The pointer is read in this very transaction: what was asked of another
    version than the active one is not counted, its outcome is `Stale`. The
    active one may have the row, and a question about it would stay open.
    """
    active_id = hold_active_id(connection)
    is_current = [asking.version_id == active_id for asking in askings]
    asked = [each for asking in compress(askings, is_current) for each in _distinct(asking)]
    # In the order of subjects: two processes that ask for the same rows in other
    # orders would wait for each other. Of one subject the latest asking comes last.
    for path, question, asking in sorted(asked, key=lambda each: each[1].subject):
        _count(connection, path, question, asking)
    return [None if current else Stale() for current in is_current]


def _distinct(asking: Asking) -> Iterator[tuple[str, Question, Asking]]:
    """Yield what is kept of a request; one that asks twice for a row has one question."""
    distinct = {question.subject: (path, question) for path, question in asking.questions}
    for path, question in islice(distinct.values(), MAX_ASKED_AT_ONCE):
        yield path, question, asking


def _count(connection: Connection, path: str, question: Question, asking: Asking) -> None:
    table = knowledge_question_table
    once_more = (
        update(table)
        .where(table.c.subject == question.subject)
        .values(
            times_asked=table.c.times_asked + 1,
            path=path,
            last_asked_at=asking.at,
            last_asked_by=asking.asked_by,
            closed_at=None,
            closed_by=None,
        )
    )
    if connection.execute(once_more).rowcount:
        return
    row = _new_row(path, question, asking)
    if not _new_questions.run(connection, [row]):
        # Another process asked first, since we looked.
        connection.execute(once_more)
        return
    id_of = select(table.c.id).where(table.c.subject == question.subject)
    if connection.execute(id_of).scalar_one() % PRUNE_EVERY == 0:
        _prune(connection)


def _prune(connection: Connection) -> None:
    """Drop what exceeds `MAX_QUESTIONS` less the room for those until the next pruning."""
    table = knowledge_question_table
    columns = table.c
    best_first = (
        columns.closed_at.is_not(None),
        columns.times_asked.desc(),
        columns.last_asked_at.desc(),
        columns.id.desc(),
    )
    excess = select(columns.id).order_by(*best_first).offset(MAX_QUESTIONS - PRUNE_EVERY)
    connection.execute(delete(table).where(columns.id.in_(excess)))


def _new_row(path: str, question: Question, asking: Asking) -> dict[str, Any]:
    words = ask(question)
    return {
        "subject": question.subject,
        "kind": question.kind,
        "path": path,
        "detail": msgspec.json.encode(question),
        "question_ko": words.ko,
        "question_en": words.en,
        "times_asked": 1,
        "first_asked_at": asking.at,
        "last_asked_at": asking.at,
        "last_asked_by": asking.asked_by,
    }


def list_questions(connection: Connection, *, include_closed: bool) -> list[OpenQuestion]:
    """Return the questions, the most asked first."""
    table = knowledge_question_table.c
    query = select(*(table[name] for name in OpenQuestion._fields)).order_by(
        table.times_asked.desc(), table.id
    )
    if not include_closed:
        query = query.where(table.closed_at.is_(None))
    return [OpenQuestion(*row) for row in connection.execute(query)]


def find_questions(connection: Connection, subjects: Sequence[str]) -> dict[str, OpenQuestion]:
    """Return which of `subjects` were asked, open or answered."""
    table = knowledge_question_table.c
    query = select(*(table[name] for name in OpenQuestion._fields)).where(
        table.subject.in_(subjects)
    )
    return {row.subject: OpenQuestion(*row) for row in connection.execute(query)}


def close_answered(connection: Connection, snapshot: Snapshot, at: datetime) -> list[str]:
    """Close what `snapshot` answers; return the subjects."""
    answered = [
        question
        for question in list_questions(connection, include_closed=False)
        if is_answered(msgspec.json.decode(question.detail, type=Question), snapshot)
    ]
    table = knowledge_question_table
    for question in answered:
        connection.execute(
            update(table)
            .where(table.c.id == question.id)
            .values(closed_at=at, closed_by=snapshot.label)
        )
    return [question.subject for question in answered]


def answered_by(connection: Connection, label: str, at: datetime) -> list[str]:
    """Return the subjects that `close_answered` has closed for that version at that moment."""
    table = knowledge_question_table.c
    asked = select(table.subject).where(table.closed_by == label, table.closed_at == at)
    return list(connection.execute(asked.order_by(table.id)).scalars())


def reopen(connection: Connection, subjects: Sequence[str]) -> None:
    """Open these questions again: the version that answered them was taken back."""
    table = knowledge_question_table
    connection.execute(
        update(table).where(table.c.subject.in_(subjects)).values(closed_at=None, closed_by=None)
    )
