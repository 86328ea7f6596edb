"""A pulse of the process that serves, which only a sound one gives."""

import asyncio
from collections.abc import Awaitable, Callable

from kis.db.writer import Writer

EVERY_S = 1.0
ON_SERVER_S = 120.0
"""How long a batch may take on a database server: statements have 60 s there."""
Beat = Callable[[], None]
"""What a beat does: it must neither block nor raise."""


class Pulse:
    """Whether the writer takes work, seen again and again.

    It does while it is idle, or is not still at the batch of the look before. On a database
    server one batch may take `patience_s`: there the statements have time limits of their
    own, and another process would wait as long.
    """

    def __init__(self, writer: Writer, patience_s: float, monotonic: Callable[[], float]) -> None:
        """Begin to watch; `monotonic` is a clock in seconds."""
        self._writer = writer
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._turn, self._since = -1, 0.0

    def is_sound(self) -> bool:
        """Whether writes go on."""
        turn, now = self._writer.turn, self._monotonic()
        if turn is None:
            return self._writer.is_running
        if turn != self._turn:
            self._turn, self._since = turn, now
            return self._writer.is_running
        return self._writer.is_running and now - self._since < self._patience_s


async def beat_regularly(
    is_sound: Callable[[], bool], beat: Beat, pause: Callable[[], Awaitable[None]]
) -> None:
    """Beat on this event loop for ever, while all is well: a loop that is blocked does not."""
    while True:
        if is_sound():
            beat()
        await pause()


async def a_second() -> None:
    """Wait until the next beat."""
    await asyncio.sleep(EVERY_S)
