"""The only place that reads the clock or makes an id.

Pure code receives times and ids as arguments; the rim gets them here.
"""

import os
import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def now_ns() -> int:
    """Return the current time in nanoseconds since 1970, UTC."""
    return time.time_ns()


def new_id() -> str:
    """Return a UUIDv7: sorts by creation time to the millisecond.

    Layout after RFC 9562 section 5.7: 48 bits of Unix milliseconds, version,
    74 random bits. Python gains `uuid.uuid7` only in 3.14.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
