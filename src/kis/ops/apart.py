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
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import Any, TypeVar

NICER_BY = 10

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
    with TemporaryFile() as question, TemporaryFile() as answer:
        pickle.dump((fn, args), question)
        question.seek(0)
        # -P and a session of its own: as the workers of batches.
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", __name__], stdin=question, stdout=answer,
            stderr=subprocess.DEVNULL, start_new_session=True, check=False,
        )  # fmt: skip
        if done.returncode:
            logger.warning("%s ended with %d: once more, here", fn.__name__, done.returncode)
            return fn(*args)
        answer.seek(0)
        is_returned, outcome = pickle.load(answer)  # noqa: S301 - of our own process
    if is_returned:
        result: Result = outcome
        return result
    raise outcome


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
