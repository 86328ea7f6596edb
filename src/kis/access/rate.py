"""How often a client may ask: a leaky bucket for each key and client.

The generic cell rate algorithm (GCRA, ITU-T I.371): one number a client, the
moment at which its bucket would be empty. docs/adr/0007 says why no library.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

SECONDS = 60.0
MAX_CLIENTS = 10_000


class Client(NamedTuple):
    """Whose requests are counted together: the holder of the key, and the address."""

    holder: str
    address: str


class Allowance(NamedTuple):
    """Whether a request may pass, how many more may, and when the bucket is empty (s)."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int


class Limiter(Protocol):
    """Counts requests, in this process or together with others."""

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""

    def start(self) -> None:
        """Begin to count."""

    async def take(self, client: Client) -> Allowance:
        """Count a request of `client`."""

    async def stop(self) -> None:
        """Let go of what counting takes."""


def allow(limit: int, full_s: float) -> Allowance:
    """Return the allowance of a request that passes and fills the bucket to `full_s` seconds."""
    remaining = int((SECONDS - full_s) * limit / SECONDS + 0.5)
    return Allowance(True, limit, remaining, math.ceil(full_s), 0)


def deny(limit: int, over_s: float) -> Allowance:
    """Return the refusal of a request that would be `over_s` seconds too much."""
    return Allowance(False, limit, 0, math.ceil(SECONDS), max(1, math.ceil(over_s)))


class RateLimiter:
    """Lets `per_minute` requests of a client pass at once, and refills steadily.

    For one process: the buckets are in its memory.
    """

    def __init__(self, per_minute: int, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock; `per_minute` 0 limits nothing."""
        self._limit = per_minute
        self._seconds = seconds
        self._interval_s = SECONDS / per_minute if per_minute else 0.0
        self._empty_at: dict[Client, float] = {}

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return self._limit > 0

    def start(self) -> None:
        """Nothing has to run."""

    async def take(self, client: Client) -> Allowance:
        """Count a request of `client`."""
        now = self._seconds()
        empty_at = max(self._empty_at.get(client, now), now) + self._interval_s
        over_s = empty_at - now - SECONDS
        if over_s > self._interval_s / 2**20:  # not for the rounding of sums
            return deny(self._limit, over_s)
        if len(self._empty_at) >= MAX_CLIENTS:
            self._forget_idle(now)
        self._empty_at[client] = empty_at
        return allow(self._limit, empty_at - now)

    async def stop(self) -> None:
        """Nothing runs."""

    def _forget_idle(self, now: float) -> None:
        self._empty_at = {c: t for c, t in self._empty_at.items() if t > now}
