"""How often a client may ask: a leaky bucket for each key and client.

The generic cell rate algorithm (GCRA, ITU-T I.371): one number a client, the
moment at which its bucket would be empty. docs/adr/0007 says why no library.
"""

import math
from collections.abc import Callable, Hashable
from typing import NamedTuple

SECONDS = 60.0
MAX_CLIENTS = 10_000


class Allowance(NamedTuple):
    """Whether a request may pass, how many more may, and when the bucket is empty (s)."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int


class RateLimiter:
    """Lets `per_minute` requests of a client pass at once, and refills steadily."""

    def __init__(self, per_minute: int, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock; `per_minute` 0 limits nothing."""
        self._limit = per_minute
        self._seconds = seconds
        self._interval_s = SECONDS / per_minute if per_minute else 0.0
        self._empty_at: dict[Hashable, float] = {}

    @property
    def is_on(self) -> bool:
        """Whether there is a limit."""
        return self._limit > 0

    def take(self, client: Hashable) -> Allowance:
        """Count a request of `client`."""
        now = self._seconds()
        empty_at = max(self._empty_at.get(client, now), now) + self._interval_s
        over_s = empty_at - now - SECONDS
        if over_s > self._interval_s / 2**20:  # not for the rounding of sums
            return Allowance(False, self._limit, 0, math.ceil(SECONDS), max(1, math.ceil(over_s)))
        if len(self._empty_at) >= MAX_CLIENTS:
            self._forget_idle(now)
        self._empty_at[client] = empty_at
        remaining = int((SECONDS - (empty_at - now)) / self._interval_s + 0.5)
        return Allowance(True, self._limit, remaining, math.ceil(empty_at - now), 0)

    def _forget_idle(self, now: float) -> None:
        self._empty_at = {c: t for c, t in self._empty_at.items() if t > now}
