"""Looks an installation over, without changing it: what is wrong, in words."""

import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from kis import clock
from kis.db.engine import open_database
from kis.db.migrate import HEAD, stored_revision
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import Text
from kis.evidence.master import MasterKey
from kis.home import GROUP_READS, OTHERS
from kis.knowledge.content import ContentError
from kis.knowledge.store import load_active, load_active_version, load_pointer
from kis.ops.disks import folders_of
from kis.ops.keys.looking import trouble_with_env, trouble_with_secrets
from kis.ops.keys.start import KeySources, trouble_with_scopes
from kis.settings import EQUAL_KEYS, Settings, env_file_of

DISK_FREE_LEAST = 0.15
"""The runbook raises an alarm at 85 % used."""

MAX_SHOWN = 300


class Checkup(NamedTuple):
    """One thing looked at."""

    what: str
    is_good: bool
    ko: str
    en: str


def examine(
    settings: Settings, *, owns_database: bool, complaints: Sequence[str] = ()
) -> list[Checkup]:
    """Return one checkup a subject; the database only when no server has it open.

    `complaints` is what such a server has to say about it. Keys are read beside it as well.
    """
    found = [
        _program(),
        _secrets_file(settings),
        _keys(settings),
        _disk(settings),
    ]
    database = _database(settings) if owns_database else _in_use(complaints)
    keys = _stored_keys(settings) if database.is_good else []
    return [*found, database, *keys]


def _program() -> Checkup:
    python, sqlite = sys.version.split()[0], sqlite3.sqlite_version
    versions = f"Python {python}, SQLite {sqlite}"
    return Checkup("program", True, versions, versions)


def _secrets_file(settings: Settings) -> Checkup:
    path = env_file_of(settings.home)
    if not path.exists():
        return Checkup(
            "secrets",
            True,
            f"{path} 파일이 없어 환경 변수를 씁니다",
            f"no {path}: from the environment",
        )
    mode = path.stat().st_mode & 0o777
    if mode & OTHERS:
        return Checkup(
            "secrets",
            False,
            f"{path} 모드 {mode:o}: 다른 사용자가 읽을 수 있습니다."
            " chmod 600을 한 뒤 키를 교체하십시오",
            f"{path} has mode {mode:o}: others can read it. chmod 600, then rotate the keys",
        )
    group = mode & GROUP_READS
    return Checkup(
        "secrets",
        True,
        f"{path} 모드 {mode:o}" + (": 그룹이 읽을 수 있습니다" if group else ""),
        f"{path} has mode {mode:o}" + (": its group can read it" if group else ""),
    )


def _keys(settings: Settings) -> Checkup:
    trouble = trouble_with_scopes(KeySources.of(settings).given)
    if trouble is not None:
        return Checkup("keys", False, trouble.ko, trouble.en)
    if settings.admin_key_usable:
        return Checkup("keys", True, "두 키가 서로 다릅니다", "the two keys differ")
    return Checkup("keys", False, EQUAL_KEYS.ko, EQUAL_KEYS.en)


def _disk(settings: Settings) -> Checkup:
    """Look at the fullest of the disks that are written to, by its name where not the home's."""
    usage = {
        path: shutil.disk_usage(path) for path in folders_of(settings).values() if path.exists()
    }
    free = {path: each.free / each.total for path, each in usage.items()}
    # The home where several are on one disk.
    least = min(free, key=lambda path: (round(free[path], 3), path != settings.home))
    name = "" if least == settings.home else f"{least}: "
    return Checkup(
        "disk",
        free[least] >= DISK_FREE_LEAST,
        f"{name}{free[least]:.0%} 비어 있습니다",
        f"{name}{free[least]:.0%} of the disk is free",
    )


def _in_use(complaints: Sequence[str]) -> Checkup:
    if complaints:
        reasons = "; ".join(complaints)
        return Checkup("database", False, f"서버가 쓰고 있습니다: {reasons}", reasons)
    return Checkup(
        "database",
        True,
        "서버가 쓰고 있습니다 (/health를 보십시오)",
        "in use by the server: ask /health",
    )


def _database(settings: Settings) -> Checkup:
    file = settings.database_file
    if file is not None and not file.exists():
        return Checkup(
            "database",
            True,
            "아직 없습니다. 처음 시작할 때 만들어집니다",
            "not there yet: the first start makes it",
        )
    try:
        database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    except DatabaseUnavailable as error:
        return _damaged(error)
    try:
        trouble = database.read_now(_trouble_in)
    except (SQLAlchemyError, sqlite3.Error, ContentError) as error:
        return _damaged(getattr(error, "orig", error))
    finally:
        database.close()
    if trouble:
        return _damaged(trouble)
    return Checkup(
        "database",
        True,
        "데이터베이스와 활성 지식에 이상이 없습니다",
        "sound, and so is the active knowledge",
    )


def _stored_keys(settings: Settings) -> list[Checkup]:
    """Return what is found of the keys; nothing where none is stored yet."""
    file = settings.database_file
    if file is not None and not file.exists():
        return []
    try:
        with closing(
            open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
        ) as database:
            troubles = database.read_now(lambda c: _troubles_of_keys(c, settings))
    except (SQLAlchemyError, sqlite3.Error, DatabaseUnavailable) as error:
        line = in_one_line(getattr(error, "orig", error))
        return [
            Checkup("storedKeys", False, f"읽을 수 없습니다: {line}", f"cannot be read: {line}")
        ]
    if troubles is None:
        return []
    sound = Checkup(
        "storedKeys", True, "저장된 키에 이상이 없습니다", "no trouble with stored keys"
    )
    return [Checkup("storedKeys", False, each.ko, each.en) for each in troubles] or [sound]


def _troubles_of_keys(connection: Connection, settings: Settings) -> list[Text] | None:
    if stored_revision(connection) is None:
        return None
    found = (
        trouble_with_secrets(connection, MasterKey(settings.master_key)),
        trouble_with_env(connection, KeySources.of(settings), clock.now()),
    )
    return [trouble for trouble in found if trouble is not None]


def _damaged(trouble: object) -> Checkup:
    line = in_one_line(trouble)
    return Checkup(
        "database",
        False,
        f"손상되었습니다: {line}. 서비스를 멈추고 백업으로 복구하십시오",
        f"damaged: {line}. Stop the service and restore a backup",
    )


def in_one_line(trouble: object) -> str:
    """Return what went wrong, short enough to be shown."""
    return " ".join(str(trouble).split())[:MAX_SHOWN]


def _trouble_in(connection: Connection) -> str | None:
    trouble = trouble_in_file(connection)
    if trouble:
        return trouble
    revision = stored_revision(connection)
    if revision is None:
        return None  # not started yet: the first start loads the shipped knowledge
    if revision != HEAD:
        return f"schema revision {revision}, not {HEAD}"
    load_knowledge(connection)
    return None


def trouble_in_file(connection: Connection) -> str | None:
    """Return what is wrong with the pages of a SQLite file; a server sees to its own."""
    if connection.dialect.name != "sqlite":
        return None
    found = [str(line) for line in connection.scalars(text("PRAGMA integrity_check(10)"))]
    return None if found == ["ok"] else "; ".join(found)


def load_knowledge(connection: Connection) -> str | None:
    """Load the active version, which checks its digests; return its label, if there is one.

    Raises:
        ContentError: what is stored is not what was stored.
        SQLAlchemyError: it cannot be read.

    """
    if load_pointer(connection) is None:
        return None
    version = load_active_version(connection)
    load_active(connection, version)
    return version.label
