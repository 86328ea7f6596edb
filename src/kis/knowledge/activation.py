"""Making a version the active one: regression, pointer, hot swap, and the way back."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.knowledge import golden_store, pointer, questions_store, refusals, store
from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.fleet import Acknowledgement, Fleet
from kis.knowledge.regression import (
    Case,
    Regression,
    Resize,
    join_regressions,
    rerun_cases,
)
from kis.knowledge.snapshot import Snapshot

logger = logging.getLogger("kis.knowledge")

LATEST_ESTIMATES = 1_000
Kind = Literal["activate", "rollback"]
LABEL_PATH: dict[Kind, str] = {
    "activate": "$.versionLabel",
    "rollback": "$.targetVersionLabel",
}
Latest = Callable[[Connection, int], list[Any]]
"""Loads the latest estimates, at most so many."""
ReplayLatest = Callable[[list[Any], Snapshot], Regression]
"""Estimates what `Latest` loaded once more."""


class ActivationOrder(NamedTuple):
    """What to activate, and how. `force` accepts failed golden cases, for a `reason`."""

    label: str
    kind: Kind
    run_regression: bool
    force: bool = False
    reason: str = ""


class Activated(msgspec.Struct, frozen=True, rename="camel"):
    """The result of an activation or rollback."""

    hot_swap_success: bool
    active_version: str
    previous_version: str
    already_active: bool
    regression: Regression | None
    answered_questions: tuple[str, ...]
    workers: tuple[Acknowledgement, ...]


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
        resize: Resize,
        latest: Latest,
        replay_latest: ReplayLatest,
        now: Callable[[], datetime],
    ) -> None:
        """Wire the parts. `latest` and `replay_latest` are the replay of stored estimates."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._fleet = fleet
        self._resize = resize
        self._latest = latest
        self._replay_latest = replay_latest
        self._now = now
        self._turn = asyncio.Lock()

    async def activate(self, order: ActivationOrder, actor: str) -> Activated:
        """Make `order.label` the active version; running requests finish on the old one.

        Once this returns no estimate is stored under the old version, and every
        worker has the new one.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED,
                VERSION_BASE_MOVED, VERSION_NEVER_ACTIVATED, REGRESSION_FAILED,
                ACTIVATION_CONFLICT, REQ_MORE_INFO (force without a reason),
                ACTIVATION_NOT_ACKNOWLEDGED (a worker cannot take it; the version
                before is active again).

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
                return Activated(True, version.label, version.label, True, None, (), said)
            _check_eligible(version, active, order.kind)
            candidate = await self._database.read(lambda c: store.load_active(c, version))
            regression = None
            if order.run_regression:
                regression = await self._regress(candidate)
                if regression.failed_golden and not order.force:
                    raise refusals.regression_failed(regression.failed_golden, regression)
            answered = await self._switch(order, version, active, candidate, regression, actor)
            said = await self._fleet.acknowledgements(version.id)
            if any(ack.is_refusal for ack in said):
                await self._take_back(version, active, said, actor)
                path = LABEL_PATH[order.kind]
                raise refusals.not_acknowledged(version.label, active.label, said, path)
            return Activated(True, version.label, active.label, False, regression, answered, said)

    async def _take_back(
        self, version: store.Version, before: store.Version,
        said: tuple[Acknowledgement, ...], actor: str,
    ) -> None:  # fmt: skip
        """Make the version `before` active again; raises ACTIVATION_CONFLICT if a third one is."""
        reason = "; ".join(
            f"{ack.worker} {ack.state} {ack.problem}".rstrip() for ack in said if ack.is_refusal
        )
        logger.error("version %s is taken back: %s", version.label, reason)
        order = ActivationOrder(before.label, "rollback", run_regression=False, reason=reason)
        candidate = await self._database.read(lambda c: store.load_active(c, before))
        await self._switch(order, before, version, candidate, None, actor)

    async def _regress(self, candidate: Active) -> Regression:
        def load(connection: Connection) -> tuple[list[Case], list[Any]]:
            golden = [case.as_case() for case in golden_store.list_golden(connection)]
            return golden, self._latest(connection, LATEST_ESTIMATES)

        golden, latest = await self._database.read(load)

        def run() -> Regression:
            return join_regressions(
                rerun_cases(golden, candidate.snapshot, self._resize),
                self._replay_latest(latest, candidate.snapshot),
            )

        return await asyncio.to_thread(run)

    async def _switch(
        self, order: ActivationOrder, version: store.Version, active: store.Version,
        candidate: Active, regression: Regression | None, actor: str,
    ) -> tuple[str, ...]:  # fmt: skip
        at = self._now()

        def write(connection: Connection) -> tuple[str, ...]:
            if pointer.lock_active_id(connection) != active.id:
                raise refusals.activation_conflict()
            current = store.require_version(connection, version.label)
            if (current.id, current.digest) != (version.id, version.digest):
                raise refusals.activation_conflict()
            if current.state != "validated":
                raise refusals.not_validated(version.label)
            activation = store.Activation(
                version.id, version.label, candidate.snapshot.digest, active.label, order.kind,
                order.reason, actor, order.force, at,
                None if regression is None else msgspec.json.encode(regression),
            )  # fmt: skip
            store.record_activation(connection, activation)
            pointer.tell_moved(connection)
            entry = audit_store.Entry(
                at, actor, f"knowledge.{order.kind}", version.label, order.reason,
                candidate.snapshot.digest,
            )  # fmt: skip
            audit_store.record(connection, [entry])
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
