"""Reads and writes sessions of the console, and failures to sign in."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from kis.access.sessions import FORGOTTEN_AFTER_S, MOST_SESSIONS, Failures, Session
from kis.access.tables import console_session_table, sign_in_failure_table
from kis.db.metadata import UtcText

_sessions, _failures = console_session_table.c, sign_in_failure_table.c

_COUNT = text("""
INSERT INTO sign_in_failure AS counted (client, failures, failed_at)
VALUES (:client, 1, :failed_at)
ON CONFLICT (client) DO UPDATE SET
    failures = counted.failures + 1, failed_at = excluded.failed_at
""").bindparams(bindparam("failed_at", type_=UtcText))


def find_session(connection: Connection, session_id: str, now: datetime) -> Session | None:
    """Return the session of that id, if there is one that has not expired."""
    found = connection.execute(
        select(_sessions.id, _sessions.key_id, _sessions.created_at, _sessions.expires_at).where(
            _sessions.id == session_id, _sessions.expires_at > now
        )
    ).one_or_none()
    return None if found is None else Session(*found)


def add_session(connection: Connection, session: Session) -> None:
    """Store a new session; those that have expired go, and the oldest of many of one key."""
    newest = (
        select(_sessions.id)
        .where(_sessions.key_id == session.key_id)
        .order_by(_sessions.created_at.desc())
        .limit(MOST_SESSIONS - 1)
    )
    surplus = (_sessions.key_id == session.key_id) & _sessions.id.not_in(newest)
    connection.execute(delete(console_session_table).where(surplus))
    connection.execute(
        delete(console_session_table).where(_sessions.expires_at <= session.created_at)
    )
    columns = session._asdict()
    columns["id"] = columns.pop("session_id")
    connection.execute(insert(console_session_table).values(columns))


def end_session(connection: Connection, session_id: str) -> None:
    """Delete a session."""
    connection.execute(delete(console_session_table).where(_sessions.id == session_id))


def load_failures(connection: Connection, client: str, now: datetime) -> Failures | None:
    """Return the failures of an address that still count."""
    found = connection.execute(
        select(_failures.failures, _failures.failed_at).where(
            _failures.client == client, _failures.failed_at > _oldest(now)
        )
    ).one_or_none()
    return None if found is None else Failures(*found)


def add_failure(connection: Connection, client: str, now: datetime) -> None:
    """Count one failure of an address, and forget the addresses that have been quiet."""
    connection.execute(delete(sign_in_failure_table).where(_failures.failed_at <= _oldest(now)))
    connection.execute(_COUNT, {"client": client, "failed_at": now})


def _oldest(now: datetime) -> datetime:
    return now - timedelta(seconds=FORGOTTEN_AFTER_S)
