"""From an upload to a validated version: import, lay on the active version, try out."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import DomainError
from kis.evidence.encoding import sha256_hex
from kis.knowledge import pointer, preparing, previewing, refusals, store
from kis.knowledge.coherence import check_rules_version
from kis.knowledge.diff import Difference, Mode
from kis.knowledge.progress import Progress, Tell, untold
from kis.knowledge.regression import Resize
from kis.knowledge.validated import Validated, Validation, keep_validation

RESERVED_LABELS = frozenset({"active", "golden", "import", "questions"})
"""What an address has in the place of a label: `/v1/knowledge/versions/active`, the console's."""


LARGE_BYTES = 1 << 20

Result = TypeVar("Result")
Apart = Callable[..., Awaitable[Any]]
"""`apart(fn, *args, tell=tell)` returns `fn(*args, tell=tell)`; all but `tell` can be pickled."""


class ImportOrder(NamedTuple):
    """An upload as it came: `content` is text, bytes, or decoded JSON."""

    label: str
    format: str
    content: object
    mode: Mode
    reason: str = ""
    """Why, or where it is from; the version and the audit trail keep it."""


class Imported(msgspec.Struct, frozen=True, rename="camel"):
    """What an import did. `repeated`: the same content was imported under this label before."""

    version_label: str
    state: str
    mode: Mode
    base_version: str
    upload_digest: str
    repeated: bool
    added: int
    changed: int
    removed: int
    unchanged: int
    difference: Difference | None


class Staging:
    """Takes uploads in and makes versions of them."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        folder: Path,
        resize: Resize,
        apart: Apart,
        now: Callable[[], datetime],
    ) -> None:
        """Wire the parts. `folder` keeps raw uploads; `resize` estimates sample boards.

        `apart` computes what is long where it is in nobody's way.
        """
        self._database = database
        self._writer = writer
        self._folder = folder
        self._resize = resize
        self._apart = apart
        self._now = now
        self._turn = asyncio.Lock()

    # --- looking ahead ---------------------------------------------------------------

    async def preview(
        self, format_name: str, content: object, mode: Mode, limit: int, tell: Tell = untold
    ) -> previewing.Preview:
        """Return what an import would do, or what is wrong at which cell; nothing is stored.

        Of what it changes at most `limit` rows of each part are listed. `tell` is called now
        and then, in another thread; so it is below.
        """
        active = await self._database.read(store.load_active_version)
        base = await self._database.read(lambda c: store.load_documents(c, active))
        known_rules = await self._database.read(store.load_rule_sets)
        size = max(base.size, len(content) if isinstance(content, bytes) else 0)
        return await self.compute(
            tell, size, previewing.preview, base, format_name, content, mode, known_rules, limit
        )

    # --- importing -------------------------------------------------------------------

    async def import_tables(self, order: ImportOrder, actor: str, tell: Tell = untold) -> Imported:
        """Stage an upload as a version; nothing is stored when anything is wrong with it.

        Raises:
            DomainError: KNOWLEDGE_INVALID with all findings; VERSION_ALREADY_EXISTS;
                INVALID_REQUEST, the label is one of `RESERVED_LABELS`.

        """
        if order.label.lower() in RESERVED_LABELS:
            raise refusals.label_reserved(order.label)
        raw = await asyncio.to_thread(_raw_bytes, order.content)
        digest = await asyncio.to_thread(sha256_hex, raw)
        existing = await self._database.read(lambda c: store.load_version(c, order.label))
        if existing is not None:
            _check_same(existing, order, digest)
        active = await self._database.read(store.load_active_version)
        base = await self._database.read(lambda c: store.load_documents(c, active))
        known_rules = await self._database.read(store.load_rule_sets)
        difference = await self.compute(
            tell, max(len(raw), base.size), preparing.read_and_compare,
            base, order.format, order.content, order.mode, known_rules,
        )  # fmt: skip
        tell(Progress("keep"))
        version, is_new = await self._stage(order, raw, digest, active.id, actor)
        total = difference.total
        return Imported(
            order.label, version.shown_state, order.mode, active.label, digest,
            not is_new, total.added, total.changed, total.removed, total.unchanged, difference,
        )  # fmt: skip

    async def _stage(
        self, order: ImportOrder, raw: bytes, digest: str, base_version_id: int, actor: str
    ) -> tuple[store.Version, bool]:
        """Keep the upload under its label; also say whether it is new there.

        One at a time: of two owners with one label the second must leave no file.
        """
        name = _format_name(order)
        kept = await asyncio.to_thread(_compress, name, raw)
        async with self._turn:
            existing = await self._database.read(lambda c: store.load_version(c, order.label))
            if existing is not None:
                _check_same(existing, order, digest)
                return existing, False
            path = self._folder / f"{order.label}-{digest[:12]}.{name}"
            try:
                await asyncio.to_thread(_keep, path, raw)
                return await self._writer.execute(
                    lambda c: self._insert(c, order, base_version_id, digest, kept, actor)
                )
            except Exception:
                with suppress(OSError):
                    path.unlink()
                raise

    def _insert(
        self, connection: Connection, order: ImportOrder, base_version_id: int,
        digest: str, change_set: bytes, actor: str,
    ) -> tuple[store.Version, bool]:  # fmt: skip
        pointer.hold_knowledge(connection)
        # Another process may have taken the label since it was looked for.
        existing = store.load_version(connection, order.label)
        if existing is not None:
            _check_same(existing, order, digest)
            return existing, False
        at = self._now()
        store.insert_version(
            connection,
            label=order.label,
            mode=order.mode,
            base_version_id=base_version_id,
            upload_digest=digest,
            change_set=change_set,
            created_at=at,
            created_by=actor,
            reason=order.reason,
        )
        entry = audit_store.Entry(at, actor, "knowledge.import", order.label, order.reason, digest)
        audit_store.record(connection, [entry])
        return store.require_version(connection, order.label), True

    # --- validating ------------------------------------------------------------------

    async def validate(
        self, label: str, sample_size: int, actor: str, tell: Tell = untold
    ) -> Validated:
        """Lay a version on the active one, try sample boards, and fix its content.

        A version that was active once keeps its content and its state; it is only
        tried again. Any other goes back to `staged` when it fails, though an earlier
        validation passed: what that one fixed stays in place until the next that
        passes, but cannot be activated.

        Raises:
            DomainError: VERSION_NOT_FOUND; KNOWLEDGE_INVALID, the upload does not
                fit what is active now.

        """
        version = await self._database.read(lambda c: store.require_version(c, label))
        active = await self._database.read(store.load_active_version)
        base = await self._database.read(lambda c: store.load_documents(c, active))
        is_fixed = version.activated_at is not None
        try:
            source = await self.source_of(version)
            trial = await self.compute(
                tell, max(preparing.size_of(source), base.size), preparing.lay_and_try,
                base, source, sample_size, self._resize, label,
            )  # fmt: skip
        except DomainError as error:
            state = await self._take_back(version, actor)
            if version.state == state:
                raise
            raise DomainError(*error.findings, refusals.staged_again(label).main) from error
        tell(Progress("keep"))
        valid = bool(trial.samples) and all(sample.succeeded for sample in trial.samples)
        state = version.shown_state
        if valid and not is_fixed:
            await self._fix_content(version, active, trial, actor)
            state = "validated"
        elif not valid:
            state = await self._take_back(version, actor)
        succeeded = sum(sample.succeeded for sample in trial.samples)
        validated = Validated(
            label, valid, state, active.label,
            not is_fixed and version.base_version_id != active.id,
            version.state == "validated" and state == "staged",
            trial.packed.digest, trial.counts, len(trial.samples), succeeded,
            len(trial.samples) - succeeded, trial.samples, trial.remarks,
        )  # fmt: skip
        result = Validation(self._now(), actor, validated)
        await self._writer.execute(lambda c: keep_validation(c, version.id, result))
        return validated

    async def source_of(self, version: store.Version) -> preparing.Source:
        """Return what a version is made from: its content is fixed once it was active.

        Raises:
            DomainError: VERSION_NOT_FOUND, it was deleted meanwhile.

        """
        if version.activated_at is not None:
            return await self._database.read(lambda c: store.load_documents(c, version))
        kept = await self._database.read(lambda c: store.load_change_set(c, version))
        known_rules = await self._database.read(store.load_rule_sets)
        return preparing.Kept(kept, _mode(version), known_rules)

    async def compute(
        self, tell: Tell, size: int, fn: Callable[..., Result], *args: object
    ) -> Result:
        """Return `fn(*args, tell=tell)`: of `size` bytes, a process of its own is worth its start.

        Where this is cancelled, that process is ended.
        """
        if size > LARGE_BYTES:
            result: Result = await self._apart(fn, *args, tell=tell)
            return result
        return await asyncio.to_thread(fn, *args, tell=tell)

    async def _fix_content(
        self, version: store.Version, active: store.Version, trial: preparing.Tried, actor: str
    ) -> None:
        counts = (trial.brands, trial.rows)
        at = self._now()

        def write(connection: Connection) -> None:
            pointer.hold_knowledge(connection)
            current = store.require_version(connection, version.label)
            if current.id != version.id or current.activated_at is not None:
                raise refusals.activation_conflict()
            # Two versions may be tried at once, each with rules of the same new version.
            check_rules_version(trial.rules, store.load_rule_sets(connection))
            store.mark_validated(connection, version.id, active.id, trial.packed, counts, at)
            entry = audit_store.Entry(
                at, actor, "knowledge.validate", version.label, digest=trial.packed.digest
            )
            audit_store.record(connection, [entry])

        await self._writer.execute(write)

    async def _take_back(self, version: store.Version, actor: str) -> str:
        """Make a version that failed `staged` again, unless it was active; its state now."""

        def write(connection: Connection) -> str:
            pointer.hold_knowledge(connection)
            # It may have been deleted, or activated, while it was tried.
            current = store.load_version(connection, version.label)
            if current is None or current.id != version.id:
                return version.shown_state
            if current.state != "validated" or current.activated_at is not None:
                return current.shown_state
            store.mark_staged(connection, version.id)
            entry = audit_store.Entry(
                self._now(), actor, "knowledge.invalidate", version.label,
                digest=current.digest or "",
            )  # fmt: skip
            audit_store.record(connection, [entry])
            return "staged"

        return await self._writer.execute(write)


def _raw_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode(errors="surrogatepass")
    return msgspec.json.encode(content)


def _format_name(order: ImportOrder) -> str:
    return order.format.strip().lower()


def _check_same(existing: store.Version, order: ImportOrder, digest: str) -> None:
    if (existing.upload_digest, existing.mode) != (digest, order.mode):
        raise refusals.version_exists(order.label)


def _compress(format_name: str, raw: bytes) -> bytes:
    return zlib.compress(msgspec.msgpack.encode((format_name, raw)))


def _keep(path: Path, raw: bytes) -> None:
    """Keep an upload as it came; its name holds label and digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def _mode(version: store.Version) -> Mode:
    return "replace" if version.mode == "replace" else "add"
