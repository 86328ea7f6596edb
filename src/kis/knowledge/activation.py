"""Making a version the active one: regression, pointer, hot swap, and the way back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode
from kis.knowledge import golden_store, pointer, questions_store, refusals, store, workers
from kis.knowledge.active import Active, ActiveKnowledge, give_way
from kis.knowledge.content import Documents
from kis.knowledge.fleet import Acknowledgement, Fleet
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
Regress = Callable[[Documents, str, list[Case], list[Any]], Regression]
"""As `preparing.regress`: what golden cases and the latest come out at."""
Compute = Callable[..., Awaitable[Any]]
"""As `Staging.compute`."""


class ActivationOrder(NamedTuple):
    """What to activate, and how. `force` accepts failed golden cases, for a `reason`."""

    label: str
    kind: Kind
    run_regression: bool
    force: bool = False
    reason: str = ""


class _Change(NamedTuple):
    """The pointer's way from the version `before`; `reopened` are questions it leaves open."""

    to: store.Version
    before: store.Version
    candidate: Active
    reopened: tuple[str, ...] = ()


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

    async def activate(self, order: ActivationOrder, actor: str) -> Activated:
        """Make `order.label` the active version; running requests finish on the old one.

        Once this returns no estimate is stored under the old version, and every
        worker has the new one.

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
            documents = await self._database.read(lambda c: store.load_documents(c, version))
            candidate, regression = await asyncio.gather(
                asyncio.to_thread(store.active_of, documents, version, give_way),
                self._regress(order, documents),
            )
            if regression is not None and regression.failed_golden and not order.force:
                raise refusals.regression_failed(regression.failed_golden, regression)
            change = _Change(version, active, candidate)
            began = time.monotonic()
            answered = await self._switch(order, change, regression, actor)
            said = await self._heard(change, answered, actor)
            swap_ms = round((time.monotonic() - began) * 1000, 3)
            return Activated(
                True, version.label, active.label, False, regression, answered, said, swap_ms
            )

    async def _heard(
        self, change: _Change, answered: tuple[str, ...], actor: str
    ) -> tuple[Acknowledgement, ...]:
        """Return what the workers say to `change`; undo it where they cannot take it."""
        said: tuple[Acknowledgement, ...] = ()
        try:
            said = await self._fleet.acknowledgements(change.to.id)
        except DatabaseUnavailable as error:
            reason = str(error)
        else:
            refusals_of = [ack for ack in said if ack.is_refusal]
            if not refusals_of:
                return said
            reason = "; ".join(f"{a.worker} {a.state} {a.problem}".rstrip() for a in refusals_of)
        logger.error("version %s is taken back: %s", change.to.label, reason)
        # It goes on when nobody waits for it any more: a bad version may not stay.
        self._undoing = asyncio.create_task(self._undo(change, reason, answered, actor))
        done, _ = await asyncio.wait([self._undoing], timeout=UNDONE_WITHIN_S)
        undoing = self._undoing.result() if done else "under way"
        raise refusals.not_acknowledged(change.to.label, change.before.label, said, undoing)

    async def _undo(
        self, change: _Change, reason: str, answered: tuple[str, ...], actor: str
    ) -> refusals.Undoing:
        """Make the version before active again, unless a third one is; return how it ended."""
        order = ActivationOrder(
            change.before.label, "rollback", run_regression=False, reason=reason
        )
        while self._writer.is_running:
            try:
                candidate = await self._database.read(
                    lambda c: store.load_active(c, change.before, give_way=give_way)
                )
                back = _Change(change.before, change.to, candidate, reopened=answered)
                await self._switch(order, back, None, actor)
            except DatabaseUnavailable:
                await asyncio.sleep(UNDO_AGAIN_S)
            except DomainError as error:
                if error.main.code is not ErrorCode.OVERLOADED:
                    logger.error("version %s stays: %s", change.to.label, error)  # noqa: TRY400 - the message says it all
                    return "overtaken"
                await asyncio.sleep(UNDO_AGAIN_S)
            else:
                return "done"
        return "under way"

    async def _regress(self, order: ActivationOrder, documents: Documents) -> Regression | None:
        if not order.run_regression:
            return None

        def load(connection: Connection) -> tuple[list[Case], list[Any]]:
            golden = [case.as_case() for case in golden_store.list_golden(connection)]
            return golden, self._latest(connection, LATEST_ESTIMATES)

        golden, latest = await self._database.read(load)
        regression: Regression = await self._compute(
            documents.size, self._regression_of, documents, order.label, golden, latest
        )
        return regression

    async def _switch(
        self, order: ActivationOrder, change: _Change, regression: Regression | None, actor: str
    ) -> tuple[str, ...]:
        """Move the pointer; return the questions that are answered by it."""
        at = self._now()
        version, before, candidate, reopened = change

        def write(connection: Connection) -> tuple[str, ...]:
            if pointer.lock_active_id(connection) != before.id:
                raise refusals.activation_conflict()
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
            store.record_activation(connection, activation)
            workers.wake_others(connection)
            entry = audit_store.Entry(
                at, actor, f"knowledge.{order.kind}", version.label, order.reason,
                candidate.snapshot.digest,
            )  # fmt: skip
            audit_store.record(connection, [entry])
            questions_store.reopen(connection, reopened)
            return tuple(questions_store.close_answered(connection, candidate.snapshot, at))

        # The swap happens in the writer's thread between the commit and the next
        # batch: whoever finds the pointer moved finds the new snapshot in place.
        return await self._writer.execute(
            write, after_commit=lambda _: self._knowledge.swap(candidate)
        )


def _check_eligible(version: store.Version, active: store.Version, kind: Kind) -> None:
    if kind == "rollback":
        if version.activated_at is None:
            raise refusals.never_activated(version.label)
        return
    if version.state != "validated":
        raise refusals.not_validated(version.label)
    if version.base_version_id != active.id:
        raise refusals.base_moved(version.label, active.label)
