"""The schema's history ends where the tables are."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import kis.access.tables
import kis.audit.tables
import kis.estimate.tables
import kis.evidence.tables
import kis.idempotency.tables
import kis.knowledge.tables  # noqa: F401 - all are imported to fill the metadata
from kis.db.engine import Database, open_database
from kis.db.metadata import metadata
from kis.db.migrate import (
    COPY_MARK,
    HEAD,
    MIGRATIONS,
    REVISION_TABLE,
    migrate,
    set_revision,
    stored_revision,
)
from kis.db.unavailable import DatabaseUnavailable
from tests.backends import SQLITE_ONLY, new_database

USAGE_QUERY = """
SELECT main_model, COUNT(*) as usage_count
FROM Estimate
WHERE created_at > datetime('now', '-30 days')
GROUP BY main_model
ORDER BY usage_count DESC
LIMIT 10;
"""


SQLITE_SCHEMA = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != :history"
POSTGRESQL_SCHEMA = """
SELECT table_name || '.' || column_name,
       concat_ws(' ', ordinal_position, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public' AND table_name != :history
UNION ALL
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != :history
UNION ALL
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text != :history
"""


def schema(connection: Connection) -> dict[str, str]:
    query = {"sqlite": SQLITE_SCHEMA, "postgresql": POSTGRESQL_SCHEMA}[connection.dialect.name]
    found = connection.execute(text(query), {"history": REVISION_TABLE})
    return {name: " ".join(definition.split()) for name, definition in found}


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})


def test_the_migrated_schema_is_the_metadata(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    migrate(database)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(_context(connection), metadata))

    assert database.read_now(differences) == []
    # Alembic does not compare checks, defaults and primary keys; the database's own words do.
    backend = database.write_engine.dialect.name
    url = new_database(backend, tmp_path / "created.db", request)
    created = open_database(url, slow_query_ms=60_000)
    created.write_now(metadata.create_all)
    assert database.read_now(schema) == created.read_now(schema)
    created.close()


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    before = database.read_now(schema)
    migrate(database)
    assert database.read_now(schema) == before
    assert database.read_now(stored_revision) == HEAD


@SQLITE_ONLY  # once is enough
def test_an_up_to_date_database_costs_no_import_of_alembic(database: Database, path: Path) -> None:
    migrate(database)
    program = (
        "import sys; from kis.db.engine import open_database; from kis.db.migrate import migrate;"
        f"migrate(open_database('sqlite:///{path}', slow_query_ms=100));"
        "print('alembic' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "False\n"


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    migrate(database)
    database.write_now(
        lambda c: c.execute(text(f"UPDATE {REVISION_TABLE} SET version_num = '9999'"))
    )
    with pytest.raises(DatabaseUnavailable, match=r"revision 9999.*newer KIS"):
        migrate(database)
    assert database.read_now(stored_revision) == "9999"


def test_a_copy_that_was_not_completed_is_refused(database: Database) -> None:
    migrate(database)
    database.write_now(lambda c: set_revision(c, COPY_MARK + "0" * 24))
    with pytest.raises(DatabaseUnavailable, match=r"not completed.*db copy"):
        migrate(database)
    database.write_now(lambda c: set_revision(c, HEAD))
    migrate(database)


def test_a_migration_that_fails_leaves_nothing(database: Database) -> None:
    database.write_now(lambda c: c.execute(text("CREATE TABLE golden_case (name TEXT)")))
    with pytest.raises(DatabaseUnavailable, match=r"from nothing to 0001.*golden_case"):
        migrate(database)
    assert [name for name in database.read_now(schema) if "golden_case" not in name] == []
    assert database.read_now(stored_revision) is None


@SQLITE_ONLY  # the runbook's SQL is SQLite's
@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (
            "SELECT * FROM Estimate WHERE id = '123';",
            "SEARCH Estimate USING INDEX sqlite_autoindex_Estimate_1 (id=?)",
        ),
        (
            USAGE_QUERY,
            "SEARCH Estimate USING COVERING INDEX ix_Estimate_created_at_main_model (created_at>?)",
        ),
    ],
)
def test_the_runbooks_queries_use_indexes(
    database: Database, path: Path, query: str, plan: str
) -> None:
    migrate(database)
    connection = sqlite3.connect(path)
    steps = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    connection.close()
    assert steps[0] == plan
