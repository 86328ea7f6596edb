"""Processes that end with the one that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from kis.ops.spawned import become_worker, spawned, when_parent_ends
from tests.integration.program import until

given: list[object] = []


def begin(what: object) -> None:
    become_worker()
    given.append(what)


def tell() -> tuple[list[object], int]:
    return given, os.getpid()


def test_each_begins_with_what_it_is_given() -> None:
    with spawned(1, begin, "versions") as pool:
        told, pid = pool.submit(tell).result()
    assert told == ["versions"]
    assert pid != os.getpid()
    until(lambda: not _is_running(pid))


def test_nobody_outlives_a_process_that_is_killed() -> None:
    script = (
        "from tests.unit.ops.test_spawned import *\n"
        "if __name__ == '__main__':\n"
        "    with spawned(1, begin, 1) as pool:\n"
        "        print(pool.submit(tell).result()[1], flush=True)\n"
        "        input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    until(lambda: not _is_running(pid))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_who_was_started_by_nobody_waits_for_nobody() -> None:
    when_parent_ends(lambda: os._exit(1))
