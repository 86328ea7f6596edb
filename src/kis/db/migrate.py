"""Brings the schema to the revision that this program was written for."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from kis.db.engine import Database
from kis.db.locks import lock_installation
from kis.db.unavailable import DatabaseUnavailable

HEAD = "0001"
"""The newest revision in `migrations/versions`; a test compares the two."""

REVISION_TABLE = "alembic_version_of_the_schema_of_this_kis_database"
"""Longer than 38 characters on purpose: the sqlite3 shell then lists one table a
line, which the runbook's `.tables | while read table` needs."""

COPY_MARK = "copy-"
"""How the revision of a copy begins that is not complete: no program serves on it."""

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Bring `database` to HEAD in one transaction: wholly or not at all.

    Raises:
        DatabaseUnavailable: the database is of a newer program, or a revision
            cannot be applied to it.

    """
    found = database.read_now(stored_revision)
    if found == HEAD:
        return
    try:
        database.write_now(_upgrade)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", error)
        message = f"cannot bring the schema from {found or 'nothing'} to {HEAD}: {reason}"
        raise DatabaseUnavailable(message) from error


def stored_revision(connection: Connection) -> str | None:
    """Return the revision that the schema is at; None for an empty database."""
    if not inspect(connection).has_table(REVISION_TABLE):
        return None
    revision: str | None = connection.execute(
        text(f"SELECT version_num FROM {REVISION_TABLE}")  # noqa: S608 - our own constant
    ).scalar_one_or_none()
    return revision


def set_revision(connection: Connection, revision: str) -> None:
    """Write down HEAD, or the mark of a copy, for a database whose schema is at HEAD."""
    connection.execute(
        text(f"UPDATE {REVISION_TABLE} SET version_num = :name"),  # noqa: S608 - our own constant
        {"name": revision},
    )


def _upgrade(connection: Connection) -> None:
    lock_installation(connection)
    found = stored_revision(connection)
    if found == HEAD:
        return
    if found is not None and found.startswith(COPY_MARK):
        message = (
            "it is a copy that was not completed. Run the same kis-backend db copy again:"
            " it goes on where it stopped"
        )
        raise DatabaseUnavailable(message)
    # Alembic takes longer to import than an up-to-date database takes to open.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(attributes={"connection": connection, "revision_table": REVISION_TABLE})
    # A lone percent sign would start an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        message = (
            f"the database is at schema revision {found}, which this program (revision {HEAD}) "
            "does not know: a newer KIS has written it. Run that one, or restore a backup"
        )
        raise DatabaseUnavailable(message)
    command.upgrade(config, HEAD)
