"""What is an unusual number of requests, by a rule that is told with it. Pure.

A day is unusual when it has more than twice the requests of the busiest of the days
before, or less than half of those of the quietest, and the difference is at least a
hundred. Busiest and quietest, not an average: a Monday is no alarm, nor is a Sunday.
"""

from collections.abc import Sequence
from typing import Literal

from kis.errors import Text

LEAST_DAYS = 3
"""Days before that have to be known."""

LEAST_DIFFERENCE = 100
TIMES = 2

Verdict = Literal["usual", "more", "less", "unknown"]

RULE = Text(
    f"앞 7일 중 가장 많은 날의 {TIMES}배를 넘거나 가장 적은 날의 1/{TIMES}에 못 미치고,"
    f" 차이가 {LEAST_DIFFERENCE}건 이상이면 이례적",
    f"unusual: more than {TIMES} times the busiest of the 7 days before, or less than"
    f" 1/{TIMES} of the quietest, by at least {LEAST_DIFFERENCE} requests",
)


def judge(requests: int, before: Sequence[int]) -> Verdict:
    """Return what to think of a day with so many `requests`, given the days `before`."""
    if len(before) < LEAST_DAYS:
        return "unknown"
    busiest, quietest = max(before), min(before)
    if requests > TIMES * busiest and requests - busiest >= LEAST_DIFFERENCE:
        return "more"
    if requests * TIMES < quietest and quietest - requests >= LEAST_DIFFERENCE:
        return "less"
    return "usual"
