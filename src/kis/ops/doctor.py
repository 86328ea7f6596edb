"""Looks an installation over, without changing it: what is wrong, in words."""

import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, text

from kis.db.engine import DatabaseUnavailable, open_database
from kis.db.migrate import HEAD, stored_revision
from kis.errors import DomainError
from kis.knowledge.content import ContentError
from kis.knowledge.store import load_active, load_active_version
from kis.settings import Settings, env_file_of

DISK_FREE_LEAST = 0.15
"""The runbook raises an alarm at 85 % used."""


class Checkup(NamedTuple):
    """One thing looked at."""

    what: str
    is_good: bool
    ko: str
    en: str


def examine(settings: Settings, *, owns_database: bool) -> list[Checkup]:
    """Return one checkup a subject; the database only when no server has it open."""
    found = [
        _program(),
        _secrets_file(settings),
        _keys(settings),
        _disk(settings),
    ]
    if owns_database:
        found.append(_database(settings))
    else:
        found.append(
            Checkup("database", True, "서버가 쓰는 중", "in use by the server: ask /health")
        )
    return found


def _program() -> Checkup:
    python, sqlite = sys.version.split()[0], sqlite3.sqlite_version
    versions = f"Python {python}, SQLite {sqlite}"
    return Checkup("program", True, versions, versions)


def _secrets_file(settings: Settings) -> Checkup:
    path = env_file_of(settings.home)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    is_good = not mode & 0o077
    return Checkup("secrets", is_good, f"{path} 모드 {mode:o}", f"{path} has mode {mode:o}")


def _keys(settings: Settings) -> Checkup:
    if settings.admin_key_usable:
        return Checkup("keys", True, "두 키가 다름", "the two keys differ")
    return Checkup(
        "keys",
        False,
        "ADMIN_API_KEY가 API_KEY와 같아 관리 기능이 잠겨 있음. 다른 값을 넣고 재시작하십시오",
        "ADMIN_API_KEY equals API_KEY: administration is locked. Set another value and restart",
    )


def _disk(settings: Settings) -> Checkup:
    usage = shutil.disk_usage(settings.home)
    free = usage.free / usage.total
    return Checkup(
        "disk", free >= DISK_FREE_LEAST, f"{free:.0%} 비어 있음", f"{free:.0%} of the disk is free"
    )


def _database(settings: Settings) -> Checkup:
    try:
        database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    except DatabaseUnavailable as error:
        return Checkup("database", False, str(error), str(error))
    try:
        steps: tuple[Callable[[], str | None], ...] = (
            lambda: database.read_now(
                lambda c: None if stored_revision(c) in (HEAD, None) else "schema revision"
            ),
            lambda: database.read_now(
                lambda c: _unless_ok(c.execute(text("PRAGMA integrity_check")).scalar_one())
            ),
            lambda: database.read_now(_load),
        )
        trouble = next((found for step in steps if (found := step()) is not None), None)
    finally:
        database.close()
    if trouble:
        return Checkup("database", False, f"이상: {trouble}", f"damaged: {trouble}")
    return Checkup("database", True, "온전함", "sound, and so is the active knowledge")


def _unless_ok(result: str) -> str | None:
    return None if result == "ok" else result


def _load(connection: Connection) -> str | None:
    try:
        load_active(connection, load_active_version(connection))
    except DomainError:
        return None  # not started yet: the first start loads the shipped knowledge
    except (ContentError, zlib.error) as error:
        return f"knowledge {error}"
    return None
