"""Making a version the active one: regression, pointer, hot swap, and the way back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode
from kis.knowledge import (
    golden_store,
    pending,
    pointer,
    questions_store,
    refusals,
    store,
    workers,
)
from kis.knowledge.active import Active, ActiveKnowledge, give_way
from kis.knowledge.content import Documents
from kis.knowledge.fleet import Acknowledgement, Fleet
from kis.knowledge.progress import Progress, Tell, untold
from kis.knowledge.regression import (
    Case,
    Regression,
)

logger = logging.getLogger("kis.knowledge")

LATEST_ESTIMATES = 1_000
UNDONE_WITHIN_S = 3.0
UNDO_AGAIN_S = 0.2
Kind = Literal["activate", "rollback"]
LABEL_PATH: dict[Kind, str] = {
    "activate": "$.versionLabel",
    "rollback": "$.targetVersionLabel",
}
Latest = Callable[[Connection, int], list[Any]]
"""Loads the latest estimates, at most so many."""
Regress = Callable[..., Regression]
"""As `preparing.regress`, with `tell`: what golden cases and the latest come out at."""
Compute = Callable[..., Awaitable[Any]]
"""As `Staging.compute`."""


class ActivationOrder(NamedTuple):
    """What to activate, and how. `force` accepts failed golden cases, for a `reason`."""

    label: str
    kind: Kind
    run_regression: bool
    force: bool = False
    reason: str = ""


class _Undone(NamedTuple):
    """An activation that is taken back: which version becomes active again, and why.

    `answered` are the questions to be opened again. `if_pending`: only if nobody has settled
    it meanwhile.
    """

    activation_id: int
    version: store.Version
    before: store.Version
    answered: Sequence[str]
    reason: str
    actor: str
    if_pending: bool


class _Change(NamedTuple):
    """The pointer's way from the version `before`."""

    to: store.Version
    before: store.Version
    candidate: Active
    undone: _Undone | None = None


class _Switched(NamedTuple):
    """The pointer was moved: by which activation, and which questions it has answered."""

    activation_id: int
    answered: tuple[str, ...]


class Activated(msgspec.Struct, frozen=True, rename="camel"):
    """The result of an activation or rollback.

    `swap_ms` is from moving the pointer until all workers had the version; 0 when it was
    the active one before.
    """

    hot_swap_success: bool
    active_version: str
    previous_version: str
    already_active: bool
    regression: Regression | None
    answered_questions: tuple[str, ...]
    workers: tuple[Acknowledgement, ...]
    swap_ms: float


class ActivationService:
    """Moves the pointer.

    One activation at a time in this process; across processes the pointer itself
    decides: it must still be where the activation found it.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        knowledge: ActiveKnowledge,
        fleet: Fleet,
        latest: Latest,
        regress: Regress,
        compute: Compute,
        now: Callable[[], datetime],
    ) -> None:
        """Wire the parts. `latest` and `regress` replay stored estimates."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._fleet = fleet
        self._latest = latest
        self._regression_of = regress
        self._compute = compute
        self._now = now
        self._turn = asyncio.Lock()
        self._undoing: asyncio.Task[refusals.Undoing] | None = None

    async def activate(self, order: ActivationOrder, actor: str, tell: Tell = untold) -> Activated:
        """Make `order.label` the active version; running requests finish on the old one.

        Once this returns no estimate is stored under the old version, and every
        worker has the new one. `tell` is called now and then, perhaps in another thread.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED,
                VERSION_BASE_MOVED, VERSION_NEVER_ACTIVATED, REGRESSION_FAILED,
                ACTIVATION_CONFLICT, REQ_MORE_INFO (force without a reason),
                ACTIVATION_NOT_ACKNOWLEDGED (a worker cannot take it; the version
                before is made active again).

        """
        if order.force and not order.reason.strip():
            raise refusals.reason_needed()
        async with self._turn:
            version = await self._database.read(
                lambda c: store.require_version(c, order.label, LABEL_PATH[order.kind])
            )
            active = await self._database.read(store.load_active_version)
            if version.active:
                said = await self._fleet.acknowledgements(version.id)
                has_all = not any(ack.is_refusal for ack in said)
                return Activated(has_all, version.label, version.label, True, None, (), said, 0)
            _check_eligible(version, active, order.kind)
            tell(Progress("load"))
            documents = await self._database.read(lambda c: store.load_documents(c, version))
            candidate, regression = await asyncio.gather(
                asyncio.to_thread(store.active_of, documents, version, give_way),
                self._regress(order, documents, tell),
            )
            if regression is not None and regression.failed_golden and not order.force:
                raise refusals.regression_failed(regression.failed_golden, regression)
            tell(Progress("workers"))
            change = _Change(version, active, candidate)
            began = time.monotonic()
            switched = await self._switch(order, change, regression, actor)
            said = await self._heard(change, switched, actor)
            swap_ms = round((time.monotonic() - began) * 1000, 3)
            return Activated(
                True, version.label, active.label, False, regression, switched.answered, said,
                swap_ms,
            )  # fmt: skip

    async def settle_overdue(self) -> None:
        """Settle an activation for whoever died while the workers answered it, if there is one.

        Every worker looks for that. One of them does it.

        Raises:
            DatabaseUnavailable, DomainError: it cannot be settled now.

        """

        def load(connection: Connection) -> tuple[pending.Overdue, list[str]] | None:
            found = pending.load_overdue(connection)
            if found is None:
                return None
            return found, questions_store.answered_by(connection, found.label, found.at)

        found = await self._database.read(load)
        said = None if found is None else await self._fleet.said(found[0].version_id)
        if found is None or said is None:
            return
        overdue, answered = found
        reason = _refusals_in(said)
        if not reason:
            await self._settle(overdue.activation_id)
            return
        reason = f"{reason}; who activated it is gone"
        logger.error("version %s is taken back: %s", overdue.label, reason)
        version, before = await self._database.read(
            lambda c: tuple(store.require_version(c, v) for v in (overdue.label, overdue.before))
        )
        undone = _Undone(
            overdue.activation_id, version, before, answered, reason, overdue.actor, True
        )
        try:
            await self._take_back(undone)
        except DomainError as error:
            if error.main.code is not ErrorCode.ACTIVATION_CONFLICT:
                raise  # else another worker was quicker

    async def _heard(
        self, change: _Change, switched: _Switched, actor: str
    ) -> tuple[Acknowledgement, ...]:
        """Return what the workers say to `change`; undo it where they cannot take it."""
        said: tuple[Acknowledgement, ...] = ()
        try:
            said = await self._fleet.acknowledgements(change.to.id)
        except DatabaseUnavailable as error:
            reason = str(error)
        else:
            reason = _refusals_in(said)
            if not reason:
                if await self._settle(switched.activation_id):
                    return said
                # It was late: others have settled it, or have gone on from there.
                pointed = await self._database.read(store.load_pointer)
                if pointed is None or pointed.version_id != change.before.id:
                    return said
                raise refusals.not_acknowledged(change.to.label, change.before.label, said, "done")
        logger.error("version %s is taken back: %s", change.to.label, reason)
        # It goes on when nobody waits for it any more: a bad version may not stay.
        undone = _Undone(
            switched.activation_id, change.to, change.before, switched.answered, reason, actor,
            if_pending=False,
        )  # fmt: skip
        self._undoing = asyncio.create_task(self._undo(undone))
        done, _ = await asyncio.wait([self._undoing], timeout=UNDONE_WITHIN_S)
        undoing = self._undoing.result() if done else "under way"
        raise refusals.not_acknowledged(change.to.label, change.before.label, said, undoing)

    async def _settle(self, activation_id: int) -> bool:
        """Note that all workers have it; return False where somebody else has settled it.

        If that fails, whoever finds it overdue does it.
        """
        if self._database.write_engine.dialect.name == "postgresql":
            with suppress(DatabaseUnavailable, DomainError):
                return await self._writer.execute(lambda c: pending.settle(c, activation_id))
        return True

    async def _undo(self, undone: _Undone) -> refusals.Undoing:
        """Make the version before active again, unless a third one is; return how it ended."""
        while self._writer.is_running:
            try:
                pointed = await self._database.read(store.load_pointer)
                if pointed is not None and pointed.version_id == undone.before.id:
                    return "done"  # by a worker that found it overdue
                await self._take_back(undone)
            except DatabaseUnavailable:
                await asyncio.sleep(UNDO_AGAIN_S)
            except DomainError as error:
                if error.main.code is not ErrorCode.OVERLOADED:
                    logger.error("version %s stays: %s", undone.version.label, error)  # noqa: TRY400 - the message says it all
                    return "overtaken"
                await asyncio.sleep(UNDO_AGAIN_S)
            else:
                return "done"
        return "under way"

    async def _take_back(self, undone: _Undone) -> None:
        """Make the version before active again.

        Raises:
            DatabaseUnavailable, DomainError: as `Writer.submit`; ACTIVATION_CONFLICT, the
                pointer was moved since, or it was settled.

        """
        candidate = await self._database.read(
            lambda c: store.load_active(c, undone.before, give_way=give_way)
        )
        label = undone.before.label
        order = ActivationOrder(label, "rollback", run_regression=False, reason=undone.reason)
        change = _Change(undone.before, undone.version, candidate, undone)
        await self._switch(order, change, None, undone.actor)

    async def _regress(
        self, order: ActivationOrder, documents: Documents, tell: Tell
    ) -> Regression | None:
        if not order.run_regression:
            return None

        def load(connection: Connection) -> tuple[list[Case], list[Any]]:
            golden = [case.as_case() for case in golden_store.list_golden(connection)]
            return golden, self._latest(connection, LATEST_ESTIMATES)

        golden, latest = await self._database.read(load)
        regression: Regression = await self._compute(
            tell, documents.size, self._regression_of, documents, order.label, golden, latest
        )
        return regression

    async def _switch(
        self, order: ActivationOrder, change: _Change, regression: Regression | None, actor: str
    ) -> _Switched:
        """Move the pointer."""
        at = self._now()
        version, before, candidate, undone = change

        def write(connection: Connection) -> _Switched:
            if pointer.lock_active_id(connection) != before.id:
                raise refusals.activation_conflict()
            if undone is not None:
                _require_newest(connection, undone)
            current = store.require_version(connection, version.label)
            if (current.id, current.digest) != (version.id, version.digest):
                raise refusals.activation_conflict()
            if current.state != "validated":
                raise refusals.not_validated(version.label)
            activation = store.Activation(
                version.id, version.label, candidate.snapshot.digest, before.label, order.kind,
                order.reason, actor, order.force, at,
                None if regression is None else msgspec.json.encode(regression),
            )  # fmt: skip
            activation_id = store.record_activation(connection, activation)
            if undone is None and connection.dialect.name == "postgresql":
                pending.expect_answers(connection, activation_id)
            workers.wake_others(connection)
            entry = audit_store.Entry(
                at, actor, f"knowledge.{order.kind}", version.label, order.reason,
                candidate.snapshot.digest,
            )  # fmt: skip
            audit_store.record(connection, [entry])
            questions_store.reopen(connection, () if undone is None else undone.answered)
            answered = questions_store.close_answered(connection, candidate.snapshot, at)
            return _Switched(activation_id, tuple(answered))

        # The swap happens in the writer's thread between the commit and the next
        # batch: whoever finds the pointer moved finds the new snapshot in place.
        return await self._writer.execute(
            write, after_commit=lambda _: self._knowledge.swap(candidate)
        )


def _refusals_in(said: Sequence[Acknowledgement]) -> str:
    """Return which workers cannot have the version, and why; empty where there are none."""
    refused = (ack for ack in said if ack.is_refusal)
    return "; ".join(f"{ack.worker} {ack.state} {ack.problem}".rstrip() for ack in refused)


def _require_newest(connection: Connection, undone: _Undone) -> None:
    """Check that no activation came after the one that is taken back; nobody settles it then.

    Raises:
        DomainError: ACTIVATION_CONFLICT.

    """
    pointed = store.load_pointer(connection)
    is_newest = pointed is not None and pointed.activation_id == undone.activation_id
    was_pending = pending.settle(connection, undone.activation_id)
    if not is_newest or (undone.if_pending and not was_pending):
        raise refusals.activation_conflict()


def _check_eligible(version: store.Version, active: store.Version, kind: Kind) -> None:
    if kind == "rollback":
        if version.activated_at is None:
            raise refusals.never_activated(version.label)
        return
    if version.state != "validated":
        raise refusals.not_validated(version.label)
    if version.base_version_id != active.id:
        raise refusals.base_moved(version.label, active.label)
