"""What the rim calls about knowledge beside staging and activation."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.knowledge import history, pointer, preparing, questions_store, refusals, store
from kis.knowledge.diff import DEFAULT_LIMIT, Difference
from kis.knowledge.progress import Tell, untold
from kis.knowledge.staging import Staging
from kis.knowledge.validated import Validation, load_validation

LABEL_PATH, AGAINST_PATH = "$.path.label", "$.query.against"


class KnowledgeService:
    """Lists, compares and deletes versions; tells their history and the open questions."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        staging: Staging,
        now: Callable[[], datetime],
    ) -> None:
        """Wire the parts."""
        self._database = database
        self._writer = writer
        self._staging = staging
        self._now = now

    async def list_versions(self) -> list[store.Version]:
        """Return all versions, newest activation first."""
        return await self._database.read(store.list_versions)

    async def active_version(self) -> store.Version:
        """Return the active version."""
        return await self._database.read(store.load_active_version)

    async def version(self, label: str) -> store.Version:
        """Return the version of that label.

        Raises:
            DomainError: VERSION_NOT_FOUND.

        """
        return await self._database.read(lambda c: store.require_version(c, label, LABEL_PATH))

    async def list_steps(self, version: store.Version | None = None) -> list[history.Step]:
        """Return all activations, or those of one version, newest first."""
        only = version and version.id
        return await self._database.read(lambda c: history.load_steps(c, only))

    async def last_regression(self) -> history.LastRegression | None:
        """Return what the last regression found; None before the first one."""
        return await self._database.read(history.load_last_regression)

    async def last_validation(self, version: store.Version) -> Validation | None:
        """Return how the version's last validation went; None before the first one."""
        return await self._database.read(lambda c: load_validation(c, version.id))

    async def compare(
        self,
        label: str,
        against: str | None,
        limit: int = DEFAULT_LIMIT,
        first: int = 0,
        tell: Tell = untold,
    ) -> tuple[str, Difference]:
        """Return what `label` has otherwise than `against` (the active one by default).

        Of each part `limit` rows from `first` on are listed; all are counted.

        Raises:
            DomainError: VERSION_NOT_FOUND.

        """
        version = await self._database.read(lambda c: store.require_version(c, label, LABEL_PATH))
        other = await self._database.read(
            lambda c: (
                store.require_version(c, against, AGAINST_PATH)
                if against
                else store.load_active_version(c)
            )
        )
        active = await self.active_version()
        base = await self._database.read(lambda c: store.load_documents(c, active))
        mine, theirs = await self._source_of(version), await self._source_of(other)
        size = max(base.size, preparing.size_of(mine), preparing.size_of(theirs))
        difference = await self._staging.compute(
            tell, size, preparing.compare_sources, base, theirs, mine, limit, first
        )
        return other.label, difference

    async def _source_of(self, version: store.Version) -> preparing.Source:
        # One that is staged again has content, of a validation that counts no more.
        if version.state == "validated":
            return await self._database.read(lambda c: store.load_documents(c, version))
        return await self._staging.source_of(version)

    async def delete(self, label: str, actor: str) -> None:
        """Delete a version that is not active.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_ACTIVE.

        """

        def write(connection: Connection) -> None:
            pointer.hold_knowledge(connection)
            version = store.require_version(connection, label, LABEL_PATH)
            if version.active:
                raise refusals.version_active(label)
            store.delete_version(connection, version.id)
            entry = audit_store.Entry(
                self._now(), actor, "knowledge.delete", label, digest=version.digest or ""
            )
            audit_store.record(connection, [entry])

        await self._writer.execute(write)

    async def list_questions(self, *, include_closed: bool) -> list[questions_store.OpenQuestion]:
        """Return what estimates asked for and nobody knows, the most asked first."""
        return await self._database.read(
            lambda c: questions_store.list_questions(c, include_closed=include_closed)
        )
