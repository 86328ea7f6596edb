"""Versions, their content and the pointer, on a real database."""

import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.exc import IntegrityError

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge import store
from kis.knowledge.content import ContentError, encode_tables, pack
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.tables import knowledge_document_table
from tests.backends import SQLITE_ONLY
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import breaker, seed_tables, tables_of

DOCUMENTS = select(func.count()).select_from(knowledge_document_table)


def add_version(connection: Connection, label: str, **columns: Any) -> store.Version:
    """Add a staged version."""
    store.insert_version(
        connection, label=label, mode="add", upload_digest="d" * 64, created_at=NOON,
        created_by="admin-x", **columns,
    )  # fmt: skip
    return store.require_version(connection, label)


def validated(connection: Connection, label: str, *models: str) -> store.Version:
    """Add a version with these breakers as its content."""
    version = add_version(connection, label)
    mark(connection, version, *models)
    return store.require_version(connection, label)


def mark(connection: Connection, version: store.Version, *models: str) -> None:
    rows = [breaker(model) for model in models]
    documents = encode_tables(tables_of(*rows))
    store.mark_validated(connection, version.id, 1, pack(documents), (1, len(rows)), NOON)


def activate(connection: Connection, version: store.Version, at: datetime = NOON) -> None:
    store.record_activation(
        connection,
        store.Activation(
            version.id, version.label, version.digest or "", FIRST_LABEL, "activate", "", "x",
            False, at, None,
        ),
    )  # fmt: skip


def labels(connection: Connection) -> list[str]:
    return [version.label for version in store.list_versions(connection)]


# --- versions ----------------------------------------------------------------------------


def test_nothing_is_active_before_the_first_start(migrated: Database) -> None:
    assert migrated.read_now(store.load_pointer) is None
    assert migrated.read_now(store.list_versions) == []
    with pytest.raises(DomainError) as caught:
        migrated.read_now(store.load_active_version)
    assert caught.value.main.code is ErrorCode.VERSION_NOT_FOUND


def test_first_version_is_active(database: Database) -> None:
    version = database.read_now(store.load_active_version)
    assert (version.label, version.active, version.shown_state) == (FIRST_LABEL, True, "active")
    assert (version.activated_at, version.validated_at) == (NOON, NOON)


def test_unknown_label_is_refused_where_the_request_names_it(database: Database) -> None:
    assert database.read_now(lambda c: store.load_version(c, "v-none")) is None
    with pytest.raises(DomainError) as caught:
        database.read_now(lambda c: store.require_version(c, "v-none", "$.targetVersionLabel"))
    assert caught.value.main.code is ErrorCode.VERSION_NOT_FOUND
    assert caught.value.main.path == "$.targetVersionLabel"


def test_label_is_given_once(database: Database) -> None:
    database.write_now(lambda c: add_version(c, "v-a"))
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: add_version(c, "v-a"))


def test_states(database: Database) -> None:
    def states(connection: Connection) -> list[str]:
        found = [add_version(connection, "v-a").shown_state]
        mark(connection, store.require_version(connection, "v-a"), "T-1")
        version = store.require_version(connection, "v-a")
        found.append(version.shown_state)
        activate(connection, version)
        found.append(store.require_version(connection, "v-a").shown_state)
        activate(connection, store.require_version(connection, FIRST_LABEL))
        found.append(store.require_version(connection, "v-a").shown_state)
        return found

    assert database.write_now(states) == ["staged", "validated", "active", "retired"]


def test_list_is_by_newest_activation_whatever_the_clock_said(database: Database) -> None:
    """A clock that was set back must not make an older version the one to roll back to."""

    def write(connection: Connection) -> list[str]:
        first = store.load_active_version(connection)
        a, b = (validated(connection, f"v-{x}", f"T-{x}") for x in "ab")
        add_version(connection, "v-staged")
        for version, hours in ((a, 5), (b, -5), (a, -5), (first, -7)):
            activate(connection, version, NOON + timedelta(hours=hours))
        validated(connection, "v-new", "T-new")
        return labels(connection)

    assert database.write_now(write) == [FIRST_LABEL, "v-a", "v-b", "v-new", "v-staged"]


def test_pointer_moves_with_the_history(database: Database) -> None:
    def write(connection: Connection) -> tuple[store.Pointer | None, store.Version]:
        version = validated(connection, "v-a", "T-1")
        activate(connection, version)
        return store.load_pointer(connection), version

    pointer, version = database.write_now(write)
    assert pointer == (version.id, 2)
    assert database.read_now(store.load_active_version).label == "v-a"


# --- content -----------------------------------------------------------------------------


def test_content_comes_back_as_it_was_kept(database: Database) -> None:
    version = database.write_now(lambda c: validated(c, "v-a", "T-1", "T-2"))
    tables = database.read_now(lambda c: store.load_tables(c, version))
    assert tables == tables_of(breaker("T-1"), breaker("T-2"))
    active = database.read_now(lambda c: store.load_active(c, version))
    assert (active.snapshot.label, active.snapshot.digest) == ("v-a", version.digest)
    assert active.snapshot.version_id == version.id
    assert active.rules_digest == encode_tables(tables).rules.digest
    assert active.enclosures_digest == encode_tables(tables).enclosures.digest


def test_equal_documents_are_kept_once(database: Database) -> None:
    before = database.read_now(lambda c: c.scalar(DOCUMENTS))
    database.write_now(lambda c: [validated(c, label, "T-1") for label in ("v-a", "v-b")])
    assert database.read_now(lambda c: c.scalar(DOCUMENTS)) == (before or 0) + 1


def test_document_that_is_not_kept(database: Database) -> None:
    assert database.read_now(lambda c: store.load_document(c, "0" * 64)) is None


def test_changed_document_is_found(database: Database) -> None:
    version = database.read_now(store.load_active_version)
    database.write_now(
        lambda c: c.execute(update(knowledge_document_table).values(content=zlib.compress(b"[]")))
    )
    with pytest.raises(ContentError):
        database.read_now(lambda c: store.load_tables(c, version))


@SQLITE_ONLY  # another column keeps no text for bytes
@pytest.mark.parametrize("content", ["cast(content AS TEXT)", "x'00'", "7", "''"])
def test_damaged_document_is_named_without_its_bytes(database: Database, content: str) -> None:
    version = database.read_now(store.load_active_version)
    database.write_now(
        lambda c: c.execute(text(f"UPDATE knowledge_document SET content={content}"))
    )
    if content.startswith("cast"):
        # The same bytes, kept as text by an editor: nothing is lost.
        assert database.read_now(lambda c: store.load_tables(c, version)).breakers
        return
    with pytest.raises(ContentError, match=r"^the knowledge document [0-9a-f]{64} cannot be"):
        database.read_now(lambda c: store.load_tables(c, version))


@pytest.mark.parametrize("load", [store.load_tables, store.load_active, store.load_change_set])
def test_content_of_a_version_that_was_deleted_meanwhile(
    database: Database, load: Callable[[Connection, store.Version], object]
) -> None:
    version = database.write_now(lambda c: validated(c, "v-a", "T-1"))
    database.write_now(lambda c: store.delete_version(c, version.id))
    with pytest.raises(DomainError) as caught:
        database.read_now(lambda c: load(c, version))
    assert caught.value.main.code is ErrorCode.VERSION_NOT_FOUND
    assert "v-a" in caught.value.main.message.en


def test_change_set_comes_back(database: Database) -> None:
    kept = zlib.compress(b"as it came")
    version = database.write_now(lambda c: add_version(c, "v-a", change_set=kept))
    assert database.read_now(lambda c: store.load_change_set(c, version)) == b"as it came"


# --- deleting ----------------------------------------------------------------------------


def test_deleting_keeps_what_others_have_and_what_evidence_names(database: Database) -> None:
    before = database.read_now(lambda c: c.scalar(DOCUMENTS)) or 0

    def write(connection: Connection) -> list[int | None]:
        twins = [validated(connection, label, "T-1") for label in ("v-a", "v-b")]
        counts = [connection.scalar(DOCUMENTS)]
        for version in twins:
            store.delete_version(connection, version.id)
            counts.append(connection.scalar(DOCUMENTS))
        return counts

    assert database.write_now(write) == [before + 1, before + 1, before]


def test_second_validation_forgets_the_first_content(database: Database) -> None:
    def write(connection: Connection) -> tuple[int | None, int | None]:
        version = validated(connection, "v-a", "T-1")
        first = connection.scalar(DOCUMENTS)
        mark(connection, version, "T-1", "T-2")
        return first, connection.scalar(DOCUMENTS)

    first, second = database.write_now(write)
    assert first == second


def test_second_validation_keeps_what_another_version_has(database: Database) -> None:
    def write(connection: Connection) -> store.Version:
        version = validated(connection, "v-a", "T-1")
        other = validated(connection, "v-b", "T-1")
        mark(connection, version, "T-2")
        return other

    other = database.write_now(write)
    tables = database.read_now(lambda c: store.load_tables(c, other))
    assert tables == tables_of(breaker("T-1"))


def test_same_content_validated_twice_stays(database: Database) -> None:
    def write(connection: Connection) -> store.Version:
        version = validated(connection, "v-a", "T-1")
        mark(connection, version, "T-1")
        return version

    version = database.write_now(write)
    assert database.read_now(lambda c: store.load_tables(c, version)).breakers


def test_active_version_cannot_be_deleted(database: Database) -> None:
    version = database.read_now(store.load_active_version)
    with pytest.raises(IntegrityError):
        database.write_now(lambda c: store.delete_version(c, version.id))
    assert database.read_now(store.load_active_version) == version


def test_id_is_never_given_twice(database: Database) -> None:
    """The history names versions by id."""

    def write(connection: Connection) -> tuple[int, int]:
        first = add_version(connection, "v-a")
        store.delete_version(connection, first.id)
        return first.id, add_version(connection, "v-a").id

    first, second = database.write_now(write)
    assert second > first


def test_rule_sets_that_versions_have(database: Database) -> None:
    rules = seed_tables().rules
    newer = msgspec.structs.replace(rules, version="next")

    def write(connection: Connection) -> None:
        validated(connection, "v-a", "T-1")
        version = add_version(connection, "v-b")
        tables = msgspec.structs.replace(tables_of(breaker()), rules=newer)
        store.mark_validated(connection, version.id, 1, pack(encode_tables(tables)), (1, 1), NOON)
        add_version(connection, "v-staged")

    database.write_now(write)
    known = database.read_now(store.load_rule_sets)
    assert known == [(FIRST_LABEL, rules), ("v-b", newer)]


def test_damaged_rule_set_is_no_reason_to_refuse_an_import(database: Database) -> None:
    digest = database.read_now(
        lambda c: c.scalar(text("SELECT rules_digest FROM knowledge_version"))
    )
    database.write_now(
        lambda c: c.execute(
            update(knowledge_document_table)
            .where(knowledge_document_table.c.digest == digest)
            .values(content=zlib.compress(b"{"))
        )
    )
    assert database.read_now(store.load_rule_sets) == []
