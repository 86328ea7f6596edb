"""Versions and uploads that nobody uses are deleted, by the rules of a deletion by hand."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.knowledge import store
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.pruning import Pruned, PruneOrder, PruningService
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running

LATER = NOON + timedelta(days=31)


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    """Two that were active, one that is, one validated and one staged, all made at noon."""
    with running(database, tmp_path / "knowledge-staging") as services:
        for label in ("v-a", "v-b", "v-staged", "v-validated"):
            services.stage(label, breaker(f"T-{label}"))
        for label in ("v-a", "v-b"):
            services.validate(label)
            services.activate(label)
        services.validate("v-validated")
        for path in services.folder.iterdir():
            os.utime(path, (NOON.timestamp(), NOON.timestamp()))
        yield services


def prune(
    services: Running, days: int = 30, *, dry_run: bool = False, only: tuple[str, ...] | None = None
) -> Pruned:
    service = PruningService(
        database=services.database, writer=services.writer, folder=services.folder,
        now=lambda: LATER,
    )  # fmt: skip
    labels = None if only is None else frozenset(only)
    (pruned,) = services.run(service.prune(PruneOrder(days, dry_run, labels), "admin-x"))
    return pruned


def labels(services: Running) -> set[str]:
    return {version.label for version in services.database.read_now(store.list_versions)}


def going(pruned: Pruned) -> set[str]:
    return {version.label for version in pruned.versions if version.goes}


OLD = {FIRST_LABEL, "v-staged", "v-validated"}


def test_what_was_unused_goes_with_its_upload(services: Running) -> None:
    pruned = prune(services)
    assert going(pruned) == OLD
    assert pruned.deleted == 3
    assert labels(services) == {"v-a", "v-b"}
    assert {path.name.partition("-0")[0][:3] for path in services.folder.iterdir()} == {
        "v-a",
        "v-b",
    }
    assert [upload.name[:8] for upload in pruned.uploads] == ["v-staged", "v-valida"]


def test_active_one_and_the_way_back_stay(services: Running) -> None:
    prune(services)
    services.roll_back("v-a")
    assert prune(services).deleted == 0
    assert labels(services) == {"v-a", "v-b"}


def test_dry_run_deletes_nothing(services: Running) -> None:
    before = labels(services), sorted(services.folder.iterdir())
    pruned = prune(services, dry_run=True)
    assert (going(pruned), pruned.deleted) == (OLD, 0)
    assert len(pruned.uploads) == 2
    assert (labels(services), sorted(services.folder.iterdir())) == before


def test_only_what_was_chosen(services: Running) -> None:
    assert going(prune(services, only=("v-staged", "v-b", "unknown"))) == {"v-staged"}
    assert labels(services) == {FIRST_LABEL, "v-a", "v-b", "v-validated"}


def test_younger_ones_stay(services: Running) -> None:
    assert prune(services, days=31).deleted == 0


def test_deletions_are_audited(services: Running) -> None:
    prune(services)
    entries = services.database.read_now(lambda c: audit_store.load_entries(c, "v-staged"))
    assert [entry.action for entry in entries] == ["knowledge.import", "knowledge.delete"]
    assert (entries[-1].actor, entries[-1].reason) == ("admin-x", "prune: it was never active")


def test_upload_without_a_version_goes_once_it_is_old(services: Running) -> None:
    orphan = services.folder / "v-gone-0123456789ab.csv"
    checkpoint = services.folder / "replay-of-something.msgpack"
    for path in (orphan, checkpoint):
        path.write_bytes(b"content")
        os.utime(path, (LATER.timestamp(), LATER.timestamp()))
    prune(services)
    assert orphan.exists()
    for path in (orphan, checkpoint):
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert [upload.name for upload in prune(services).uploads] == [orphan.name]
    assert not orphan.exists()
    assert checkpoint.exists()


def test_upload_of_a_label_that_was_taken_again_is_told_by_its_digest(services: Running) -> None:
    stale = services.folder / "v-b-0123456789ab.csv"
    stale.write_bytes(b"content")
    os.utime(stale, (NOON.timestamp(), NOON.timestamp()))
    assert stale.name in {upload.name for upload in prune(services).uploads}
    assert any(path.name.startswith("v-b-") for path in services.folder.iterdir())
