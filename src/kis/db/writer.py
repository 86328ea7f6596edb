"""Group commit: one thread writes what many requests submit, a batch a transaction.

A commit that reaches the disk costs the same for one record as for 256. So the
thread takes whatever is waiting, writes it in one transaction, and answers all
submitters at once. It never waits for a batch to fill.

An event loop hands over what was submitted in one turn at the end of that turn.
Were each item handed over at once, the thread would wake for the first and write
it alone, in competition with the loop that is about to submit the others.

A batch of one kind is written without a savepoint, as nearly all are; only where
it fails is it undone and written again, each item within one of its own.
"""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection

from kis.db.engine import Database
from kis.db.transaction import Trouble, is_given_up, is_undone, transact, trouble_of
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError, ErrorCode, Finding, Text

Item = TypeVar("Item")
Result = TypeVar("Result")

logger = logging.getLogger("kis.db")

OVERLOADED = Finding(
    ErrorCode.OVERLOADED,
    "",
    Text(
        "처리 대기 중인 저장 요청이 너무 많습니다. 이 요청은 저장되지 않았습니다.",
        "Too many writes are waiting; this one was not stored.",
    ),
    Text("잠시 후 다시 시도하십시오.", "Retry in a moment."),
)
NOT_READY = Finding(
    ErrorCode.NOT_READY,
    "",
    Text(
        "서버가 시작 중이거나 종료 중이어서 저장할 수 없습니다.",
        "The server is starting or stopping and stores nothing now.",
    ),
    Text("잠시 후 다시 시도하십시오.", "Retry in a moment."),
)


@dataclass(slots=True, eq=False)
class _Job:
    """One submitted item, on its way to the disk and back."""

    write: Callable[[Connection, Sequence[Any]], Sequence[Any]]
    item: Any
    after_commit: Callable[[Any], None] | None
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    outcome: Any = None
    """The result, or the exception to raise to the submitter."""


class Writer:
    """The thread that owns the write connection.

    `queue_depth`, and what `tell_batch` is told, are for metrics. `trouble` is what a transaction
    failed with last, until somebody who has looked clears it: one that is committed may have
    written nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        queue_limit: int = 2048,
        batch_limit: int = 256,
        name: str = "kis-writer",
        tell_batch: Callable[[int], None] | None = None,
    ) -> None:
        """Prepare; `start` begins. Limits are numbers of items; `name` is the thread's.

        `tell_batch` is called in the thread with the size of each batch that was committed.
        """
        self.trouble: Trouble | None = None
        self._tell_batch = tell_batch
        self._database = database
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        # None is the stop mark: nothing is accepted after it.
        self._queue: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._left: list[_Job] = []
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        self._waiting = 0
        self._accepting = False
        self._batches = 0
        self._turn: int | None = None
        self._lock = threading.Lock()
        # A daemon, so that a program that dies without `stop` does not hang.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def queue_depth(self) -> int:
        """How many items wait for a transaction."""
        return self._waiting

    @property
    def turn(self) -> int | None:
        """Return the number of the batch that is being written; None while there is none."""
        return self._turn

    @property
    def is_running(self) -> bool:
        """Whether items are accepted and the thread is there to write them."""
        return self._accepting and self._thread.is_alive()

    def start(self) -> None:
        """Begin to accept and write. Call once.

        Raises:
            RuntimeError: it was started before.

        """
        self._thread.start()
        self._accepting = True

    async def stop(self) -> None:
        """Refuse new items, commit the accepted ones, end the thread."""
        with self._lock:
            if self._accepting:
                self._accepting = False
                for loop in list(self._gathered):
                    self._hand_over(loop)
                self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    async def submit(
        self,
        write: Callable[[Connection, Sequence[Item]], Sequence[Result | Exception]],
        item: Item,
        *,
        after_commit: Callable[[Result], None] | None = None,
    ) -> Result:
        """Write `item` durably and return its result.

        Items with the same `write` that meet in one batch are written by one
        call `write(connection, items)`, which returns one result for each, in
        order. A result that is an exception is raised to its submitter alone;
        what was written stays. If `write` itself raises, its work is undone and
        it is called again for each item alone, so it must have no effect but
        on the database.

        `after_commit(result)` runs in the writer's thread once the batch is
        committed, before any submitter of the batch is answered. What it raises
        is raised here, though the item is stored.

        A caller that is cancelled meanwhile does not stop the write.

        Raises:
            DomainError: OVERLOADED, the queue is full; NOT_READY, the writer is
                not running, or the database file is not in its place. Nothing
                was written there.
            DatabaseUnavailable: the transaction failed as a whole.
            Exception: what `write` raised or returned for this item.

        """
        loop = asyncio.get_running_loop()
        job = _Job(write, item, after_commit, loop, loop.create_future())
        with self._lock:
            if not self._accepting:
                raise DomainError(NOT_READY)
            if self._waiting >= self._queue_limit:
                raise DomainError(OVERLOADED)
            self._waiting += 1
            gathered = self._gathered.setdefault(loop, [])
            gathered.append(job)
            if len(gathered) == 1:
                loop.call_soon(self._end_turn, loop)
        await job.done
        # Taken out of the job: an exception holds the frames that hold the job,
        # and in a circle they would keep all that the item refers to.
        outcome, job.outcome = job.outcome, None
        if isinstance(outcome, Exception):
            try:
                raise outcome
            finally:
                del outcome
        result: Result = outcome
        return result

    async def execute(
        self,
        fn: Callable[[Connection], Result],
        after_commit: Callable[[Result], None] | None = None,
    ) -> Result:
        """Run `fn(connection)` once in the next transaction and return its result.

        As `submit` otherwise, and raises what it raises. What `fn` raises undoes
        what `fn` wrote.
        """

        def write(connection: Connection, _: Sequence[None]) -> Sequence[Result]:
            return [fn(connection)]

        return await self.submit(write, None, after_commit=after_commit)

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._hand_over(loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if jobs := self._gathered.pop(loop, None):
            self._queue.put(jobs)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._next_batch()
            if batch:
                with self._lock:
                    self._waiting -= len(batch)
                self._batches += 1
                self._turn = self._batches
                self._commit(batch)
                _answer(batch)
                self._tend()
                self._turn = None
            # Idle, it would hold what the last items refer to.
            del batch

    def _tend(self) -> None:
        try:
            self._database.tend()
        except Exception as error:  # noqa: BLE001 - the thread must outlive a full disk
            logger.error("the log was not checkpointed: %s", _first_cause(error))  # noqa: TRY400 - as above

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for jobs and take what is there; also say whether to stop after them."""
        batch = self._left
        self._left = []
        try:
            while len(batch) < self._batch_limit:
                jobs = self._queue.get_nowait() if batch else self._queue.get()
                if jobs is None:
                    return batch, True
                batch += jobs
        except Empty:
            pass
        self._left = batch[self._batch_limit :]
        return batch[: self._batch_limit], False

    def _commit(self, batch: list[_Job]) -> None:
        """Write `batch` in one transaction and set the outcome of each job."""
        groups: dict[Callable[..., Any], list[_Job]] = {}
        try:
            for job in batch:
                groups.setdefault(job.write, []).append(job)
            _write(self._database, list(groups.values()))
        except DomainError as error:
            for job in batch:
                job.outcome = DomainError(*error.findings)
            return
        except BaseException as error:  # noqa: BLE001 - the thread must outlive whatever a batch does
            reason = f"a transaction of {len(batch)} writes failed: {_first_cause(error)}"
            logger.error(reason)  # noqa: TRY400 - the cause says it all, its traceback only where it surfaced
            self.trouble = trouble_of(_first_cause(error))
            for job in batch:
                job.outcome = DatabaseUnavailable(reason)
                job.outcome.__cause__ = error
            return
        if self._tell_batch is not None:
            self._tell_batch(len(batch))
        for jobs in groups.values():
            for job in jobs:
                _run_hook(job)


class _Failed(Exception):  # noqa: N818 - says what is the case
    """A write raised `error`; the transaction is still there."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _write(database: Database, groups: list[list[_Job]]) -> None:
    """Write each group of jobs that share a write function, all in one transaction."""
    if len(groups) == 1:
        (jobs,) = groups
        try:
            transact(database, partial(_call, jobs=jobs))
        except _Failed as failed:
            if len(jobs) == 1:
                jobs[0].outcome = failed.error
                return
            groups = [[job] for job in jobs]
        else:
            return
    transact(database, partial(_write_groups, groups=groups))


def _call(connection: Connection, jobs: list[_Job]) -> None:
    """Write jobs that share a write function.

    Raises:
        _Failed: the write failed; what it did is to be undone.
        Exception: whatever makes the transaction as a whole unusable.

    """
    try:
        outcomes = jobs[0].write(connection, [job.item for job in jobs])
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.outcome = outcome
    except Exception as error:
        if is_given_up(error, connection.dialect) or is_undone(connection):
            raise
        # A half-read RETURNING that its frames still hold would block what comes next.
        traceback.clear_frames(error.__traceback__)
        raise _Failed(error) from None


def _write_groups(connection: Connection, groups: list[list[_Job]]) -> None:
    for jobs in groups:
        _write_group(connection, jobs)


def _write_group(connection: Connection, jobs: list[_Job]) -> None:
    """Write jobs that share a write function; if that fails, each one alone.

    Raises whatever makes the transaction as a whole unusable.
    """
    # Straight to the driver: SQLAlchemy's nested transactions cost more than
    # the inserts between them, and every driver's connection executes.
    execute = connection.connection.driver_connection.execute  # type: ignore[union-attr]
    execute("SAVEPOINT write_group")
    try:
        _call(connection, jobs)
    except _Failed as failed:
        execute("ROLLBACK TO SAVEPOINT write_group")
        jobs[0].outcome = failed.error
        alone = [] if len(jobs) == 1 else jobs
    else:
        alone = []
    execute("RELEASE SAVEPOINT write_group")
    for job in alone:
        _write_group(connection, [job])


def _first_cause(error: BaseException) -> BaseException:
    """Return what went wrong first, not what the clean-up after it met."""
    while error.__context__ is not None:
        error = error.__context__
    return error


def _run_hook(job: _Job) -> None:
    if job.after_commit is None or isinstance(job.outcome, Exception):
        return
    try:
        job.after_commit(job.outcome)
    except Exception as error:
        logger.exception("stored, but what had to follow the commit failed")
        job.outcome = error


def _answer(batch: list[_Job]) -> None:
    """Wake the submitters: one call for each event loop among them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_wake, jobs)
        except RuntimeError:
            # The loop is closed, so nobody waits; what was committed stays.
            logger.warning("%d writes ended after their event loop", len(jobs))


def _wake(jobs: list[_Job]) -> None:
    for job in jobs:
        # A cancelled submitter has cancelled its future.
        if not job.done.done():
            # Outcomes travel in the job: an exception set on a future that
            # nobody awaits any more would be reported as never retrieved.
            job.done.set_result(None)
