"""Long computations in a process of their own, at a lower priority.

In a thread they would share the interpreter with all requests, and double their time.
Arguments and result go through files that nobody else has: pickled, as both ends are
the same program of the same user.
"""

import asyncio
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, TypeVar

from kis.knowledge.progress import Progress, Tell

NICER_BY = 10
LOOK_EVERY_S = 0.05

Result = TypeVar("Result")

logger = logging.getLogger("kis.ops")


async def run_apart(fn: Callable[..., Result], *args: Any, tell: Tell | None = None) -> Result:
    """Return `fn(*args)`, computed by another process: `fn` is pure, and found by its name.

    With `tell`, `fn` is given one too; what it tells is told here, in another thread.
    Where that process is lost, for want of memory perhaps, it is computed in a thread.
    Where this is cancelled the process is ended.

    Raises:
        Exception: what `fn` raises.

    """
    run = _Run(fn, args, tell)
    result: Result = await in_thread(run, run.stop)
    return result


async def in_thread(work: Callable[[], Result], stop: Callable[[], None]) -> Result:
    """Return `work()`, done in a thread; where this is cancelled, `stop` ends it, and it has ended.

    Raises:
        Exception: what `work` raises.

    """
    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait({working})
        working.exception()  # nobody asks for it any more
        raise


class _Run:
    """A computation by another process, which `stop` ends from any thread."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], tell: Tell | None) -> None:
        self._fn = fn
        self._args = args
        self._tell = tell
        self._is_stopped = False
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> Any:
        with _asked(self._fn, self._args, is_telling=self._tell is not None) as asked:
            self._process = asked.process
            if self._is_stopped:
                self._process.kill()
            if self._tell is not None:
                for progress in asked.told():
                    self._tell(progress)
            code = self._process.wait()
            if not code:
                return asked.answer()
        if self._is_stopped:
            return None
        logger.warning("%s ended with %d: once more, here", self._fn.__name__, code)
        return self._fn(*self._args, **({} if self._tell is None else {"tell": self._tell}))

    def stop(self) -> None:
        self._is_stopped = True
        if self._process is not None:
            self._process.kill()


class Lost(Exception):  # noqa: N818 - says what is the case
    """The other process ended without an answer: killed, or for want of memory."""


async def run_apart_once(fn: Callable[..., Result], *args: Any) -> Result:
    """Return `fn(*args)`, done by another process: `fn` has effects, so it is done but once.

    Where this is cancelled the other process goes on to its end.

    Raises:
        Lost: nobody knows how far it came.
        Exception: what `fn` raises.

    """
    with _asked(fn, args) as asked:
        process = asked.process
        try:
            # Asked now and then: a thread that waits would hold up the end of this program.
            while process.poll() is None:  # noqa: ASYNC110 - no event tells of its end
                await asyncio.sleep(LOOK_EVERY_S)
        except asyncio.CancelledError:
            threading.Thread(target=process.wait, daemon=True).start()
            raise
        if asked.process.returncode:
            message = f"{fn.__name__} ended with {asked.process.returncode}"
            raise Lost(message)
        result: Result = asked.answer()
        return result


class _Asked(NamedTuple):
    """A process that was asked, the file that it answers in, and what it tells meanwhile."""

    process: "subprocess.Popen[bytes]"
    file: IO[bytes]
    news: IO[bytes]

    def told(self) -> Iterator[Progress]:
        """Yield how far it is, until it ends."""
        with suppress(EOFError, pickle.UnpicklingError):  # ended, perhaps in mid-word
            while True:
                yield pickle.load(self.news)  # noqa: S301 - of our own process

    def answer(self) -> Any:
        """Return what it returned.

        Raises:
            Exception: what it raised.

        """
        self.file.seek(0)
        is_returned, outcome = pickle.load(self.file)  # noqa: S301 - of our own process
        if is_returned:
            return outcome
        raise outcome


@contextmanager
def _asked(
    fn: Callable[..., Any], args: tuple[Any, ...], *, is_telling: bool = False
) -> Iterator[_Asked]:
    reading, writing = os.pipe()
    with (
        TemporaryFile() as question, TemporaryFile() as answer, os.fdopen(reading, "rb") as news,
    ):  # fmt: skip
        with os.fdopen(writing, "wb"):
            pickle.dump((fn, args, writing if is_telling else None), question)
            question.seek(0)
            # -P and a group of its own: as the workers of batches.
            process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-m", __name__], stdin=question, stdout=answer,
                stderr=subprocess.DEVNULL, process_group=0, pass_fds=(writing,),
            )  # fmt: skip
        yield _Asked(process, answer, news)


def main() -> None:
    """Answer one question: what the other process runs."""
    os.nice(NICER_BY)
    # What it was asked is of the process that started it.
    fn, args, news = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        outcome = (True, fn(*args, **({} if news is None else {"tell": _teller(news)})))
    except Exception as error:  # noqa: BLE001 - whoever asked has it raised
        outcome = (False, error)
    pickle.dump(outcome, sys.stdout.buffer)


def _teller(news: int) -> Tell:
    def tell(progress: Progress) -> None:
        os.write(news, pickle.dumps(progress))

    return tell


if __name__ == "__main__":
    main()
