"""Which process serves a home at a port, and how it is ended.

The server holds a lock on the file that has its process id, as long as it lives. So
a file that a killed server left behind never names another process.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kis.errors import Text

if TYPE_CHECKING:
    from kis.settings import Settings

LOOK_EVERY_S = 0.05
Ending = Literal["not running", "ended", "killed"]


def pid_file(settings: "Settings") -> Path:
    """Return the file of the server of this home and port."""
    return settings.home / "data" / f"kis-backend-{settings.port}.pid"


@contextmanager
def named_process(settings: "Settings") -> Iterator[None]:
    """Name this process in the pid file; waits for a server that is about to end.

    Raises:
        SettingsError: the file cannot be written.

    """
    path = pid_file(settings)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        from kis.settings import SettingsError  # noqa: PLC0415 - only when it goes wrong

        raise SettingsError(
            Text(f"{path} 파일을 쓸 수 없습니다: {error}", f"cannot write {path}: {error}")
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def end_server(settings: "Settings", patience_s: float) -> Ending:
    """Have the server end as at SIGTERM; kill it where it has not after `patience_s`."""
    try:
        descriptor = os.open(pid_file(settings), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return "not running"
    try:
        if _is_free(descriptor):
            return "not running"
        pid = int(os.pread(descriptor, 20, 0) or b"0")
        if not pid:
            return "not running"  # it is not past its start, and has answered nobody
        os.kill(pid, signal.SIGTERM)
        if _is_free_within(descriptor, patience_s):
            return "ended"
        os.kill(pid, signal.SIGKILL)
        _is_free_within(descriptor, patience_s)
        return "killed"
    finally:
        os.close(descriptor)


def _is_free_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _is_free(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True
