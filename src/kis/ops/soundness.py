"""Looks a database over from its schema to its last evidence, without changing it."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from kis.db.engine import Database, open_database
from kis.db.metadata import metadata
from kis.db.migrate import COPY_MARK, HEAD, REVISION_TABLE, stored_revision
from kis.db.unavailable import DatabaseUnavailable
from kis.evidence.keys import Opener
from kis.evidence.master import MasterKey
from kis.knowledge.content import ContentError
from kis.ops.doctor import Checkup, in_one_line, load_knowledge, trouble_in_file
from kis.ops.evidence_pool import (
    SLOW_MS,
    Fault,
    Places,
    find_faults,
    ids_to_verify,
)
from kis.ops.installation import count_rows
from kis.ops.keys.looking import trouble_with_secrets

MAX_SHOWN = 20
FOREIGN_KEYS = "foreignKeys"


class EvidenceOrder(NamedTuple):
    """Which evidence to verify: at most so many, by chance, or all of it (None)."""

    opener: Opener
    at_most: int | None
    workers: int


def look_over(
    url: str, file: Path | None, order: EvidenceOrder, tell: Callable[[int, int], None]
) -> Iterator[Checkup]:
    """Yield what is found in the database at `url`, good or not.

    `file` is its SQLite file, if it is one. `tell` is told how much evidence was
    verified, and of how much.
    """
    if file is not None and not file.exists():
        # To open it would make it.
        yield Checkup("server", False, f"파일이 없습니다: {file}", f"there is no file {file}")
        return
    try:
        database = open_database(url, slow_query_ms=SLOW_MS)
    except DatabaseUnavailable as error:
        yield _unreadable("server", error)
        return
    try:
        yield from _look_over(database, url, order, tell)
    except (SQLAlchemyError, sqlite3.Error, DatabaseUnavailable) as error:
        yield _unreadable("server", error)
    finally:
        database.close()


def _look_over(
    database: Database, url: str, order: EvidenceOrder, tell: Callable[[int, int], None]
) -> Iterator[Checkup]:
    yield _server(database, url)
    schema = _found("schema", database, _schema)
    yield schema
    yield _found("file", database, _file)
    if not schema.is_good:
        return  # what follows would only fail in other words
    for what, look in (
        ("tables", _tables),
        (FOREIGN_KEYS, _foreign_keys),
        ("rows", _rows),
        ("knowledge", _knowledge),
    ):
        yield _found(what, database, look)
    yield _found("keys", database, lambda c: _keys(c, order.opener))
    yield from _evidence(database, url, order, tell)


def _server(database: Database, url: str) -> Checkup:
    dialect = database.read_engine.dialect
    version = ".".join(map(str, dialect.server_version_info or ()))
    if dialect.name == "sqlite":
        version = sqlite3.sqlite_version
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[dialect.name]
    shown = f"{kind} {version}, {make_url(url).render_as_string(hide_password=True)}"
    return Checkup("server", True, shown, shown)


def _found(what: str, database: Database, look: Callable[[Connection], Checkup]) -> Checkup:
    """Return what `look` finds; what keeps it from looking is a finding too."""
    try:
        return database.read_now(look)
    except (SQLAlchemyError, sqlite3.Error, ContentError) as error:
        return _unreadable(what, error)


def _unreadable(what: str, error: Exception) -> Checkup:
    line = in_one_line(getattr(error, "orig", error))
    return Checkup(what, False, f"읽을 수 없습니다: {line}", f"cannot be read: {line}")


def _schema(connection: Connection) -> Checkup:
    revision = stored_revision(connection)
    if revision == HEAD:
        return Checkup("schema", True, f"개정 {HEAD}", f"revision {HEAD}")
    if revision is None:
        ko, en = "아직 비어 있습니다", "there is nothing yet"
    elif revision.startswith(COPY_MARK):
        ko = "끝나지 않은 사본입니다. 같은 db copy를 다시 실행하십시오"
        en = "a copy that was not completed: run the same db copy again"
        return Checkup("schema", False, ko, en)
    else:
        ko, en = f"개정 {revision}", f"revision {revision}"
    return Checkup(
        "schema",
        False,
        f"{ko}. 이 프로그램은 {HEAD} 개정을 씁니다: kis-backend db migrate",
        f"{en}. This program uses {HEAD}: kis-backend db migrate",
    )


def _file(connection: Connection) -> Checkup:
    if connection.dialect.name != "sqlite":
        return Checkup("file", True, "서버가 지킵니다", "the server sees to it")
    trouble = trouble_in_file(connection)
    if trouble is None:
        return Checkup("file", True, "이상이 없습니다", "no trouble")
    line = in_one_line(trouble)
    return Checkup("file", False, f"손상되었습니다: {line}", f"damaged: {line}")


def _tables(connection: Connection) -> Checkup:
    """Compare tables, columns, types, indexes and keys with those of the program."""
    # Alembic takes longer to import than all the rest takes to look at.
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    context = MigrationContext.configure(
        connection, opts={"version_table": REVISION_TABLE, "include_name": _is_ours}
    )
    found = [_words(difference) for difference in compare_metadata(context, metadata)]
    if not found:
        count = len(metadata.tables)
        ko = f"표 {count}개와 그 열이 모두 맞습니다"
        return Checkup("tables", True, ko, f"{count} tables with their columns, as expected")
    line = in_one_line("; ".join(found))
    return Checkup(
        "tables", False, f"스키마가 다릅니다: {line}", f"otherwise than expected: {line}"
    )


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether to compare it: tables of somebody else in the same database are theirs."""
    return kind != "table" or name in metadata.tables


def _words(difference: object) -> str:
    """Return a difference as Alembic names it: what would have to be done."""
    if isinstance(difference, list):
        return "; ".join(map(_words, difference))
    if not isinstance(difference, tuple):
        return str(difference)
    parts = (getattr(part, "name", part) for part in difference)
    return " ".join(str(part) for part in parts if isinstance(part, str))


def _foreign_keys(connection: Connection) -> Checkup:
    if connection.dialect.name != "sqlite":
        return Checkup(FOREIGN_KEYS, True, "서버가 지킵니다", "the server keeps them")
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if not broken:
        return Checkup(FOREIGN_KEYS, True, "모두 이어집니다", "all lead somewhere")
    tables = ", ".join(sorted({f"{row[0]} → {row[2]}" for row in broken}))
    return Checkup(
        FOREIGN_KEYS,
        False,
        f"{len(broken):,}개 행이 없는 행을 가리킵니다: {tables}",
        f"{len(broken):,} rows refer to rows that are not there: {tables}",
    )


def _rows(connection: Connection) -> Checkup:
    shown = ", ".join(f"{name} {count:,}" for name, count in count_rows(connection).items())
    return Checkup("rows", True, shown, shown)


def _knowledge(connection: Connection) -> Checkup:
    label = load_knowledge(connection)
    if label is None:
        return Checkup("knowledge", False, "활성 지식이 없습니다", "no knowledge is active")
    return Checkup("knowledge", True, f"활성 버전 {label}", f"active version {label}")


def _keys(connection: Connection, opener: Opener) -> Checkup:
    trouble = trouble_with_secrets(connection, MasterKey(opener.master))
    if trouble is not None:
        return Checkup("keys", False, trouble.ko, trouble.en)
    return Checkup(
        "keys",
        True,
        "포기한 것 말고는 증거 키를 모두 열 수 있습니다",
        "all evidence keys but those given up can be opened",
    )


def _evidence(
    database: Database, url: str, order: EvidenceOrder, tell: Callable[[int, int], None]
) -> Iterator[Checkup]:
    """Verify evidence, and yield one checkup for all that is valid, one for each that is not."""
    total, pages = ids_to_verify(database, order.at_most)
    verified = 0

    def count(more: int) -> None:
        nonlocal verified
        verified += more
        tell(verified, total)

    invalid = 0
    places = Places(url, None, order.opener)
    for fault in find_faults(places, pages, total, order.workers, count):
        invalid += 1
        if invalid <= MAX_SHOWN:
            yield _invalid(fault)
    valid = verified - invalid
    yield Checkup(
        "evidence",
        invalid == 0,
        f"{verified:,}건 확인, {valid:,}건 유효, {invalid:,}건 무효",
        f"{verified:,} verified: {valid:,} valid, {invalid:,} not",
    )


def _invalid(fault: Fault) -> Checkup:
    line = in_one_line(fault.reason)
    return Checkup(
        "evidence", False, f"{fault.estimate_id}: {line}", f"{fault.estimate_id}: {line}"
    )
