"""Staging: what is kept of an upload, and what a validation fixes."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from kis.audit.tables import audit_entry_table
from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge import store
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.lengths import lengths_to_mm
from kis.knowledge.staging import ImportOrder
from kis.units import to_mm
from tests.unit.knowledge.rows import breaker, cells_of, seed_tables, write_csv
from tests.unit.knowledge.running import Running, running

SIDES = ("width", "height", "depth")


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    with running(database, tmp_path / "knowledge-staging") as services:
        yield services


def order(label: str, *models: str, **changes: Any) -> ImportOrder:
    content = write_csv(breaker(model) for model in models)
    return ImportOrder(label, "csv", content, "add")._replace(**changes)


def rules_of(version: str, **changes: Any) -> dict[str, object]:
    """Return the shipped rules as an upload has them, under another version."""
    shipped = lengths_to_mm(msgspec.to_builtins(seed_tables().rules))
    return shipped | {"version": version} | changes


def refusal(services: Running, wanted: ImportOrder) -> ErrorCode:
    with pytest.raises(DomainError) as caught:
        services.run(services.staging.import_tables(wanted, "admin-x"))
    return caught.value.main.code


# --- importing ---------------------------------------------------------------------------


def test_upload_is_kept_as_it_came_beside_its_version(services: Running) -> None:
    raw = write_csv([breaker("T-1")]).encode()
    (imported,) = services.run(services.staging.import_tables(order("v-a", "T-1"), "admin-x"))
    digest = sha256(raw).hexdigest()
    assert imported.upload_digest == digest == services.version("v-a").upload_digest
    (kept,) = services.folder.iterdir()
    assert kept.name == f"v-a-{digest[:12]}.csv"
    assert kept.read_bytes() == raw


def test_refused_upload_leaves_nothing(services: Running) -> None:
    assert refusal(services, order("v-a", content="no table")) is ErrorCode.KNOWLEDGE_INVALID
    assert not services.folder.exists()
    assert services.database.read_now(lambda c: store.load_version(c, "v-a")) is None


def test_folder_that_cannot_be_written_leaves_no_version(services: Running) -> None:
    services.folder.write_text("a file stands in its place")
    with pytest.raises(OSError, match="exists"):
        services.run(services.staging.import_tables(order("v-a", "T-1"), "admin-x"))
    assert services.database.read_now(lambda c: store.load_version(c, "v-a")) is None


def test_writer_that_refuses_leaves_no_file(services: Running) -> None:
    services.run(services.writer.stop())
    assert refusal(services, order("v-a", "T-1")) is ErrorCode.NOT_READY
    assert list(services.folder.iterdir()) == []


def test_used_label_takes_the_same_content_only(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    (again,) = services.run(services.staging.import_tables(order("v-a", "T-1"), "admin-y"))
    assert again.repeated is True
    assert services.version("v-a").created_by == "admin-x"
    for other in (order("v-a", "T-2"), order("v-a", "T-1", mode="replace")):
        assert refusal(services, other) is ErrorCode.VERSION_ALREADY_EXISTS


def test_label_of_the_shipped_version_is_used(services: Running) -> None:
    assert refusal(services, order(FIRST_LABEL, "T-1")) is ErrorCode.VERSION_ALREADY_EXISTS


def test_rules_without_a_brand_whose_rows_stay_are_refused(services: Running) -> None:
    rules = rules_of("ls", brands=["LS"])
    wanted = order("v-a", format="json", content={"rules": rules})
    assert refusal(services, wanted) is ErrorCode.KNOWLEDGE_INVALID
    assert not services.folder.exists()
    others = [
        {**cells_of(row), "af": row.frame_size_a, **{
            f"{side}_mm": to_mm(getattr(row, f"{side}_dmm")) for side in SIDES
        }, "meta": {"type": row.type}}
        for row in seed_tables().breakers if row.brand == "LS"
    ]  # fmt: skip
    both = wanted._replace(content={"rules": rules, "breakers": others}, mode="replace")
    services.run(services.staging.import_tables(both, "admin-x"))
    assert services.validate("v-a")


def test_brand_whose_rows_came_meanwhile_is_refused_at_the_validation(services: Running) -> None:
    more = {"rules": rules_of("abb", brands=["LS", "SANGDO", "ABB"])}
    wanted = order("v-abb", format="json", content=more)
    services.run(services.staging.import_tables(wanted, "admin-x"))
    services.validate("v-abb")
    services.activate("v-abb")
    without = wanted._replace(label="v-b", content={"rules": rules_of("next")})
    services.run(services.staging.import_tables(without, "admin-x"))
    services.stage("v-a", breaker("T-1", brand="ABB"))
    services.validate("v-a")
    services.activate("v-a")
    with pytest.raises(DomainError) as caught:
        services.validate("v-b")
    assert caught.value.main.code is ErrorCode.KNOWLEDGE_INVALID
    assert "ABB" in caught.value.main.message.en
    assert services.version("v-b").state == "staged"


def rules_order(label: str, version: str, **changes: Any) -> ImportOrder:
    return order(label, format="json", content={"rules": rules_of(version, **changes)})


def test_version_of_rules_that_a_version_has_is_not_given_to_others(services: Running) -> None:
    shipped = seed_tables().rules.version
    wider = {"polePitchAboveMm": 71}
    assert refusal(services, rules_order("v-a", shipped, **wider)) is ErrorCode.KNOWLEDGE_INVALID
    same = rules_order("v-a", shipped)
    services.run(services.staging.import_tables(same, "admin-x"))
    for label, changes in (("v-b", wider), ("v-c", {"polePitchAboveMm": 72})):
        services.run(services.staging.import_tables(rules_order(label, "2", **changes), "admin-x"))
    assert services.validate("v-b")
    # Both were staged while nobody had the version; validated is the first.
    with pytest.raises(DomainError) as caught:
        services.validate("v-c")
    assert caught.value.main.path == "$.rules.version"
    assert "v-b" in caught.value.main.message.ko
    assert refusal(services, rules_order("v-d", "2")) is ErrorCode.KNOWLEDGE_INVALID
    assert services.validate("v-b")


def test_two_at_once_do_not_both_get_a_version_of_rules(services: Running) -> None:
    for label, pitch in (("v-a", 71), ("v-b", 72)):
        wanted = rules_order(label, "2", polePitchAboveMm=pitch)
        services.run(services.staging.import_tables(wanted, "admin-x"))
    with pytest.raises(DomainError) as caught:
        services.run(*(services.staging.validate(v, 10, "admin-x") for v in ("v-a", "v-b")))
    assert caught.value.main.path == "$.rules.version"
    states = sorted(services.version(label).state for label in ("v-a", "v-b"))
    assert states == ["staged", "validated"]


def test_version_without_a_breaker_is_refused(services: Running) -> None:
    empty = order("v-a", format="json", content={"breakers": []}, mode="replace")
    assert refusal(services, empty) is ErrorCode.KNOWLEDGE_INVALID
    services.run(services.staging.import_tables(empty._replace(mode="add"), "admin-x"))


# --- validating --------------------------------------------------------------------------


def test_valid_version_gets_content_and_counts(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    assert services.version("v-a").digest is None
    assert services.validate("v-a")
    version = services.version("v-a")
    assert (version.state, version.table_count, version.total_rows) == ("validated", 2, 109)
    tables = services.database.read_now(lambda c: store.load_tables(c, version))
    assert breaker("T-1").key in {row.key for row in tables.breakers}


def test_version_whose_sample_fails_stays_as_it_was(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.refuses = lambda _, __: True
    (validated,) = services.run(services.staging.validate("v-a", 10, "admin-x"))
    assert (validated.valid, validated.succeeded, validated.failed) == (False, 0, 10)
    assert validated.samples[0].code == "NEED_KNOWLEDGE_UPDATE"
    assert services.version("v-a").state == "staged"


def test_validated_version_that_fails_later_is_staged_again(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    assert services.validate("v-a")
    before = services.version("v-a")
    services.refuses = lambda _, __: True
    (failed,) = services.run(services.staging.validate("v-a", 10, "admin-x"))
    assert (failed.valid, failed.state, failed.taken_back) == (False, "staged", True)
    (again,) = services.run(services.staging.validate("v-a", 10, "admin-x"))
    assert (again.state, again.taken_back) == ("staged", False)
    after = services.version("v-a")
    assert (after.state, after.validated_at) == ("staged", None)
    assert after == before._replace(state="staged", validated_at=None)
    with pytest.raises(DomainError) as caught:
        services.activate("v-a")
    assert caught.value.main.code is ErrorCode.VERSION_NOT_VALIDATED


def test_version_that_is_staged_again_can_pass_again(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.refuses = lambda _, __: True
    assert not services.validate("v-a")
    services.refuses = lambda _, __: False
    assert services.validate("v-a")
    services.activate("v-a")
    assert services.version("v-a").active


def test_version_whose_upload_fits_its_base_no_more_is_staged_again(services: Running) -> None:
    """The brand is taken out of the rules after the version with its rows was validated."""
    services.stage("v-b", breaker("T-2", brand="SANGDO"))
    assert services.validate("v-b")
    others = [row for row in seed_tables().breakers if row.brand == "LS"]
    services.stage("v-a", *others, mode="replace")
    services.validate("v-a")
    services.activate("v-a")
    wanted = ImportOrder("v-rules", "json", {"rules": rules_of("ls", brands=["LS"])}, "add")
    services.run(services.staging.import_tables(wanted, "admin-x"))
    services.validate("v-rules")
    services.activate("v-rules")
    with pytest.raises(DomainError) as caught:
        services.validate("v-b")
    assert caught.value.main.code is ErrorCode.KNOWLEDGE_INVALID
    assert caught.value.findings[-1].code is ErrorCode.VERSION_NOT_VALIDATED
    assert "staged again" in caught.value.findings[-1].message.en
    assert services.version("v-b").state == "staged"
    # It is told once: nothing is taken back from a version that is staged already.
    with pytest.raises(DomainError) as again:
        services.validate("v-b")
    assert {f.code for f in again.value.findings} == {ErrorCode.KNOWLEDGE_INVALID}


def test_version_that_was_active_stays_what_it_is(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.activate("v-a")
    services.roll_back(FIRST_LABEL)
    before = services.version("v-a")
    services.refuses = lambda _, __: True
    (failed,) = services.run(services.staging.validate("v-a", 10, "admin-x"))
    assert (failed.valid, failed.state, failed.taken_back) == (False, "retired", False)
    assert services.version("v-a") == before


def test_unknown_version_is_not_validated(services: Running) -> None:
    with pytest.raises(DomainError) as caught:
        services.validate("v-none")
    assert caught.value.main.code is ErrorCode.VERSION_NOT_FOUND


def test_changes_are_laid_on_what_is_active_now(services: Running) -> None:
    services.stage("v-b", breaker("T-2"))
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.activate("v-a")
    (validated,) = services.run(services.staging.validate("v-b", 10, "admin-x"))
    assert (validated.rebased, validated.base_version) == (True, "v-a")
    version = services.version("v-b")
    tables = services.database.read_now(lambda c: store.load_tables(c, version))
    assert {"T-1", "T-2"} <= {row.model for row in tables.breakers}


def test_replacing_upload_replaces_on_every_base(services: Running) -> None:
    services.stage("v-b", breaker("T-2"), mode="replace")
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.activate("v-a")
    (validated,) = services.run(services.staging.validate("v-b", 10, "admin-x"))
    assert (validated.counts.added, validated.counts.removed) == (1, 109)


def test_content_of_a_version_that_was_active_is_not_laid_anew(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.activate("v-a")
    services.roll_back(FIRST_LABEL)
    before = services.version("v-a")
    assert services.validate("v-a")
    assert services.version("v-a") == before


def test_remarks_come_with_the_validation(services: Running) -> None:
    narrow = breaker("T-4", 4, width_dmm=500)
    services.stage("v-a", breaker("T-3", 3, width_dmm=750), narrow)
    (validated,) = services.run(services.staging.validate("v-a", 10, "admin-x"))
    assert narrow.key in {remark.row for remark in validated.warnings}


def test_each_change_of_state_is_audited(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.validate("v-a")
    services.refuses = lambda _, __: True
    services.validate("v-a")
    services.validate("v-a")
    table = audit_entry_table.c
    actions = services.database.read_now(
        lambda c: c.scalars(select(table.action).where(table.subject == "v-a")).all()
    )
    assert actions == ["knowledge.import", "knowledge.validate", "knowledge.invalidate"]
