"""Deletes versions that nobody has used for long, and uploads that belong to none."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import Text
from kis.knowledge import pointer, store
from kis.knowledge.unused import DIGEST_SHOWN, Activation, Known, Use, upload_of, uses_of
from kis.moments import second_text


class PruneOrder(NamedTuple):
    """What to delete: unused for `days`. `labels`: of that only these; None: all."""

    days: int
    dry_run: bool
    labels: frozenset[str] | None = None


class PrunedVersion(msgspec.Struct, frozen=True, rename="camel"):
    """A version; `goes` whether it is deleted (or would be), `ko` and `en` why or why not."""

    label: str
    state: str
    unused_since: str | None
    goes: bool
    ko: str
    en: str


class PrunedUpload(msgspec.Struct, frozen=True, rename="camel"):
    """An upload that was kept as it came, and goes."""

    name: str
    size: int


class Pruned(msgspec.Struct, frozen=True, rename="camel"):
    """What was deleted; with `dryRun` what would be."""

    older_than_days: int
    dry_run: bool
    deleted: int
    versions: tuple[PrunedVersion, ...]
    uploads: tuple[PrunedUpload, ...]


class _Found(NamedTuple):
    uses: list[Use]
    versions: dict[str, store.Version]


class PruningService:
    """Prunes. Each version in a transaction of its own: nobody waits for all of them."""

    def __init__(
        self, *, database: Database, writer: Writer, folder: Path, now: Callable[[], datetime]
    ) -> None:
        """Wire the parts; `folder` has the uploads as they came."""
        self._database = database
        self._writer = writer
        self._folder = folder
        self._now = now

    async def prune(self, order: PruneOrder, actor: str) -> Pruned:
        """Delete what `order` says, by the rules of a deletion by hand; tell of what stays too."""
        before = self._now() - timedelta(days=order.days)
        found = await self._database.read(lambda c: _look(c, before))
        gone: set[str] = set()
        uses: list[Use] = []
        for use in found.uses:
            goes = use.goes and (order.labels is None or use.label in order.labels)
            if goes and not order.dry_run:
                goes = await self._delete(use.label, before, actor)
            if goes:
                gone.add(use.label)
            uses.append(use if goes or not use.goes else use._replace(goes=False, why=_SPARED))
        uploads = await asyncio.to_thread(self._uploads, found.versions.values(), gone, before)
        if not order.dry_run:
            uploads = await asyncio.to_thread(self._discard, uploads)
        return Pruned(
            order.days, order.dry_run, 0 if order.dry_run else len(gone), tuple(map(_told, uses)),
            tuple(uploads),
        )  # fmt: skip

    async def _delete(self, label: str, before: datetime, actor: str) -> bool:
        """Delete a version, unless it came into use since it was looked at."""

        def write(connection: Connection) -> bool:
            pointer.hold_knowledge(connection)
            found = _look(connection, before)
            use = next((use for use in found.uses if use.label == label and use.goes), None)
            if use is None:
                return False
            version = found.versions[label]
            store.delete_version(connection, version.id)
            entry = audit_store.Entry(
                self._now(), actor, "knowledge.delete", label, f"prune: {use.why.en}",
                version.digest or "",
            )  # fmt: skip
            audit_store.record(connection, [entry])
            return True

        return await self._writer.execute(write)

    def _uploads(
        self, versions: Iterable[store.Version], gone: Collection[str], before: datetime
    ) -> list[PrunedUpload]:
        """Return the uploads of versions that go, and old ones of versions that are gone."""
        digests = {version.label: version.upload_digest[:DIGEST_SHOWN] for version in versions}
        uploads = []
        for path in sorted(self._folder.glob("*")):
            named = upload_of(path.name)
            if named is None or not path.is_file():
                continue
            status = path.stat()
            label, digest = named
            is_kept = digests.get(label) == digest and label not in gone
            # One without a version may be that of an import that is under way.
            is_old = datetime.fromtimestamp(status.st_mtime, UTC) < before
            if not is_kept and (label in gone or is_old):
                uploads.append(PrunedUpload(path.name, status.st_size))
        return uploads

    def _discard(self, uploads: list[PrunedUpload]) -> list[PrunedUpload]:
        for upload in uploads:
            (self._folder / upload.name).unlink(missing_ok=True)
        return uploads


_SPARED = Text("삭제 대상으로 고르지 않음", "it was not chosen")


def _look(connection: Connection, before: datetime) -> _Found:
    versions = store.list_versions(connection)
    known = [
        Known(
            version.id, version.label, version.shown_state,
            max(version.created_at, version.validated_at or version.created_at),
        )
        for version in versions
    ]  # fmt: skip
    active = store.load_active_version(connection)
    history = [Activation(*row) for row in store.load_history(connection)]
    uses = uses_of(known, history, active.id, before)
    return _Found(uses, {version.label: version for version in versions})


def _told(use: Use) -> PrunedVersion:
    since = None if use.unused_since is None else second_text(use.unused_since)
    return PrunedVersion(use.label, use.state, since, use.goes, use.why.ko, use.why.en)
