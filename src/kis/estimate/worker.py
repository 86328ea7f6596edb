"""A worker process of batches: `python -m kis.estimate.worker`, started by `workers`.

It has no database and no network: chunks come in by its standard input, results
go out by its standard output. It ends when its input does, so that it never
outlives the service, whatever ends that.
"""

import gc
import os
import signal
from typing import IO

from kis.estimate.batch import compute
from kis.estimate.piping import Knowledge, Setup, receive, send
from kis.knowledge.active import Active

NICENESS = 10
GC_THRESHOLD = 50_000


def work(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer chunks until `source` ends."""
    try:
        setup: Setup = receive(source)
        keyring = setup.keyring()
        active: Active | None = None
        while True:
            message = receive(source)
            if isinstance(message, Setup):
                keyring = message.keyring()
            elif isinstance(message, Knowledge):
                # Let go first: two large versions at once would be twice the memory.
                active = None
                active = message.active()
            elif active is not None:
                send(sink, compute(message, active, keyring))
    except (EOFError, BrokenPipeError):
        return


def main() -> None:
    """Work for the process at the other end of the standard streams."""
    # They end the service, which lets its workers finish: it decides when they end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Single estimates, which somebody waits for, go first.
    os.nice(NICENESS)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    with os.fdopen(os.dup(0), "rb") as source, os.fdopen(os.dup(1), "wb") as sink:
        # What a library might print would be taken for a result.
        os.dup2(2, 1)
        work(source, sink)


if __name__ == "__main__":
    main()
