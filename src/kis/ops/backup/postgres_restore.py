"""Restores a PostgreSQL database: into one beside it, and then the two change names."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from kis.db.engine import open_database
from kis.db.locks import NUMBER
from kis.errors import Text
from kis.ops.backup import postgres_programs
from kis.ops.backup.naming import read_replaced_name, replaced_name
from kis.ops.backup.packing import Tell
from kis.ops.backup.postgres_backup import server_major
from kis.ops.backup.retention import BACKUP_DAYS, Dated, expired
from kis.ops.backup.source import Place, Source
from kis.ops.backup.trouble import Unsound, running
from kis.ops.evidence_pool import SLOW_MS

RESTORE = "복구 pg_restore"
SCRATCH_SUFFIX = "_kis_restore_tmp"
NAME_BYTES = 63 - len(SCRATCH_SUFFIX)
"""PostgreSQL cuts names at 63 bytes without a word."""
OTHERS = ("postgres", "template1")
"""Databases to connect to while the one of ours changes its name."""
GONE_WITHIN_S, LOOK_EVERY_S = 5.0, 0.1
"""A session that was closed is gone a moment later."""
FREE_WITHIN_S = 20.0
"""What a killed one asked for last is done by then: to drop a large database takes longest."""
CONNECT_TIMEOUT_S = 10
NO_PRIVILEGE, IN_USE = "42501", "55006"


@contextmanager
def workplace(source: Source, scratch: Path) -> Iterator[Place]:
    """Yield an empty database beside the one of `source`, of the same encoding and collation.

    Raises:
        DomainError: BACKUP_RUNNING, somebody is at it from another folder of backups.
        Unsound: the role may not create one.
        DBAPIError: the server does not answer.

    """
    url = make_url(source.url)
    name = str(url.database)
    beside = name.encode()[:NAME_BYTES].decode(errors="ignore") + SCRATCH_SUFFIX
    with _server(url) as connection:
        _lock(connection, beside)
        _drop(connection, beside)
        _create(connection, beside, name)
        made = url.set(database=beside).render_as_string(hide_password=False)
        try:
            yield Place(source, scratch, made, connection)
        finally:
            _drop(connection, beside)


@contextmanager
def _server(url: URL) -> Iterator[Connection]:
    """Connect to another database of the server of `url`, each statement for itself."""
    for name in OTHERS:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg", database=name), poolclass=NullPool,
            isolation_level="AUTOCOMMIT", hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "kis-backend"},
        )  # fmt: skip
        try:
            connection = engine.connect()
        except OperationalError:
            if name == OTHERS[-1]:
                raise
            continue
        with connection:
            yield connection
        return


def _lock(connection: Connection, name: str) -> None:
    """Be the only one that works on the database `name`, as long as `connection` lasts.

    The server finishes what a killed one asked for last, be it to create a database or to
    rename two: its lock is free only then.
    """
    statement = text("SELECT pg_try_advisory_lock(:number, hashtext(:name))")
    deadline = time.monotonic() + FREE_WITHIN_S
    while not connection.scalar(statement, {"number": NUMBER, "name": name}):
        if time.monotonic() > deadline:
            raise running()
        time.sleep(LOOK_EVERY_S)


def _create(connection: Connection, name: str, like: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    row = connection.execute(
        text(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype"
            " FROM pg_database WHERE datname = :name"
        ),
        {"name": like},
    ).one_or_none()
    options = "" if row is None else " ENCODING '{}' LC_COLLATE '{}' LC_CTYPE '{}'".format(*row)
    try:
        connection.execute(text(f"CREATE DATABASE {quote(name)} TEMPLATE template0{options}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != NO_PRIVILEGE:
            raise
        raise Unsound(
            Text(
                "옆에 데이터베이스를 만들 권한이 없습니다: ALTER ROLE … CREATEDB",
                "the role may create no database beside it: ALTER ROLE … CREATEDB",
            )
        ) from error


def _drop(connection: Connection, name: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.execute(text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))


def fill(place: Place, path: Path, tell: Tell) -> None:
    """Restore the dump at `path` into `place`, as the role that connects.

    Raises:
        Unsound: there is no pg_restore, or it fails.

    """
    with closing(open_database(place.url, slow_query_ms=SLOW_MS)) as database:
        program = postgres_programs.find("pg_restore", server_major(database))
        arguments = ("--exit-on-error", "--no-owner", "--no-privileges", path)
        postgres_programs.run(program, arguments, tell, RESTORE, place.url)
        # It comes without statistics: the first lists would read whole tables.
        database.write_now(lambda connection: connection.execute(text("ANALYZE")))


def require_alone(source: Source) -> None:
    """Check that nobody is connected to the database of `source`.

    Raises:
        Unsound: somebody is.

    """
    url = make_url(source.url)
    deadline = time.monotonic() + GONE_WITHIN_S
    with _server(url) as connection:
        while sessions := _sessions(connection, str(url.database)):
            if time.monotonic() > deadline:
                raise _in_use(sessions)
            time.sleep(LOOK_EVERY_S)


def _sessions(connection: Connection, name: str) -> int:
    statement = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = :name AND backend_type = 'client backend'"
    )
    return connection.scalar(text(statement), {"name": name}) or 0


def _in_use(sessions: int) -> Unsound:
    return Unsound(
        Text(
            f"서버나 다른 프로그램이 데이터베이스에 연결되어 있습니다(세션 {sessions}개)."
            " 멈춘 뒤 다시 하십시오",
            f"a server or another program is connected to the database ({sessions} sessions)."
            " Stop it, then try again",
        )
    )


def swap(place: Place, local: datetime) -> str | None:
    """Let the database of `place` have the name; return that of the old one.

    In one transaction: the name always leads to one of the two.

    Raises:
        Unsound: somebody is connected to the old one; nothing was changed then.

    """
    name = str(make_url(place.source.url).database)
    made = str(make_url(place.url).database)
    connection = place.server
    assert connection is not None  # noqa: S101 - for the type checker
    quote = connection.dialect.identifier_preparer.quote
    statements = [f"ALTER DATABASE {quote(made)} RENAME TO {quote(name)}"]
    kept = _free_name(connection, local) if _exists(connection, name) else None
    if kept is not None:
        statements.insert(0, f"ALTER DATABASE {quote(name)} RENAME TO {quote(kept)}")
        # Whose it is: a server may have the databases of several installations.
        statements.append(f"COMMENT ON DATABASE {quote(kept)} IS {_literal(_note_for(name))}")
    try:
        # One message to the server, which makes it one transaction.
        connection.execution_options(no_parameters=True).exec_driver_sql("; ".join(statements))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != IN_USE:
            raise
        raise _in_use(_sessions(connection, name)) from error
    return kept


def forget_kept(source: Source, now: datetime, zone: timezone) -> list[str]:
    """Drop what restores of this database set aside and is old; return the names.

    Never the newest one, nor one that somebody is connected to.
    """
    url = make_url(source.url)
    statement = text(
        "SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') = :note"
    )
    gone = []
    with _server(url) as connection:
        quote = connection.dialect.identifier_preparer.quote
        names = connection.scalars(statement, {"note": _note_for(str(url.database))}).all()
        moments = [(name, read_replaced_name(name, zone)) for name in names]
        dated = [Dated(name, at) for name, at in moments if at is not None]
        for name in expired(dated, now, BACKUP_DAYS):
            with suppress(DBAPIError):
                connection.execute(text(f"DROP DATABASE {quote(name)}"))
                gone.append(name)
    return gone


def _note_for(name: str) -> str:
    return f"kis-backend: a restore of {name} set it aside"


def _literal(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def _free_name(connection: Connection, local: datetime) -> str:
    while _exists(connection, name := replaced_name("postgresql", local)):
        local += timedelta(seconds=1)
    return name


def _exists(connection: Connection, name: str) -> bool:
    found = connection.scalar(
        text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": name}
    )
    return bool(found)
