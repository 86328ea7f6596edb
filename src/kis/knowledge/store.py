"""Keeps versions, their documents, and which one is active."""

import zlib
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from kis.knowledge.active import Active
from kis.knowledge.coherence import KnownRules
from kis.knowledge.content import (
    ContentError,
    Document,
    Documents,
    Packed,
    decode_rules,
    decode_tables,
)
from kis.knowledge.pace import GiveWay, go_on
from kis.knowledge.refusals import version_not_found
from kis.knowledge.snapshot import Snapshot, Tables
from kis.knowledge.tables import (
    knowledge_activation_table,
    knowledge_document_table,
    knowledge_pointer_table,
    knowledge_version_table,
)

POINTER_ID = 1
ACTIVE = "(active)"


class Version(NamedTuple):
    """A version without its content. `activated_at` is None when it never was active.

    `reason` is why it was imported, or where it is from.
    """

    id: int
    label: str
    state: str
    mode: str
    base_version_id: int | None
    upload_digest: str
    digest: str | None
    table_count: int
    total_rows: int
    created_at: datetime
    created_by: str
    reason: str
    validated_at: datetime | None
    activated_at: datetime | None
    active: bool

    @property
    def shown_state(self) -> str:
        """The state in the words of the life cycle: staged, validated, active, retired."""
        if self.active:
            return "active"
        return "retired" if self.activated_at else self.state


class Pointer(NamedTuple):
    """Which version is active, and since which activation."""

    version_id: int
    activation_id: int


def load_pointer(connection: Connection) -> Pointer | None:
    """Return the pointer; None before the first activation."""
    table = knowledge_pointer_table.c
    row = connection.execute(select(table.version_id, table.activation_id)).one_or_none()
    return None if row is None else Pointer(*row)


def _versions() -> Select[Any]:
    """Select versions as `Version` has them: newest activation first, never activated last.

    The order is that of the history, not of its times: a clock may be set back.
    """
    version, activation = knowledge_version_table.c, knowledge_activation_table.c
    last = (
        select(activation.version_id, func.max(activation.id).label("activation_id"))
        .group_by(activation.version_id)
        .subquery()
    )
    newest = knowledge_activation_table.alias("newest")
    columns = [version[name] for name in Version._fields if name not in ("activated_at", "active")]
    return (
        select(
            *columns,
            newest.c.at.label("activated_at"),
            (version.id == knowledge_pointer_table.c.version_id).label("active"),
        )
        .select_from(knowledge_version_table)
        .outerjoin(last, last.c.version_id == version.id)
        .outerjoin(newest, newest.c.id == last.c.activation_id)
        .outerjoin(knowledge_pointer_table, knowledge_pointer_table.c.version_id == version.id)
        .order_by(func.coalesce(newest.c.id, 0).desc(), version.id.desc())
    )


def _version(row: Row[Any]) -> Version:
    columns: dict[str, Any] = {**row._mapping}  # noqa: SLF001 - SQLAlchemy's public name
    return Version(**{**columns, "active": bool(row.active)})


def list_versions(connection: Connection) -> list[Version]:
    """Return all versions: newest activation first, then never activated, newest first."""
    return [_version(row) for row in connection.execute(_versions())]


def load_version(connection: Connection, label: str) -> Version | None:
    """Return the version of that label; None when there is none."""
    row = connection.execute(
        _versions().where(knowledge_version_table.c.label == label)
    ).one_or_none()
    return None if row is None else _version(row)


def require_version(connection: Connection, label: str, path: str = "$.versionLabel") -> Version:
    """Return the version of that label; `path` is where the request names it.

    Raises:
        DomainError: VERSION_NOT_FOUND.

    """
    version = load_version(connection, label)
    if version is None:
        raise version_not_found(label, path)
    return version


def load_active_version(connection: Connection) -> Version:
    """Return the active version. There is one from the first start on.

    Raises:
        DomainError: VERSION_NOT_FOUND, before the first activation.

    """
    pointer = load_pointer(connection)
    if pointer is None:
        raise version_not_found(ACTIVE)
    row = connection.execute(
        _versions().where(knowledge_version_table.c.id == pointer.version_id)
    ).one()
    return _version(row)


def load_history(connection: Connection) -> list[tuple[int, datetime]]:
    """Return the id of each version that became active, and when; in that order."""
    table = knowledge_activation_table.c
    rows = connection.execute(select(table.version_id, table.at).order_by(table.id))
    return [(row.version_id, row.at) for row in rows]


# --- content ---------------------------------------------------------------------------


def save_documents(connection: Connection, packed: Packed) -> None:
    """Keep what is not kept yet; documents are named by their digest."""
    table = knowledge_document_table
    parts = {part.digest: part.content for part in packed.parts.values()}
    present = connection.scalars(select(table.c.digest).where(table.c.digest.in_(parts)))
    for digest in present:
        del parts[digest]
    if parts:
        rows = [{"digest": digest, "content": content} for digest, content in parts.items()]
        connection.execute(insert(table), rows)


def load_document(connection: Connection, digest: str) -> bytes | None:
    """Return a document's bytes, unchecked; None when it is not kept.

    Raises:
        ContentError: the stored bytes are damaged.

    """
    content = connection.scalar(
        select(knowledge_document_table.c.content).where(
            knowledge_document_table.c.digest == digest
        )
    )
    try:
        return None if content is None else zlib.decompress(content)
    except zlib.error as error:
        # Named, and without its bytes: a terminal would take them for commands.
        message = f"the knowledge document {digest} cannot be unpacked"
        raise ContentError(message) from error


def has_document(connection: Connection, digest: str) -> bool:
    """Whether a document of that digest is kept, in whatever state."""
    table = knowledge_document_table.c
    return connection.scalar(select(table.digest).where(table.digest == digest)) is not None


def load_documents(connection: Connection, version: Version) -> Documents:
    """Return the four parts of a validated version.

    Raises:
        DomainError: VERSION_NOT_FOUND, it was deleted meanwhile.

    """
    table = knowledge_version_table.c
    digests = connection.execute(
        select(
            table.breakers_digest, table.enclosures_digest,
            table.accessories_digest, table.rules_digest,
        ).where(table.id == version.id)
    ).one_or_none()  # fmt: skip
    if digests is None:
        raise version_not_found(version.label)
    return Documents(*(Document(load_document(connection, d) or b"", d) for d in digests))


def load_tables(connection: Connection, version: Version) -> Tables:
    """Return the content of a validated version.

    Raises:
        DomainError: VERSION_NOT_FOUND, it was deleted meanwhile.
        ContentError: what is stored is not what was stored.

    """
    return decode_tables(load_documents(connection, version))


def load_rule_sets(connection: Connection) -> list[KnownRules]:
    """Return every rule set that versions have, each with the first of these.

    One that is damaged is left out: it is the doctor's to tell, and no reason to
    refuse an import.
    """
    table = knowledge_version_table.c
    labels: dict[str, str] = {}
    for label, digest in connection.execute(
        select(table.label, table.rules_digest)
        .where(table.rules_digest.is_not(None))
        .order_by(table.id)
    ):
        labels.setdefault(digest, label)
    known = []
    for digest, label in labels.items():
        with suppress(ContentError, zlib.error):
            rules = decode_rules(load_document(connection, digest) or b"")
            known.append(KnownRules(label, rules))
    return known


def load_active(connection: Connection, version: Version, *, give_way: GiveWay = go_on) -> Active:
    """Return a validated version ready for use; checks every digest.

    `give_way` is called after each millisecond or so of decoding.

    Raises:
        DomainError, ContentError: as `load_tables`.

    """
    return active_of(load_documents(connection, version), version, give_way)


def active_of(documents: Documents, version: Version, give_way: GiveWay = go_on) -> Active:
    """Return `version`, of which these are the documents, ready for use; as `load_active`."""
    snapshot = Snapshot(
        decode_tables(documents, give_way),
        label=version.label,
        digest=documents.digest,
        version_id=version.id,
        give_way=give_way,
    )
    return Active(
        snapshot,
        enclosures_digest=documents.enclosures.digest,
        rules_digest=documents.rules.digest,
    )


# --- changes ---------------------------------------------------------------------------


def insert_version(connection: Connection, **columns: Any) -> int:
    """Add a staged version; return its id."""
    table = knowledge_version_table
    statement = insert(table).values(state="staged", **columns).returning(table.c.id)
    version_id: int = connection.execute(statement).scalar_one()
    return version_id


def load_change_set(connection: Connection, version: Version) -> bytes:
    """Return the upload that a version was made from, as it was kept.

    Raises:
        DomainError: VERSION_NOT_FOUND, it was deleted meanwhile.

    """
    change_set: bytes | None = connection.scalar(
        select(knowledge_version_table.c.change_set).where(
            knowledge_version_table.c.id == version.id
        )
    )
    if change_set is None:
        raise version_not_found(version.label)
    return zlib.decompress(change_set)


def mark_validated(
    connection: Connection, version_id: int, base_version_id: int | None, packed: Packed,
    counts: tuple[int, int], at: datetime,
) -> None:  # fmt: skip
    """Give a version its content. `counts` are breaker tables and rows.

    Breakers of an earlier validation that no version has any more are deleted.
    """
    earlier = _breakers_digest(connection, version_id)
    save_documents(connection, packed)
    connection.execute(
        update(knowledge_version_table)
        .where(knowledge_version_table.c.id == version_id)
        .values(
            state="validated",
            base_version_id=base_version_id,
            **{f"{name}_digest": part.digest for name, part in packed.parts.items()},
            digest=packed.digest,
            table_count=counts[0],
            total_rows=counts[1],
            validated_at=at,
        )
    )
    _forget_unused(connection, earlier)


def mark_staged(connection: Connection, version_id: int) -> None:
    """Take a validation back; the content that it fixed stays, the state alone changes."""
    connection.execute(
        update(knowledge_version_table)
        .where(knowledge_version_table.c.id == version_id)
        .values(state="staged", validated_at=None)
    )


class Activation(NamedTuple):
    """One entry of the history of what was active."""

    version_id: int
    label: str
    digest: str
    previous_label: str | None
    kind: str
    reason: str
    actor: str
    forced: bool
    at: datetime
    regression: bytes | None


def record_activation(connection: Connection, activation: Activation) -> int:
    """Add to the history and move the pointer; return the id of the activation."""
    table = knowledge_activation_table
    activation_id: int = connection.execute(
        insert(table).values(**activation._asdict()).returning(table.c.id)
    ).scalar_one()
    values = {"version_id": activation.version_id, "activation_id": activation_id}
    moved = connection.execute(update(knowledge_pointer_table).values(**values))
    if not moved.rowcount:
        connection.execute(insert(knowledge_pointer_table).values(id=POINTER_ID, **values))
    return activation_id


def delete_version(connection: Connection, version_id: int) -> None:
    """Delete a version and the breakers that no other version has.

    Enclosures, accessories and rules stay: evidence may name them.
    """
    breakers = _breakers_digest(connection, version_id)
    table = knowledge_version_table
    connection.execute(delete(table).where(table.c.id == version_id))
    _forget_unused(connection, breakers)


def _breakers_digest(connection: Connection, version_id: int) -> str | None:
    table = knowledge_version_table.c
    return connection.scalar(select(table.breakers_digest).where(table.id == version_id))


def _forget_unused(connection: Connection, breakers_digest: str | None) -> None:
    """Delete breakers that no version has; a copy of a large table is megabytes."""
    version, document = knowledge_version_table.c, knowledge_document_table
    users = select(func.count()).where(version.breakers_digest == breakers_digest)
    if breakers_digest is not None and not connection.scalar(users):
        connection.execute(delete(document).where(document.c.digest == breakers_digest))
