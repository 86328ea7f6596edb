"""Processes that this one starts, and that end with it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import Any


@contextmanager
def spawned(
    workers: int, begin: Callable[[Any], None], given: object
) -> Iterator[ProcessPoolExecutor]:
    """Run a pool of processes, each of which begins by `begin(given)`.

    Not forked: this process has threads and connections, and a copy would never see
    their locks freed.
    """
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin, initargs=(given,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def become_worker() -> None:
    """Let the process that started this one decide when it ends, and end with it."""
    # Ctrl+C reaches every process of the terminal: the first one decides for all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    when_parent_ends(lambda: os._exit(1))


def when_parent_ends(act: Callable[[], None]) -> None:
    """Have `act` called, in a thread, once the process that started this one is gone."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        act()

    threading.Thread(target=wait, daemon=True).start()
