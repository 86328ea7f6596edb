"""When a number of requests is unusual."""

from collections.abc import Sequence

import pytest

from kis.ops.report_volume import judge

WEEK = (400, 410, 390, 405, 400, 20, 10)


@pytest.mark.parametrize(
    ("requests", "before", "verdict"),
    [
        (400, WEEK, "usual"),
        (820, WEEK, "usual"),  # twice the busiest is not more than twice
        (821, WEEK, "more"),
        (5, WEEK, "usual"),  # a quiet Sunday, as the last one
        (0, (300,) * 7, "less"),
        (150, (300,) * 7, "usual"),
        (149, (300,) * 7, "less"),
        (99, (0,) * 7, "usual"),  # little is no alarm, however many times as much
        (100, (0,) * 7, "more"),
        (0, (99,) * 7, "usual"),
        (5_000, (1, 1), "unknown"),
        (5_000, (), "unknown"),
        (5_000, (1, 1, 1), "more"),
    ],
)
def test_judges_by_the_rule(requests: int, before: Sequence[int], verdict: str) -> None:
    assert judge(requests, before) == verdict
