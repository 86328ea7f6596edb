"""The only place that reads the clock or makes an id.

Pure code receives times and ids as arguments; the rim gets them here.
"""

import os
import threading
import time
from datetime import UTC, datetime

_AT_ONCE_BYTES = 4096


class _Random(threading.local):
    """Random bytes of the system, fetched some thousand at a time.

    Each time the interpreter is given up, and a thread that waits for it is woken for
    nothing: docs/performance.md. Each thread has its own, and so has a child.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._bytes = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        if self._used + count > len(self._bytes):
            self._bytes = os.urandom(_AT_ONCE_BYTES)
            self._used = 0
        self._used += count
        return self._bytes[self._used - count : self._used]


_random = _Random()
os.register_at_fork(after_in_child=_random.forget)


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def now_ns() -> int:
    """Return the current time in nanoseconds since 1970, UTC."""
    return time.time_ns()


def random_bytes(count: int) -> bytes:
    """Return `count` random bytes, at most 4096, for a name: what is secret asks the system."""
    return _random.take(count)


def new_id() -> str:
    """Return a UUIDv7: sorts by creation time to the millisecond.

    Layout after RFC 9562 section 5.7: 48 bits of Unix milliseconds, version,
    74 random bits. Python gains `uuid.uuid7` only in 3.14.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(random_bytes(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
