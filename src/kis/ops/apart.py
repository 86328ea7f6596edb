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
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, TypeVar

NICER_BY = 10
LOOK_EVERY_S = 0.05

Result = TypeVar("Result")

logger = logging.getLogger("kis.ops")


async def run_apart(fn: Callable[..., Result], *args: Any) -> Result:
    """Return `fn(*args)`, computed by another process: `fn` is pure, and found by its name.

    Where that process is lost, for want of memory perhaps, it is computed in a thread.

    Raises:
        Exception: what `fn` raises.

    """
    return await asyncio.to_thread(_run, fn, args)


def _run(fn: Callable[..., Result], args: tuple[Any, ...]) -> Result:
    with _asked(fn, args) as asked:
        code = asked.process.wait()
        if code:
            logger.warning("%s ended with %d: once more, here", fn.__name__, code)
            return fn(*args)
        result: Result = asked.answer()
        return result


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
    """A process that was asked, and the file that it answers in."""

    process: "subprocess.Popen[bytes]"
    file: IO[bytes]

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
def _asked(fn: Callable[..., Any], args: tuple[Any, ...]) -> Iterator[_Asked]:
    with TemporaryFile() as question, TemporaryFile() as answer:
        pickle.dump((fn, args), question)
        question.seek(0)
        # -P and a session of its own: as the workers of batches.
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", __name__], stdin=question, stdout=answer,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        yield _Asked(process, answer)


def main() -> None:
    """Answer one question: what the other process runs."""
    os.nice(NICER_BY)
    fn, args = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
    try:
        outcome = (True, fn(*args))
    except Exception as error:  # noqa: BLE001 - whoever asked has it raised
        outcome = (False, error)
    pickle.dump(outcome, sys.stdout.buffer)


if __name__ == "__main__":
    main()
