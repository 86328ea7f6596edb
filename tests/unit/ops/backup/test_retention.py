"""What is deleted is old, and never the last good one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops.backup.retention import Dated, expired

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def dated(name: str, days: float, *, is_good: bool = True) -> Dated:
    return Dated(name, NOW - timedelta(days=days), is_good)


@pytest.mark.parametrize(
    ("found", "gone"),
    [
        ([], []),
        ([dated("a", 29.9), dated("b", 0)], []),
        ([dated("a", 30), dated("b", 0)], []),
        ([dated("b", 0), dated("a", 30.1)], ["a"]),
        ([dated("b", 40), dated("a", 90), dated("c", 1)], ["a", "b"]),
        # the last good one stays, however old
        ([dated("a", 90)], []),
        ([dated("a", 90), dated("b", 60)], ["a"]),
        ([dated("a", 90), dated("b", 60, is_good=False)], ["b"]),
        ([dated("a", 90), dated("b", 1, is_good=False)], []),
        # none is good: the last of all
        ([dated("a", 90, is_good=False), dated("b", 60, is_good=False)], ["a"]),
        # of tomorrow, as a clock was wrong
        ([dated("a", -1), dated("b", 31)], ["b"]),
    ],
)
def test_table(found: list[Dated], gone: list[str]) -> None:
    assert expired(found, NOW, 30) == gone


KEPT = st.builds(
    dated, st.uuids().map(str), st.floats(-10, 400, allow_nan=False), is_good=st.booleans()
)


@given(st.lists(KEPT, unique_by=lambda each: each.name), st.integers(0, 100))
def test_rules(found: list[Dated], days: int) -> None:
    gone = set(expired(found, NOW, days))
    oldest = NOW - timedelta(days=days)
    stays = [each for each in found if each.name not in gone]
    assert all(each.at < oldest for each in found if each.name in gone)
    good = [each for each in found if each.is_good]
    if good:
        assert max(each.at for each in good) in {each.at for each in stays if each.is_good}
    assert bool(stays) is bool(found)
    # Nobody else that is old stays.
    assert len([each for each in stays if each.at < oldest]) <= 1
    # It is done once.
    assert expired(stays, NOW, days) == []
