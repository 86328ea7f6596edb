"""What the rim calls for a batch: have some lines computed, then stored."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode
from kis.estimate.answer import CREATED, Caller
from kis.estimate.batch import Chunk, Computed, key_in
from kis.estimate.batch_store import Outcome, Refused, Writing, write_chunks
from kis.estimate.service import UNPROCESSABLE, RefusalBody
from kis.estimate.workers import Workers
from kis.idempotency import store as idempotency_store
from kis.idempotency.model import RecordKey, Replay
from kis.idempotency.store import Record
from kis.knowledge.active import ActiveKnowledge, Stale
from kis.knowledge.following import Follower
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import Asking

RETRY_S = 0.05
WRITES_AT_ONCE = 1
"""Of all batches: one is written while the next one waits. With more, the writer would take them
all into one transaction, and a single estimate would wait for the whole of it."""


class LineAnswer(NamedTuple):
    """What a line is answered: `body` with its status, else why there is none.

    `fault` is the traceback of a fault of ours.
    """

    key: str | None
    status: int = 0
    body: bytes = b""
    replayed: bool = False
    refusal: DomainError | None = None
    fault: str = ""


class Work(NamedTuple):
    """A chunk, what came of its lines, and under which version."""

    chunk: Chunk
    computed: list[Computed]
    version_id: int


class BatchService:
    """Estimates lines of batches. Holds references only, as `EstimateService`."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        knowledge: ActiveKnowledge,
        follower: Follower,
        workers: Workers,
        allow_mixed: bool,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """Wire the parts; `now` and `new_id` are the only source of times and ids."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._follower = follower
        self._workers = workers
        self._allow_mixed = allow_mixed
        self._now = now
        self._new_id = new_id
        self._turn = asyncio.Semaphore(WRITES_AT_ONCE)

    @property
    def at_once(self) -> int:
        """How many chunks keep every worker busy while others are written and sent."""
        return 2 * self._workers.count + 1

    async def compute(self, lines: Sequence[bytes], caller: Caller) -> Work:
        """Have `lines` computed under the active version. Stores nothing.

        Raises:
            WorkersLost: it cannot be done.
            DatabaseUnavailable: nor can it be told which lines were answered before.

        """
        ids = [self._new_id() for _ in lines]
        answered = await self._answered(lines, caller.owner)
        chunk = Chunk(lines, ids, self._now(), caller, self._allow_mixed, answered)
        return await self._compute(chunk)

    async def _answered(self, lines: Sequence[bytes], owner: str) -> frozenset[int]:
        """Return the places of lines that were answered before: to send a batch again costs little.

        A hint: what is given again is decided when it is stored. The first and the last
        line speak for all, so that it costs a new batch next to nothing.
        """
        if not await self._known([key_in(line, owner) for line in lines[:: len(lines) - 1 or 1]]):
            return frozenset()
        keys = [key_in(line, owner) for line in lines]
        known = await self._known(keys)
        return frozenset(place for place, key in enumerate(keys) if key in known)

    async def _known(self, keys: Sequence[RecordKey | None]) -> frozenset[RecordKey]:
        wanted = {key for key in keys if key is not None}
        if not wanted:
            return frozenset()
        return frozenset(await self._database.read(lambda c: idempotency_store.find(c, wanted)))

    async def _compute(self, chunk: Chunk) -> Work:
        active = self._knowledge.current
        computed = await self._workers.compute(active, chunk)
        return Work(chunk, computed, active.snapshot.version_id)

    async def store(self, work: Work, refusal_body: RefusalBody) -> list[LineAnswer]:
        """Store `work`, durably, before this returns; an answer for each line, in order.

        All lines are stored in one transaction. Those that another version came in
        between, and those whose earlier answer has gone, are computed and stored again.

        Raises:
            DomainError: NOT_READY, nothing can be stored now.
            DatabaseUnavailable: the transaction failed.
            WorkersLost: as `compute`.

        """
        places = list(range(len(work.computed)))
        answers: dict[int, LineAnswer] = {}
        while places:
            lines = [self._writing(work, at, refusal_body) for at in range(len(places))]
            outcomes = await self._write(lines)
            stale = []
            for at, (place, outcome) in enumerate(zip(places, outcomes, strict=True)):
                has_gone = outcome is None and work.computed[at].is_answered
                if has_gone or isinstance(outcome, Stale):
                    stale.append(at)
                else:
                    answers[place] = _answer(work.computed[at], outcome)
            places = [places[at] for at in stale]
            if stale:
                active = self._knowledge.current
                if active.snapshot.version_id == work.version_id:
                    await self._follower.catch_up(active)
                work = await self._compute(work.chunk.only(stale))
        return [answers[place] for place in sorted(answers)]

    def _writing(self, work: Work, place: int, refusal_body: RefusalBody) -> Writing:
        chunk, line = work.chunk, work.computed[place]
        if line.record is not None:
            return line.record
        kept = None
        if line.key is not None and line.is_final:
            body = refusal_body(DomainError(*line.findings))
            kept = Record(line.key, line.fingerprint, UNPROCESSABLE, None, body, chunk.at)
        asked = tuple(
            (finding.path, question)
            for finding in line.findings
            if isinstance(question := finding.data.get("question"), Question)
        )
        asking = Asking(asked, chunk.caller.key_id, chunk.at, work.version_id) if asked else None
        return Refused(line.key, line.fingerprint, kept, asking)

    async def _write(self, lines: list[Writing]) -> list[Outcome]:
        """Write `lines` at once; if that fails for one of them, each alone."""
        while True:
            try:
                async with self._turn:
                    return await self._writer.submit(write_chunks, lines)
            except DatabaseUnavailable:
                raise
            except DomainError as error:
                if error.main.code is not ErrorCode.OVERLOADED:
                    raise
                # Whoever waits for one estimate is told; a batch has time.
                await asyncio.sleep(RETRY_S)
            except Exception as error:  # noqa: BLE001 - it belongs to the line that it is about
                if len(lines) == 1:
                    return [error]
                return [(await self._write([line]))[0] for line in lines]


def _answer(line: Computed, outcome: Outcome) -> LineAnswer:
    key = line.key.key if line.key else None
    if isinstance(outcome, Replay):
        return LineAnswer(key, outcome.status, outcome.body, replayed=True)
    if isinstance(outcome, DomainError):
        return LineAnswer(key, refusal=outcome)
    if isinstance(outcome, Exception):
        return LineAnswer(key, fault=f"{type(outcome).__name__}: {outcome}")
    if line.record is not None:
        return LineAnswer(key, CREATED, line.record.estimate["answer"])
    if line.fault:
        return LineAnswer(key, fault=line.fault)
    return LineAnswer(key, refusal=DomainError(*line.findings))
