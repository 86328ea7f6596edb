"""The database that a restore replaces, which may be gone or damaged: that may be why."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from kis.db.engine import Database, open_database
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge.content import ContentError
from kis.ops.backup.source import Source
from kis.ops.evidence_pool import SLOW_MS

T = TypeVar("T")


def read_present(source: Source, look: Callable[[Database], T]) -> T | None:
    """Return what `look` finds in the database of `source`; None where it cannot be read."""
    if source.file is not None and not source.file.is_file():
        return None  # to open it would make it
    try:
        present = open_database(source.url, slow_query_ms=SLOW_MS)
    except DatabaseUnavailable:
        return None
    try:
        return look(present)
    except (SQLAlchemyError, sqlite3.Error, ContentError, ValueError):
        return None  # damaged: what SQLite does not see may still be no moment
    finally:
        present.close()
