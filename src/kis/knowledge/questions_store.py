"""Keeps the open questions: what was asked for that nobody knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from kis.knowledge.active import Stale
from kis.knowledge.questions import Question, ask, is_answered
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.tables import knowledge_pointer_table, knowledge_question_table


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

    The pointer is read in this very transaction: what was asked of another
    version than the active one is not counted, its outcome is `Stale`. The
    active one may have the row, and a question about it would stay open.
    """
    active_id = connection.scalar(select(knowledge_pointer_table.c.version_id))
    outcomes: list[Stale | None] = []
    for asking in askings:
        if asking.version_id == active_id:
            _write_asking(connection, asking)
            outcomes.append(None)
        else:
            outcomes.append(Stale())
    return outcomes


def _write_asking(connection: Connection, asking: Asking) -> None:
    table = knowledge_question_table
    # A request that asks twice for the same row has one question.
    distinct = {question.subject: (path, question) for path, question in asking.questions}
    for subject, (path, question) in distinct.items():
        changed = connection.execute(
            update(table)
            .where(table.c.subject == subject)
            .values(
                times_asked=table.c.times_asked + 1,
                path=path,
                last_asked_at=asking.at,
                last_asked_by=asking.asked_by,
                closed_at=None,
                closed_by=None,
            )
        )
        if not changed.rowcount:
            connection.execute(insert(table), [_new_row(subject, path, question, asking)])


def _new_row(subject: str, path: str, question: Question, asking: Asking) -> dict[str, Any]:
    words = ask(question)
    return {
        "subject": subject,
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
