"""The shipped knowledge: loaded once, the same everywhere, and right."""

from sqlalchemy import func, select

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.estimate.rerun import resize
from kis.knowledge import golden_store, store
from kis.knowledge.content import encode_tables
from kis.knowledge.first import (
    FIRST_LABEL,
    load_first_version,
    shipped_golden,
    shipped_tables,
)
from kis.knowledge.regression import rerun_cases
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.tables import knowledge_version_table
from tests.unit.knowledge.conftest import NOON

VERSIONS = select(func.count()).select_from(knowledge_version_table)


def test_shipped_tables_are_the_real_ones() -> None:
    tables = shipped_tables()
    assert len(tables.breakers) == 108
    assert len(tables.enclosures) == 163
    assert tables.accessories
    assert {row.brand for row in tables.breakers} == {"LS", "SANGDO"}


def test_first_version_counts_brands_and_rows(database: Database) -> None:
    version = database.read_now(store.load_active_version)
    assert (version.label, version.table_count, version.total_rows) == (FIRST_LABEL, 2, 108)
    tables = database.read_now(lambda c: store.load_tables(c, version))
    assert tables == shipped_tables()


def test_every_installation_has_the_same_digest(
    database: Database, seed_snapshot: Snapshot
) -> None:
    version = database.read_now(store.load_active_version)
    loaded = database.read_now(lambda c: store.load_active(c, version))
    assert loaded.snapshot.digest == version.digest == encode_tables(shipped_tables()).digest
    assert loaded.snapshot.tables == seed_snapshot.tables


def test_second_start_changes_nothing(database: Database) -> None:
    before = database.read_now(store.load_pointer)
    database.write_now(lambda c: load_first_version(c, NOON))
    assert database.read_now(store.load_pointer) == before
    assert database.read_now(lambda c: c.scalar(VERSIONS)) == 1


def test_golden_boards_come_out_as_their_maker_sells_them(database: Database) -> None:
    version = database.read_now(store.load_active_version)
    loaded = database.read_now(lambda c: store.load_active(c, version))
    kept = database.read_now(golden_store.list_golden)
    assert sorted(case.name for case in kept) == sorted(c.name for c in shipped_golden(NOON))
    report = rerun_cases([case.as_case() for case in kept], loaded.snapshot, resize)
    assert (report.total, report.passed) == (3, 3)


def test_first_activation_is_audited(database: Database) -> None:
    (entry,) = database.read_now(lambda c: audit_store.load_entries(c, FIRST_LABEL))
    assert (entry.actor, entry.action, entry.at) == ("shipped", "knowledge.activate", NOON)
    assert entry.digest == database.read_now(store.load_active_version).digest
