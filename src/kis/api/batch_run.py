"""One batch under way: some chunks of lines are estimated while others are read and answered.

A batch is read only as fast as it is answered: while as many chunks are under way
as keep the workers busy, no more is taken from the connection. So a client that
does not read its answers, or a database that is slow, stops the reading, and a
batch holds the same memory however long it is.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import NamedTuple

from starlette.types import Message, Receive, Send

from kis.access.keys import KeySet
from kis.api.batch_answer import Reply, tell, write_line
from kis.api.errors import internal_fault, problem_body, silence, unavailable
from kis.api.gatekeeper import RequestContext
from kis.api.metrics import Metrics
from kis.api.ndjson import Line, LineSplitter
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError, ErrorCode, Finding, Text, refusal
from kis.estimate.batch import key_in
from kis.estimate.batches import BatchService, LineAnswer

MAX_BOARDS = 100_000
CHUNK_LINES = 128
"""Some 30 ms of a worker, 10 ms of a transaction: others who estimate wait no longer."""
CHUNK_BYTES = 256 * 1024
SILENT_S = 30.0
"""Who sends nothing for so long, and waits for no answer, gives the place to others."""
DISCONNECT = "http.disconnect"
Answers = list[LineAnswer]

logger = logging.getLogger("kis.api")


class _Taken(NamedTuple):
    """A line that was read; `refusal` where it is not even to be looked at."""

    number: int
    raw: bytes
    refusal: DomainError | None = None


class _Chunk(NamedTuple):
    """Lines under way, and what will be answered to those that are looked at."""

    lines: list[_Taken]
    answers: asyncio.Task[Answers]


class _KeyEndedError(DomainError):
    """The key that the batch began with is valid no more."""


class BatchRun:
    """One request: one task reads lines and begins chunks, another answers them in order."""

    def __init__(
        self, batches: BatchService, metrics: Metrics, context: RequestContext, keys: KeySet,
        max_line_bytes: int, silent_s: float = SILENT_S,
    ) -> None:  # fmt: skip
        """Prepare to answer the caller of `context` while `keys` hold the key; `answer` does it."""
        self._batches = batches
        self._metrics = metrics
        self._request_id = context.request_id
        self._caller = context.caller
        self._key = context.key
        self._keys = keys
        self._key_has_ended = False
        self._max_line_bytes = max_line_bytes
        self._silent_s = silent_s
        self._boards = 0
        self._gathered: list[_Taken] = []
        self._gathered_bytes = 0
        # None: no more will come.
        self._chunks: asyncio.Queue[_Chunk | None] = asyncio.Queue()
        self._under_way: set[asyncio.Task[Answers]] = set()
        self._room = asyncio.Event()
        self._last_begun = asyncio.Event()
        self._last_begun.set()

    async def answer(self, receive: Receive, send: Send) -> None:
        """Read lines and answer them; return when all are answered or the client has gone.

        What the database was given is stored, whatever becomes of the client.
        """
        reading = asyncio.create_task(self._read(receive))
        try:
            while (chunk := await self._chunks.get()) is not None:
                await asyncio.wait({chunk.answers})
                if chunk.answers.cancelled():
                    return
                replies = list(self._replies(chunk))
                tell(replies, self._request_id, self._metrics)
                body = b"".join(write_line(reply, self._request_id) for reply in replies)
                await send({"type": "http.response.body", "body": body, "more_body": True})
                if self._key_has_ended:
                    return
                self._under_way.discard(chunk.answers)
                self._room.set()
                if not self._under_way:
                    # The lines of a slow sender wait for no chunk to fill.
                    self._cut()
            if reading.done():
                reading.result()
        finally:
            reading.cancel()
            self._abandon()

    def _abandon(self) -> None:
        for task in self._under_way:
            task.cancel()

    # --- reading ----------------------------------------------------------------------

    async def _read(self, receive: Receive) -> None:
        """Begin chunks of what comes, until the client has gone."""
        try:
            if await self._read_lines(receive):
                self._cut()
                self._chunks.put_nowait(None)
                # Of lines that are too many the rest is let pass: a client that is
                # still sending would not get its answers on a closed connection.
                while (await receive())["type"] != DISCONNECT:
                    pass
            self._abandon()
        finally:
            self._chunks.put_nowait(None)

    async def _read_lines(self, receive: Receive) -> bool:
        """Take all lines; return False when the client has gone before their end."""
        splitter = LineSplitter(self._max_line_bytes)
        more = True
        while more:
            message = await self._next(receive)
            if message is None:
                self._gathered.append(_Taken(splitter.next_number, b"", silence(self._silent_s)))
                return True
            if message["type"] == DISCONNECT:
                return False
            more = message.get("more_body", False)
            lines = splitter.feed(message.get("body", b""))
            for line in lines if more else [*lines, *splitter.end()]:
                await self._take(line)
                if self._boards > MAX_BOARDS:
                    return True
            if not self._under_way:
                self._cut()
        return True

    async def _next(self, receive: Receive) -> Message | None:
        """Return what comes; None when nothing came for too long, and nobody waits for us."""
        while True:
            try:
                async with asyncio.timeout(self._silent_s):
                    return await receive()
            except TimeoutError:
                # A client may wait for its answers before it goes on.
                if not self._under_way:
                    return None

    async def _take(self, line: Line) -> None:
        self._boards += 1
        self._gathered.append(self._admit(line))
        self._gathered_bytes += len(line.raw or b"")
        if len(self._gathered) < CHUNK_LINES and self._gathered_bytes < CHUNK_BYTES:
            return
        while len(self._under_way) >= self._batches.at_once:
            self._room.clear()
            await self._room.wait()
        self._cut()

    def _admit(self, line: Line) -> _Taken:
        if self._boards > MAX_BOARDS:
            return _Taken(line.number, b"", _too_many_lines())
        if line.raw is None:
            return _Taken(line.number, b"", _too_long(self._max_line_bytes))
        return _Taken(line.number, line.raw)

    # --- estimating -------------------------------------------------------------------

    def _cut(self) -> None:
        """Begin a chunk of what was gathered, if anything was."""
        if not self._gathered:
            return
        lines, self._gathered, self._gathered_bytes = self._gathered, [], 0
        before, begun = self._last_begun, asyncio.Event()
        self._last_begun = begun
        answers = asyncio.create_task(self._estimate(lines, before, begun))
        answers.add_done_callback(_retrieve)
        self._under_way.add(answers)
        self._chunks.put_nowait(_Chunk(lines, answers))

    async def _estimate(
        self, lines: list[_Taken], before: asyncio.Event, begun: asyncio.Event
    ) -> Answers:
        """Estimate and store; `begun` is set once the writer has them, `before` by those before."""
        try:
            raw = [line.raw for line in lines if line.refusal is None]
            work = await self._batches.compute(raw, self._caller)
            # In their order, so that of two lines with one key the first one has it.
            await before.wait()
            if self._key is None or not self._keys.holds(self._key):
                raise _key_ended()
            storing = asyncio.create_task(self._batches.store(work, self._refusal_body))
        finally:
            begun.set()
        storing.add_done_callback(_retrieve)
        return await asyncio.shield(storing)

    def _refusal_body(self, error: DomainError) -> bytes:
        return problem_body(error, self._request_id)

    # --- answering --------------------------------------------------------------------

    def _replies(self, chunk: _Chunk) -> Iterator[Reply]:
        """Yield the reply to each line; what befell all of them is each one's."""
        failure: DomainError | None = None
        answers: Iterator[LineAnswer] = iter(())
        try:
            answers = iter(chunk.answers.result())
        except _KeyEndedError as ended:
            self._key_has_ended = True
            first = chunk.lines[0]
            key = key_in(first.raw, self._caller.owner)
            yield Reply(first.number, key and key.key, refusal=ended)
            return
        except DomainError as error:
            failure = error
        except DatabaseUnavailable:
            failure = unavailable()
        except Exception:
            logger.exception("lines of a batch failed, request=%s", self._request_id)
            failure = internal_fault()
        for line in chunk.lines:
            refused = line.refusal or failure
            if refused is not None:
                key = key_in(line.raw, self._caller.owner)
                yield Reply(line.number, key and key.key, refusal=refused)
            else:
                yield self._reply(line.number, next(answers))

    def _reply(self, number: int, found: LineAnswer) -> Reply:
        if found.fault:
            logger.error(
                "line %d of a batch failed, request=%s\n%s", number, self._request_id, found.fault
            )
            return Reply(number, found.key, refusal=internal_fault())
        return Reply(number, *found[:-1])


def _retrieve(task: asyncio.Task[Answers]) -> None:
    """Take note of how `task` ended, or it would be reported when nobody waits for it."""
    if not task.cancelled():
        task.exception()


def _key_ended() -> _KeyEndedError:
    return _KeyEndedError(
        Finding(
            ErrorCode.UNAUTHENTICATED,
            "",
            Text(
                "API 키가 끝났습니다. 이 줄부터는 저장되지 않았습니다.",
                "The API key has ended; from this line on nothing was stored.",
            ),
            Text(
                "이 줄부터 다른 키로 보내십시오.", "Send the rest, from this line on, with another."
            ),
        )
    )


def _too_long(limit: int) -> DomainError:
    return refusal(
        ErrorCode.BODY_TOO_LARGE,
        Text(f"한 줄이 {limit}바이트를 넘습니다.", f"The line is over {limit} bytes."),
        Text("반을 나누어 보내십시오.", "Split the board."),
    )


def _too_many_lines() -> DomainError:
    return refusal(
        ErrorCode.BODY_TOO_LARGE,
        Text(
            f"한 요청은 {MAX_BOARDS}줄까지입니다. 이 줄부터는 저장되지 않았습니다.",
            f"A batch has at most {MAX_BOARDS} lines; from this one on nothing was stored.",
        ),
        Text(
            "이 줄부터 다른 요청으로 보내십시오.",
            "Send the rest, from this line on, as another batch.",
        ),
    )
