"""Who may open the database: a SQLite file one process at a time, and the others ask it.

A SQLite file has one writer. Whoever holds the lock on the file beside it may open
it; a server that holds the lock writes there how it is reached. A lock that names no
address is a command at work, or a server that starts or stops: it is free soon.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kis.errors import Text
from kis.ops.reaching import Endpoint

if TYPE_CHECKING:
    from kis.settings import Settings

WAIT_S = 30.0
RETRY_S = 0.05
MOST_BYTES = 8192
"""What a lock says is shorter: an address and the path of a file."""


class Locked(Exception):  # noqa: N818 - says what is the case
    """Another process has the database open: the server at `address`, or a command."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Keep where it is; an empty address when it is no running server."""
        super().__init__(endpoint.url)
        self.endpoint = endpoint
        self.address = endpoint.url


class Lock:
    """The lock, held by this process."""

    def __init__(self, descriptor: int | None) -> None:
        """Take over `descriptor`, on which the lock is held; None where there need be none."""
        self._descriptor = descriptor

    def name(self, endpoint: Endpoint | None) -> None:
        """Tell commands where the server answers; None: nowhere any more."""
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(endpoint or "").encode(), 0)


def lock_file(settings: "Settings") -> Path | None:
    """Return the path of the lock of a SQLite file, whatever link leads to it.

    None where the database is a server: it lets any number of processes write.
    """
    file = settings.database_file
    return None if file is None else file.resolve().with_suffix(".lock")


@contextmanager
def only_process(settings: "Settings", *, wait_s: float = WAIT_S) -> Iterator[Lock]:
    """Hold the lock on the database of `settings`; wait while no server is named in it.

    Raises:
        Locked: another process holds it.
        SettingsError: there can be no lock file, so there is no database either.

    """
    path = lock_file(settings)
    if path is None:
        yield Lock(None)
        return
    descriptor = _open(path)
    try:
        _acquire(descriptor, time.monotonic() + wait_s)
        lock = Lock(descriptor)
        lock.name(None)
        yield lock
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        from kis.settings import SettingsError  # noqa: PLC0415 - only when it goes wrong

        raise SettingsError(
            Text(
                f"DATABASE_URL: 데이터베이스 옆에 {path} 파일을 쓸 수 없습니다: {error}",
                f"DATABASE_URL: cannot write {path} beside the database: {error}",
            )
        ) from None


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            endpoint = Endpoint.read(os.pread(descriptor, MOST_BYTES, 0).decode(errors="replace"))
            if endpoint.url or time.monotonic() > deadline:
                raise Locked(endpoint) from None
            time.sleep(RETRY_S)
        else:
            return
