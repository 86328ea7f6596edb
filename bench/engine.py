"""The engine alone: no HTTP, no database, in this process."""

import statistics
import time
from typing import NamedTuple

from bench.boards import of_breakers
from kis.estimate.engine import estimate
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.knowledge.snapshot import Snapshot


class EngineTime(NamedTuple):
    """Median milliseconds of an estimate of a board with that many breakers."""

    breakers: int
    ms: float


def measure(snapshot: Snapshot, breakers: int, runs: int) -> EngineTime:
    """Time `runs` estimates of one board."""
    draft = parse_board(of_breakers(breakers))
    board, origins = admit(draft, snapshot.rules, allow_mixed=False)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        estimate(board, snapshot, origins)
        times.append(time.perf_counter() - began)
    return EngineTime(breakers, statistics.median(times) * 1000)
