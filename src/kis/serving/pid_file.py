"""Which process serves a home at a port, and how it is ended.

The server holds a lock on the file that has its process id, as long as it lives. Who is
ended is who holds the lock, as the system tells, whatever the file says: a file that a
killed server left behind, or one that comes from a container, names nobody. A file beside
it says how that server is reached: it may have been started with a certificate of its own.
"""

import fcntl
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kis.errors import Text
from kis.ops.reaching import Endpoint, endpoint_of

if TYPE_CHECKING:
    from kis.settings import Settings

LOOK_EVERY_S = 0.05
Ending = Literal["not running", "ended", "killed", "out of reach"]
FREE, OUT_OF_REACH = -1, 0
NAME, SUFFIX, ADDRESS = "kis-backend-", ".pid", ".address"

# struct flock of Linux, fcntl(2): type, whence, start, length, process.
_FLOCK = struct.Struct("@hhqqi4x")


def pid_file(settings: "Settings") -> Path:
    """Return the file of the server of this home and port."""
    return settings.home / "data" / f"{NAME}{settings.port}{SUFFIX}"


def other_ports(settings: "Settings") -> list[int]:
    """Return the other ports at which servers of this home run."""
    found = pid_file(settings).parent.glob(f"{NAME}*{SUFFIX}")
    ports = {path.name.removeprefix(NAME).removesuffix(SUFFIX): path for path in found}
    others = [port for port, path in ports.items() if port.isdecimal() and _is_held(path)]
    return sorted(set(map(int, others)) - {settings.port})


def endpoint_here(settings: "Settings") -> Endpoint:
    """Return where the server of this home and port is, or would be once it is started."""
    path = pid_file(settings)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return endpoint_of(settings)
    try:
        if _holder(descriptor) == FREE:
            return endpoint_of(settings)
        told = path.with_suffix(ADDRESS).read_text(encoding="utf-8", errors="replace")
        return Endpoint.read(told) if told else endpoint_of(settings)
    except OSError:
        return endpoint_of(settings)
    finally:
        os.close(descriptor)


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
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        path.with_suffix(ADDRESS).write_text(f"{endpoint_of(settings)}\n", encoding="utf-8")
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def end_server(settings: "Settings", patience_s: float) -> Ending:
    """Have the server end as at SIGTERM; kill it where it has not after `patience_s`.

    A server in another container (PID namespace) cannot be signalled from here.
    """
    try:
        descriptor = os.open(pid_file(settings), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return "not running"
    try:
        ending: Ending = "ended"
        holder = _holder(descriptor)
        if holder == OUT_OF_REACH:
            return "out of reach"
        if holder == FREE or not _is_named(descriptor):
            return "not running"  # or not past its start: it has answered nobody
        os.kill(holder, signal.SIGTERM)
        if not _is_free_within(descriptor, patience_s):
            os.kill(holder, signal.SIGKILL)
            _is_free_within(descriptor, patience_s)
            ending = "killed"
        return ending
    finally:
        os.close(descriptor)


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _holder(descriptor) != FREE
    finally:
        os.close(descriptor)


def _is_named(descriptor: int) -> bool:
    return bool(os.pread(descriptor, 20, 0))


def _is_free_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _holder(descriptor) != FREE:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def _holder(descriptor: int) -> int:
    """Return the process that has the lock; OUT_OF_REACH for one of another PID namespace."""
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return FREE if kind == fcntl.F_UNLCK else process
