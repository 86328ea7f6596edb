"""The worker processes of batches: started when one is needed, ended when idle.

A batch keeps all cores busy, and computing holds the interpreter lock: in
threads of the service it would slow down whoever waits for a single estimate.
Each process has a thread here that feeds it and waits for it. A chunk whose
process dies is computed again by a new one: nothing is stored before that, and
the ids come with the chunk, so nothing is lost or doubled.
"""

import asyncio
import fcntl
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pickle import UnpicklingError
from queue import Empty, SimpleQueue
from typing import IO

from kis.estimate.batch import Chunk, Computed
from kis.estimate.piping import Knowledge, Setup, receive, send
from kis.evidence.keys import LiveKeyring
from kis.knowledge.active import Active

IDLE_S = 60.0
MAX_WORKERS = 8
ATTEMPTS = 5
"""How many processes a chunk may cost: one that kills them all must not go round for ever."""
PIPE_BYTES = 1 << 20
"""Room for a whole result, so that its writer need not wait for its reader."""

logger = logging.getLogger("kis.estimate")


class WorkersLost(Exception):  # noqa: N818 - says what is the case
    """No worker lived long enough to compute a chunk; nothing was stored."""


@dataclass(slots=True, eq=False)
class _Job:
    """A chunk on its way to a worker and back."""

    active: Active
    chunk: Chunk
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    outcome: "list[Computed] | Exception | None" = None


class Workers:
    """Computes chunks in processes beside this one."""

    def __init__(
        self, keyring: LiveKeyring, *, count: int | None = None, idle_s: float = IDLE_S
    ) -> None:
        """Prepare at most `count` processes (as many as cores), idle for at most `idle_s`."""
        self.count = count or min(MAX_WORKERS, usable_cores())
        self._keyring = keyring
        self._idle_s = idle_s
        # None is the order to end.
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._jobs = 0
        self._is_closed = False

    async def compute(self, active: Active, chunk: Chunk) -> list[Computed]:
        """Return what comes of each line of `chunk` under `active`.

        Raises:
            WorkersLost: workers died of it, or could not be started, several times.

        """
        loop = asyncio.get_running_loop()
        job = _Job(active, chunk, loop, loop.create_future())
        with self._lock:
            if self._is_closed:
                raise WorkersLost
            self._jobs += 1
            if len(self._threads) < min(self._jobs, self.count):
                thread = threading.Thread(target=self._run, name="kis-batch", daemon=True)
                self._threads.add(thread)
                thread.start()
            self._queue.put(job)
        await job.done
        outcome, job.outcome = job.outcome, None
        if outcome is None or isinstance(outcome, Exception):
            raise outcome or WorkersLost
        return outcome

    def close(self) -> None:
        """End all workers; waits for the chunks that they have."""
        with self._lock:
            self._is_closed = True
            threads = tuple(self._threads)
            for _ in threads:
                self._queue.put(None)
        for thread in threads:
            thread.join()

    def _run(self) -> None:
        """Feed one process until there is nothing more to do."""
        worker: _Worker | None = None
        try:
            while (job := self._next()) is not None:
                # Whoever hung up meanwhile waits for nothing.
                if not job.done.cancelled():
                    worker = self._work(worker, job)
                with self._lock:
                    self._jobs -= 1
                with suppress(RuntimeError):  # the loop is closed, so nobody waits
                    job.loop.call_soon_threadsafe(_wake, job)
                # Idle, it would hold a version and a chunk.
                del job
        finally:
            if worker is not None:
                worker.end()

    def _next(self) -> _Job | None:
        """Return the next job; None: leave, and be counted no more."""
        while True:
            try:
                job = self._queue.get(timeout=self._idle_s)
            except Empty:
                job = None
            with self._lock:
                # What was put meanwhile was counted on this thread.
                if job is None and (self._is_closed or self._queue.empty()):
                    self._threads.discard(threading.current_thread())
                    return None
            if job is not None:
                return job

    def _work(self, worker: "_Worker | None", job: _Job) -> "_Worker | None":
        """Set the outcome of `job`; return the process that lives."""
        for _ in range(ATTEMPTS):
            try:
                worker = worker or _Worker()
                setup = Setup.of(self._keyring.current)
                job.outcome = worker.compute(setup, job.active, job.chunk)
            except (OSError, EOFError, UnpicklingError) as trouble:
                logger.warning("a worker of batches ended: %s", type(trouble).__name__)
                if worker is not None:
                    worker.end()
                    worker = None
            except Exception as fault:  # noqa: BLE001 - it belongs to whoever sent the chunk
                job.outcome = fault
                return worker
            else:
                return worker
        job.outcome = WorkersLost()
        return None


class _Worker:
    """One process, and the key and the version that it has."""

    def __init__(self) -> None:
        # -P: a folder `kis` where the service was started is none of ours. A group of
        # its own: Ctrl+C on a terminal is for the service alone. No session of its own:
        # Linux deals the processor out to sessions, and niceness counts within one.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kis.estimate.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            process_group=0,
        )  # fmt: skip
        self._setup: Setup | None = None
        self._version: tuple[int, str] | None = None
        self._to, self._from = self._process.stdin, self._process.stdout
        for stream in (self._to, self._from):
            _widen(stream)

    def compute(self, setup: Setup, active: Active, chunk: Chunk) -> list[Computed]:
        """Have `chunk` computed under `active`, and sealed as `setup` says.

        Raises:
            OSError, EOFError: the process is gone.

        """
        if setup != self._setup:
            self._send(setup)
            self._setup = setup
        version = (active.snapshot.version_id, active.snapshot.digest)
        if version != self._version:
            self._send(Knowledge.of(active))
            self._version = version
        self._send(chunk)
        computed: list[Computed] = receive(self._from)  # type: ignore[arg-type] # is a pipe
        return computed

    def _send(self, message: object) -> None:
        send(self._to, message)  # type: ignore[arg-type] # is a pipe

    def end(self) -> None:
        """End the process, and wait until it is gone."""
        for stream in (self._to, self._from):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.kill()
        self._process.wait()


def _wake(job: _Job) -> None:
    if not job.done.done():
        job.done.set_result(None)


def _widen(stream: IO[bytes] | None) -> None:
    """Give a pipe more room where the system lets us; Linux only."""
    if stream is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
