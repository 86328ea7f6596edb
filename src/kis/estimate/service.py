"""What the rim calls: estimate a board, or find one again."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from kis.db.engine import Database
from kis.db.lookup import Lookup
from kis.db.writer import Writer
from kis.errors import FINAL_CODES, DomainError, ErrorCode, Finding, Language, Text
from kis.estimate import store
from kis.estimate.answer import CREATED, Asked, Caller, compose_record
from kis.estimate.checking import check_board
from kis.estimate.drawing.sheet import draw_answer
from kis.estimate.engine import estimate
from kis.estimate.gates import check_statements
from kis.estimate.model import BoardDraft
from kis.estimate.preview import Preview, preview_board
from kis.estimate.rerun import admit
from kis.evidence.encoding import canonical, sha256_hex
from kis.evidence.keys import LiveKeyring
from kis.idempotency.model import Claims, RecordKey, Replay, check_key
from kis.idempotency.store import Record
from kis.knowledge import questions_store
from kis.knowledge.active import Active, ActiveKnowledge, Stale
from kis.knowledge.following import Follower
from kis.knowledge.questions import Question
from kis.korean import with_particle

CREATE = "estimate.create"
UNPROCESSABLE = 422


class Created(NamedTuple):
    """The answer's bytes; `replayed` when they were given before."""

    status: int
    body: bytes
    replayed: bool


RefusalBody = Callable[[DomainError], bytes]
"""Turns a refusal into the bytes that are sent, so that they can be kept."""


class _Request(NamedTuple):
    """A board, who asks for it, and the claim on its idempotency key."""

    draft: BoardDraft
    caller: Caller
    key: RecordKey | None
    fingerprint: str


class EstimateService:
    """Estimates boards. Holds references only; what is true is in the database."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        knowledge: ActiveKnowledge,
        follower: Follower,
        keyring: LiveKeyring,
        allow_mixed: bool,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """Wire the parts; `now` and `new_id` are the only source of times and ids."""
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._follower = follower
        self._keyring = keyring
        self._allow_mixed = allow_mixed
        self._now = now
        self._new_id = new_id
        self._claims = Claims()
        self._answers = Lookup(database, store.load_answers)

    async def create(
        self, draft: BoardDraft, caller: Caller, key: str | None, refusal_body: RefusalBody
    ) -> Created:
        """Estimate `draft` and store it, durably, before this returns.

        Raises:
            DomainError: the gates', selection's and idempotency's findings;
                OVERLOADED or NOT_READY when it cannot be stored now.

        """
        check_key(key)
        record_key = None if key is None else RecordKey(caller.owner, CREATE, key)
        fingerprint = sha256_hex(canonical(draft)) if key is not None else ""
        with self._claims.hold(record_key):
            request = _Request(draft, caller, record_key, fingerprint)
            while True:
                active = self._knowledge.current
                try:
                    return await self._answer(active, request, refusal_body)
                except Stale:
                    # A swap came in between. If it was made here, the new version was
                    # put in place before this was told; else it is fetched.
                    await self._follower.catch_up(active)

    def compose(self, draft: BoardDraft, caller: Caller, key: str) -> store.EstimateRecord:
        """Return what `create` would store for `draft` just now; nothing is stored.

        Raises:
            DomainError: the gates' and selection's findings.

        """
        fingerprint = sha256_hex(canonical(draft))
        request = _Request(draft, caller, RecordKey(caller.owner, CREATE, key), fingerprint)
        return self._compose(self._knowledge.current, request)

    def check(self, draft: BoardDraft) -> list[Finding]:
        """Return everything that the gates and the tables have against `draft`."""
        snapshot = self._knowledge.current.snapshot
        return check_board(draft, snapshot, allow_mixed=self._allow_mixed)

    def preview(self, draft: BoardDraft) -> Preview:
        """Return what `create` would answer for `draft` just now; nothing is stored.

        Raises:
            DomainError: everything that the gates and the tables have against it.

        """
        snapshot = self._knowledge.current.snapshot
        return preview_board(draft, snapshot, allow_mixed=self._allow_mixed)

    async def ask(self, draft: BoardDraft, caller: Caller) -> None:
        """Put to the owner what `draft` needs and nobody knows, as a refused `create` does."""
        while True:
            active = self._knowledge.current
            findings = check_board(draft, active.snapshot, allow_mixed=self._allow_mixed)
            try:
                return await self._put_questions(findings, caller, active)
            except Stale:
                await self._follower.catch_up(active)

    async def find_questions(
        self, questions: Sequence[Question]
    ) -> dict[str, questions_store.OpenQuestion]:
        """Return which of `questions` were put already, by their subjects."""
        subjects = sorted({question.subject for question in questions})
        if not subjects:
            return {}
        return await self._database.read(lambda c: questions_store.find_questions(c, subjects))

    async def load_answer(self, estimate_id: str) -> bytes:
        """Return the bytes that were answered for `estimate_id`.

        Raises:
            DomainError: NOT_FOUND.

        """
        answer = await self._answers.find(estimate_id)
        if answer is None:
            raise DomainError(not_found(estimate_id))
        return answer

    async def load_drawing(self, estimate_id: str, language: Language) -> bytes:
        """Return the drawing of `estimate_id` as SVG, from the answer as it is stored.

        Raises:
            DomainError: NOT_FOUND; INTERNAL when the answer is damaged.

        """
        answer = await self.load_answer(estimate_id)
        # A board of a thousand devices takes as long as hundreds of estimates.
        return await asyncio.to_thread(draw_answer, answer, language)

    async def list_estimates(self, wanted: store.EstimateFilter) -> list[store.EstimateSummary]:
        """Return one page of estimates, newest first."""
        return await self._database.read(lambda c: store.list_estimates(c, wanted))

    async def load_summaries(self, ids: Collection[str]) -> dict[str, store.EstimateSummary]:
        """Return the lines of the list for some estimates, by id; an unknown id is left out."""
        return await self._database.read(lambda c: store.load_summaries(c, ids))

    async def _answer(
        self, active: Active, request: _Request, refusal_body: RefusalBody
    ) -> Created:
        try:
            return await self._estimate(active, request)
        except DomainError as refusal:
            kept = await self._refuse(refusal, active, request, refusal_body)
            if kept is None:
                raise
            return kept

    async def _estimate(self, active: Active, request: _Request) -> Created:
        record = self._compose(active, request)
        kept = await self._writer.submit(store.write_estimates, record)
        if kept is not None:
            return Created(kept.status, kept.body, replayed=True)
        return Created(CREATED, record.estimate["answer"], replayed=False)

    def _compose(self, active: Active, request: _Request) -> store.EstimateRecord:
        """Return the record of an estimate; the layout behind it is let go before the write."""
        board, origins = admit(request.draft, active.snapshot.rules, allow_mixed=self._allow_mixed)
        outcome = estimate(board, active.snapshot, origins)
        asked = Asked(self._new_id(), self._now(), request.caller, request.key, request.fingerprint)
        return compose_record(board, outcome, active, asked, self._keyring.current)

    def _follows_from(self, draft: BoardDraft, active: Active) -> bool:
        """Whether `draft` alone is the reason: tables that are ambiguous also ask for more."""
        rules = active.snapshot.rules
        return bool(check_statements(draft, rules, allow_mixed=self._allow_mixed))

    async def _refuse(
        self,
        refusal: DomainError,
        active: Active,
        request: _Request,
        refusal_body: RefusalBody,
    ) -> Created | None:
        """Remember what is worth it; return an earlier answer to the same request, if any.

        An abstention becomes a question and leaves the key free: once the row is
        known, the same request succeeds. A refusal that follows from the request
        alone is kept like an answer.
        """
        key, fingerprint = request.key, request.fingerprint
        codes = {finding.code for finding in refusal.findings}
        kept: Replay | Exception | None = None
        if key is not None and codes <= FINAL_CODES and self._follows_from(request.draft, active):
            record = Record(
                key, fingerprint, UNPROCESSABLE, None, refusal_body(refusal), self._now()
            )
            kept = await self._writer.submit(store.write_refusals, record)
        elif key is not None and ErrorCode.IDEMPOTENCY_KEY_REUSED not in codes:
            kept = await self._database.read(lambda c: store.find_replay(c, key, fingerprint))
        if isinstance(kept, Exception):
            raise kept
        if kept is not None:
            return Created(kept.status, kept.body, replayed=True)
        await self._put_questions(refusal.findings, request.caller, active)
        return None

    async def _put_questions(
        self, findings: Iterable[Finding], caller: Caller, active: Active
    ) -> None:
        """Write down what `findings` ask the owner.

        Raises:
            Stale: another version became active, which may have the answer.

        """
        asked = [
            (finding.path, question)
            for finding in findings
            if isinstance(question := finding.data.get("question"), Question)
        ]
        if asked:
            await self._writer.submit(
                questions_store.write_questions,
                questions_store.Asking(
                    tuple(asked), caller.key_id, self._now(), active.snapshot.version_id
                ),
            )


def not_found(estimate_id: str) -> Finding:
    """Return the finding that no estimate has that id."""
    return Finding(
        ErrorCode.NOT_FOUND,
        "",
        Text(
            f"견적 {with_particle(estimate_id, '이/가')} 없습니다.",
            f"There is no estimate {estimate_id}.",
        ),
        Text("id를 확인하십시오.", "Check the id."),
    )
