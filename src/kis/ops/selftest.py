"""An estimate from end to end on the living installation, of which nothing stays.

It is computed, sealed, stored, verified and asked for again by its idempotency key as
any other, by the same code and on the connection that writes, in a transaction that is
undone at its end. Then the tables are asked whether anything of it was left.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple, NoReturn

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from kis.audit.tables import audit_entry_table
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import DomainError, Text
from kis.estimate import store
from kis.estimate.answer import Caller
from kis.estimate.proof import EvidenceService
from kis.estimate.request import parse_board
from kis.estimate.service import EstimateService
from kis.estimate.tables import estimate_table
from kis.evidence.tables import evidence_table
from kis.idempotency import store as idempotency_store
from kis.idempotency.model import RecordKey, Replay
from kis.knowledge.active import ActiveKnowledge, Stale
from kis.knowledge.sampling import Request, plain_boards
from kis.knowledge.store import load_active_version
from kis.ops.doctor import in_one_line

BOARDS = 10
"""Boards to try, until one can be estimated: tables may hold breakers that no enclosure fits."""

AGAIN = 10
PAUSE_S = 0.2
"""Where an activation of another process came in between: it is followed within a second."""

KEY = "kis-selftest-"
ROWS = 4
"""That an estimate has: itself, its evidence, its idempotency key, and its audit entry."""


class SelftestStep(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that was looked at."""

    name: str
    passed: bool
    ko: str
    en: str
    milliseconds: float


class Selftest(msgspec.Struct, frozen=True, rename="camel"):
    """All steps, until one failed on which the others stand; `request` is what was estimated."""

    passed: bool
    steps: tuple[SelftestStep, ...]
    request: Request | None


class _Undone(Exception):  # noqa: N818 - what undoes the transaction, with what was found in it
    """The steps that were taken in the transaction."""

    def __init__(self, steps: list[SelftestStep]) -> None:
        super().__init__()
        self.steps = steps


class _Clock:
    """Names each step with the time since the last one."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def step(self, name: str, words: Text, *, passed: bool = True) -> SelftestStep:
        """Return a step that ends now."""
        now = time.perf_counter()
        took_ms, self._last = (now - self._last) * 1_000, now
        return SelftestStep(name, passed, words.ko, words.en, round(took_ms, 1))


class _Rehearsed(NamedTuple):
    """One board, composed twice under one idempotency key, as if it was sent again."""

    request: Request
    first: store.EstimateRecord
    again: store.EstimateRecord

    @property
    def ids(self) -> tuple[str, str]:
        """The ids that no table may have afterwards."""
        return self.first.estimate["id"], self.again.estimate["id"]

    @property
    def keys(self) -> list[RecordKey]:
        """The idempotency key, which must be free afterwards."""
        return [self.first.idempotency.key] if self.first.idempotency else []


class SelftestService:
    """Tests the installation that it is part of."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        knowledge: ActiveKnowledge,
        estimates: EstimateService,
        evidence: EvidenceService,
        new_id: Callable[[], str],
    ) -> None:
        """Wire the parts that requests use."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._estimates = estimates
        self._evidence = evidence
        self._new_id = new_id

    async def run(self, caller: Caller) -> Selftest:
        """Take all steps; whatever fails is a step that did not pass.

        Raises:
            DomainError: OVERLOADED or NOT_READY, nothing can be stored now.
            DatabaseUnavailable: the database cannot be used.

        """
        clock = _Clock()
        version = await self._database.read(load_active_version)
        snapshot = self._knowledge.current.snapshot
        steps = [
            clock.step(
                "activeKnowledge",
                Text(f"활성 버전 {snapshot.label}", f"version {snapshot.label} is active"),
                passed=(version.label, version.digest) == (snapshot.label, snapshot.digest),
            )
        ]
        since = await self._database.read(last_entry)
        rehearsed = None
        for _ in range(AGAIN):
            rehearsed = self._compose(caller)
            if rehearsed is None:
                return _ended(steps, clock.step("estimate", _NO_BOARD, passed=False))
            found = await self._rehearse(rehearsed, since, clock)
            if found is not None:
                break
            await asyncio.sleep(PAUSE_S)
        else:
            return _ended(steps, clock.step("stored", _MOVES_ON, passed=False))
        assert rehearsed is not None  # noqa: S101 - for the type checker
        left = await self._database.read(lambda c: _count_rows(c, rehearsed, since))
        words = Text(f"남은 행 {left}개", f"{left} rows were left")
        steps += [*found, clock.step("noTrace", words, passed=left == 0)]
        return Selftest(all(step.passed for step in steps), tuple(steps), rehearsed.request)

    def _compose(self, caller: Caller) -> _Rehearsed | None:
        """Return the first sample board that can be estimated; None where none can."""
        key = KEY + self._new_id()
        for request in plain_boards(self._knowledge.current.snapshot.tables, BOARDS):
            with suppress(DomainError):
                draft = parse_board(request)
                first, again = (self._estimates.compose(draft, caller, key) for _ in range(2))
                return _Rehearsed(request, first, again)
        return None

    async def _rehearse(
        self, rehearsed: _Rehearsed, since: int, clock: _Clock
    ) -> list[SelftestStep] | None:
        """Store and verify, and undo it; None where the active version has moved meanwhile."""

        def write(connection: Connection) -> NoReturn:
            raise _Undone(list(self._steps(connection, rehearsed, since, clock)))

        enclosure = rehearsed.first.estimate["enclosure_model"] or "-"
        computed = clock.step(
            "estimate", Text(f"외함 {enclosure}", f"enclosure {enclosure}"), passed=True
        )
        try:
            await self._writer.execute(write)
        except Stale:
            return None
        except _Undone as undone:
            return [computed, *undone.steps]
        except SQLAlchemyError as error:
            reason = in_one_line(getattr(error, "orig", error))
            return [computed, clock.step("stored", Text(reason, reason), passed=False)]

    def _steps(
        self, connection: Connection, rehearsed: _Rehearsed, since: int, clock: _Clock
    ) -> Iterator[SelftestStep]:
        first, again = rehearsed.first, rehearsed.again
        (outcome,) = store.write_estimates(connection, [first])
        if isinstance(outcome, Stale):
            raise outcome
        name = first.estimate["id"]
        stored = store.load_answer(connection, name) == first.estimate["answer"]
        stored = stored and _count_rows(connection, rehearsed, since) == ROWS
        yield clock.step("stored", _STORED, passed=outcome is None and stored)
        verified = self._evidence.verify_stored(connection, name)
        count = sum(check.passed for check in verified.checks)
        reason = f": {verified.reason}" if verified.reason else ""
        words = Text(
            f"{len(verified.checks)}단계 중 {count}단계 통과{reason}",
            f"{count} of {len(verified.checks)} steps passed{reason}",
        )
        yield clock.step("evidence", words, passed=verified.valid)
        (kept,) = store.write_estimates(connection, [again])
        is_same = isinstance(kept, Replay) and kept.body == first.estimate["answer"]
        yield clock.step("replay", _REPLAYED, passed=is_same)
        assert again.idempotency is not None  # noqa: S101 - it was composed with a key
        other = again._replace(idempotency=again.idempotency._replace(fingerprint="other"))
        (refused,) = store.write_estimates(connection, [other])
        yield clock.step("otherBody", _REFUSED, passed=isinstance(refused, DomainError))


_NO_BOARD = Text(
    f"표본 {BOARDS}개 가운데 견적되는 것이 없습니다", f"none of {BOARDS} boards can be estimated"
)
_MOVES_ON = Text("활성 버전이 계속 바뀝니다", "the active version keeps moving")
_STORED = Text("견적, 증거, 멱등 키, 감사 기록을 저장", "stored with evidence, key and audit entry")
_REPLAYED = Text("같은 키의 같은 요청에 같은 답", "one key and body: the same answer, to the byte")
_REFUSED = Text("같은 키의 다른 요청은 거절", "one key and another body: refused")


def _ended(steps: list[SelftestStep], last: SelftestStep) -> Selftest:
    return Selftest(passed=False, steps=(*steps, last), request=None)


def last_entry(connection: Connection) -> int:
    """Return the id of the newest audit entry."""
    return connection.scalar(select(func.max(audit_entry_table.c.id))) or 0


def _count_rows(connection: Connection, rehearsed: _Rehearsed, since: int) -> int:
    """Return how many rows there are of what was rehearsed, among audit entries after `since`."""
    ids = rehearsed.ids
    entry = audit_entry_table.c
    conditions = (
        estimate_table.c.id.in_(ids),
        evidence_table.c.estimate_id.in_(ids),
        # By its id first: subjects have no index.
        (entry.id > since) & entry.subject.in_(ids),
    )
    counts = (connection.scalar(select(func.count()).where(each)) or 0 for each in conditions)
    return sum(counts) + len(idempotency_store.find(connection, rehearsed.keys))
