"""A backup of a PostgreSQL database: pg_dump of one state, whose rows are counted with it."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, text

from kis.db.engine import Database, open_database
from kis.db.migrate import HEAD
from kis.ops.backup import checking, packing, postgres_programs
from kis.ops.backup.manifest import Contents
from kis.ops.backup.packing import Tell
from kis.ops.backup.source import Made, Source
from kis.ops.doctor import load_knowledge
from kis.ops.evidence_pool import SLOW_MS
from kis.ops.installation import identity

DUMP, READ = "덤프 pg_dump", "읽기 pg_restore"


def make(source: Source, scratch: Path, now: Callable[[], datetime], tell: Tell) -> Made:
    """Make a backup of the database of `source` in `scratch`, and read all of it again.

    It is not restored here, which would double the work of a server that others use:
    `backup verify` and the drill do that.

    Raises:
        Unsound: there is no pg_dump, it fails, or what it dumps is not as it must be.
        DatabaseUnavailable: the database does not answer.
        OSError: it cannot be written.

    """
    taken_at = now()
    dumped = scratch / "kis.dump"
    with closing(open_database(source.url, slow_query_ms=SLOW_MS)) as database:
        major = server_major(database)
        writer = postgres_programs.find("pg_dump", major)
        with database.read_engine.connect() as connection:
            _take_time(connection)
            snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
            contents = _contents(connection)
            arguments = ("-Fc", f"--snapshot={snapshot}", f"--file={dumped}")
            postgres_programs.run(writer, arguments, tell, DUMP, source.url)
        if contents.schema == HEAD:
            order = checking.Order(source.opener)
            found = checking.verify_evidence(database, source.url, order, tell)
            contents = msgspec.structs.replace(contents, evidence=found)
    reader = postgres_programs.find("pg_restore", major)
    postgres_programs.run(reader, ("--file=/dev/null", dumped), tell, READ)
    packed = packing.digest_of(dumped, tell)
    return Made(dumped, packed, contents, f"PostgreSQL {major}", taken_at)


def server_major(database: Database) -> int:
    """Return the major version of the server."""
    return int((database.read_engine.dialect.server_version_info or (0,))[0])


def _take_time(connection: Connection) -> None:
    """Let this transaction last as long as pg_dump takes."""
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {name} = 0"))


def _contents(connection: Connection) -> Contents:
    schema = checking.require_schema(connection)
    rows = checking.rows_of_all(connection)
    if schema != HEAD:
        return Contents(rows, schema, None, None, None)
    return Contents(rows, schema, load_knowledge(connection), identity(connection), None)
