"""What is measured, how long and how often."""

from typing import NamedTuple

from bench.databases import KINDS

PARTS = ("creates", "reads", "batch", "workers", "starts", "tables", "grown", "engine", "replay")
"""What can be asked for alone (`--only`)."""

IN_ROUNDS = frozenset({"creates", "reads", "batch", "workers"})


class Plan(NamedTuple):
    """How long and how often. Seconds of load, without the warm-up before each."""

    rounds: int
    load_s: float
    floor_s: float
    warm_up_s: float
    starts: int
    quiet_s: float
    part_rounds: int
    boards: int
    """In one batch, after a tenth as many to warm up."""
    replayed: int
    """Estimates that are stored and replayed."""
    stored: int
    """Estimates that a database holds when creates on it are timed."""
    stored_rounds: int
    kinds: tuple[str, ...] = KINDS
    only: frozenset[str] = frozenset(PARTS)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.only == frozenset(PARTS) and self.kinds == KINDS


FULL = Plan(5, 4.0, 1.5, 1.0, 5, 5.0, 6_000, 40_000, 1_000_000, 1_000_000, 5)
QUICK = Plan(1, 3.0, 1.0, 0.5, 3, 2.0, 1_500, 10_000, 50_000, 50_000, 1)
