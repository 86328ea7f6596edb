"""The rule: a table of cases, and what holds of every course of events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops.watch.incidents import (
    AFTER,
    CLEAR_AFTER,
    MAX_CHARACTERS,
    Incident,
    Judged,
    Kind,
    Notice,
    is_restart_due,
    judge,
)
from kis.ops.watch.observations import Observation, State

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STATES = {"+": State.OK, "!": State.CRITICAL, "w": State.WARNING, "?": State.UNKNOWN}


def course(looks: Sequence[tuple[float, str]], check: str = "api") -> list[tuple[float, str, int]]:
    """Return what is told, and when, of looks at (minutes, state); kept as JSON in between."""
    known: list[Incident] = []
    number, told = 1, []
    for minutes, state in looks:
        now = NOON + timedelta(minutes=minutes)
        judged = judge(known, [Observation(check, STATES[state], "", "")], now, number)
        known = msgspec.json.decode(msgspec.json.encode(judged.incidents), type=list[Incident])
        number = judged.number
        told += [(minutes, str(each.kind), each.level) for each in judged.notices]
    return told


def every_five(states: str) -> list[tuple[float, str]]:
    return [(5.0 * n, state) for n, state in enumerate(states)]


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        (every_five("++++"), []),
        (every_five("????"), []),
        # the matrix: at once, after 15 minutes, after 30, and no more
        (
            every_five("!!!!!!!!!!"),
            [(0, "opened", 1), (15, "escalated", 2), (30, "escalated", 3)],
        ),
        # a timer that is a little early, or a little late
        (
            [(0, "!"), (14.4, "!"), (14.6, "!"), (29.4, "!"), (29.6, "!")],
            [(0, "opened", 1), (14.6, "escalated", 2), (29.6, "escalated", 3)],
        ),
        (
            [(0, "!"), (19, "!"), (34, "!")],
            [(0, "opened", 1), (19, "escalated", 2), (34, "escalated", 3)],
        ),
        # nobody looked for a while: one call for all, the highest
        ([(0, "!"), (45, "!")], [(0, "opened", 1), (45, "escalated", 3)]),
        # it ends with the second good look
        (every_five("!++"), [(0, "opened", 1), (10, "cleared", 1)]),
        (every_five("!!!!++"), [(0, "opened", 1), (15, "escalated", 2), (25, "cleared", 2)]),
        # flapping is one incident, and calls as long as it goes on
        (
            every_five("!+!+!+!++"),
            [(0, "opened", 1), (20, "escalated", 2), (30, "escalated", 3), (40, "cleared", 3)],
        ),
        (
            every_five("!++!++"),
            [(0, "opened", 1), (10, "cleared", 1), (15, "opened", 1), (25, "cleared", 1)],
        ),
        # what is not known neither ends it nor counts
        (every_five("!?+?+"), [(0, "opened", 1), (20, "cleared", 1)]),
        # only a service that is down escalates
        (every_five("wwwwwwwww++"), [(0, "opened", 1), (50, "cleared", 1)]),
        # a clock that is set back puts nothing off for ever
        ([(600, "!"), (0, "!"), (15, "!")], [(600, "opened", 1), (15, "escalated", 2)]),
    ],
)  # fmt: skip
def test_course(looks: list[tuple[float, str]], told: list[tuple[float, str, int]]) -> None:
    assert course(looks) == told


def test_what_is_no_longer_looked_at_ends() -> None:
    known = [Incident(number=1, check="journal", state=State.WARNING, since=NOON)]
    judged = judge(known, [], NOON, 2)
    assert [each.good for each in judged.incidents] == [1]
    assert [each.kind for each in judge(judged.incidents, [], NOON, 2).notices] == [Kind.CLEARED]


def test_things_have_incidents_of_their_own() -> None:
    seen = [Observation(check, State.WARNING, "", "") for check in ("disk", "backup")]
    judged = judge([], seen, NOON, 7)
    assert [(each.check, each.number) for each in judged.incidents] == [("disk", 7), ("backup", 8)]
    assert judged.number == 9


def test_words_of_a_notice_are_bounded() -> None:
    seen = [Observation("api", State.CRITICAL, "가" * 1_000, "a" * 1_000)]
    (notice,) = judge([], seen, NOON, 1).notices
    assert (len(notice.ko), len(notice.en)) == (MAX_CHARACTERS, MAX_CHARACTERS)


@pytest.mark.parametrize(
    ("incident", "is_due"),
    [
        ({"check": "api"}, True),
        ({"check": "api", "restarts": 2}, True),
        ({"check": "api", "good": 1}, False),
        ({"check": "api", "level": 2}, False),
        ({"check": "disk"}, False),
    ],
)
def test_restart(incident: dict[str, object], is_due: bool) -> None:
    given_fields = {"number": 1, "state": State.CRITICAL, "since": NOON, **incident}
    assert is_restart_due([msgspec.convert(given_fields, Incident)]) is is_due
    assert not is_restart_due([])


# --- whatever happens -----------------------------------------------------------------------

looks = st.lists(
    st.tuples(
        st.integers(-1_200, 3_600),  # seconds since the look before; a clock may be set back
        st.dictionaries(st.sampled_from(["api", "disk"]), st.sampled_from(list(State))),
    ),
    max_size=40,
)


def follow(steps: list[tuple[int, dict[str, State]]]) -> list[tuple[datetime, Judged]]:
    known: list[Incident] = []
    now, number, rounds = NOON, 1, []
    for seconds, states in steps:
        now += timedelta(seconds=seconds)
        seen = [Observation(check, state, "", "") for check, state in states.items()]
        judged = judge(known, seen, now, number)
        known, number = judged.incidents, judged.number
        rounds.append((now, judged))
    return rounds


@given(looks)
def test_nothing_is_told_twice(steps: list[tuple[int, dict[str, State]]]) -> None:
    notices = [notice for _, judged in follow(steps) for notice in judged.notices]
    told = [(each.number, each.kind, each.level) for each in notices]
    assert len(set(told)) == len(told)


@given(looks)
def test_each_incident_is_opened_once_and_cleared_once(
    steps: list[tuple[int, dict[str, State]]],
) -> None:
    rounds = follow(steps)
    by_number: dict[int, list[Notice]] = {}
    for _, judged in rounds:
        for notice in judged.notices:
            by_number.setdefault(notice.number, []).append(notice)
    going_on = {each.number for each in rounds[-1][1].incidents} if rounds else set()
    for number, notices in by_number.items():
        kinds = [each.kind for each in notices]
        assert kinds[0] == Kind.OPENED
        assert kinds.count(Kind.OPENED) == 1
        assert kinds.count(Kind.CLEARED) == (number not in going_on)
        assert Kind.CLEARED not in kinds[:-1]
        levels = [each.level for each in notices if each.kind != Kind.CLEARED]
        assert levels == sorted(set(levels))
        assert notices[-1].level == levels[-1]


@given(looks)
def test_nobody_is_called_early(steps: list[tuple[int, dict[str, State]]]) -> None:
    for now, judged in follow(steps):
        for notice in judged.notices:
            if notice.kind == Kind.ESCALATED:
                assert notice.state == State.CRITICAL
                assert now - notice.since >= AFTER[notice.level]


@given(looks)
def test_an_incident_has_been_bad_of_late(steps: list[tuple[int, dict[str, State]]]) -> None:
    for _, judged in follow(steps):
        assert all(each.good < CLEAR_AFTER for each in judged.incidents)
        checks = [each.check for each in judged.incidents]
        assert len(set(checks)) == len(checks)
