"""The golden set: boards whose size is known to be right, pinned, tried and accepted anew."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.knowledge import golden_store, pointer, refusals
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.golden_store import GoldenCase
from kis.knowledge.regression import Regression, Resize, rerun_cases
from kis.knowledge.snapshot import Snapshot
from kis.units import Size


class GoldenService:
    """Keeps the golden set. `resize` estimates a board under a snapshot."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        knowledge: ActiveKnowledge,
        resize: Resize,
        now: Callable[[], datetime],
    ) -> None:
        """Wire the parts."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._resize = resize
        self._now = now

    async def list_cases(self) -> list[GoldenCase]:
        """Return the golden set by name."""
        return await self._database.read(golden_store.list_golden)

    async def rerun(self, snapshot: Snapshot) -> Regression:
        """Return what the golden cases come out at under `snapshot`."""
        cases = [case.as_case() for case in await self.list_cases()]
        return await asyncio.to_thread(rerun_cases, cases, snapshot, self._resize)

    async def pin(
        self, name: str, request: Mapping[str, Any], expected: Size | None, note: str, actor: str
    ) -> GoldenCase:
        """Pin a board at the size that the active knowledge gives it.

        Raises:
            DomainError: the estimate's; GOLDEN_SIZE_MISMATCH, `expected` is not that
                size; GOLDEN_CASE_EXISTS.

        """
        size = self._resize(request, self._knowledge.current.snapshot)
        if expected is not None and expected != size:
            raise refusals.golden_size_mismatch(name, expected, size)
        case = GoldenCase(
            name, size.W, size.H, size.D, note, self._now(), actor, msgspec.json.encode(request)
        )

        def write(connection: Connection) -> None:
            pointer.hold_knowledge(connection)
            if not golden_store.add_golden(connection, case):
                raise refusals.golden_exists(name)
            self._record(connection, "golden.add", name, actor)

        await self._writer.execute(write)
        return case

    async def accept(self, name: str, reason: str, actor: str) -> Size:
        """Pin a case anew, at the size that it has under the active knowledge; return that.

        Raises:
            DomainError: REQ_MORE_INFO, there is no reason; NOT_FOUND; the estimate's.

        """
        if not reason.strip():
            raise refusals.acceptance_reason_needed()
        cases = {case.name: case for case in await self.list_cases()}
        if name not in cases:
            raise refusals.golden_not_found(name)
        size = self._resize(cases[name].as_case().request, self._knowledge.current.snapshot)

        def write(connection: Connection) -> None:
            if not golden_store.resize_golden(connection, name, size):
                raise refusals.golden_not_found(name)
            self._record(connection, "golden.accept", name, actor, reason.strip())

        await self._writer.execute(write)
        return size

    async def delete(self, name: str, actor: str) -> None:
        """Remove a pinned board.

        Raises:
            DomainError: NOT_FOUND.

        """

        def write(connection: Connection) -> None:
            if not golden_store.delete_golden(connection, name):
                raise refusals.golden_not_found(name)
            self._record(connection, "golden.delete", name, actor)

        await self._writer.execute(write)

    def _record(
        self, connection: Connection, action: str, name: str, actor: str, reason: str = ""
    ) -> None:
        entry = audit_store.Entry(self._now(), actor, action, name, reason)
        audit_store.record(connection, [entry])
