"""The rule: from what was seen, and what is known of it, to who has to be told now.

Pure. An incident begins with the first bad look at one thing, and is told at once
(level 1). While the service does not serve, the administrator is called after 15
minutes (level 2), developers and management after 30 (level 3). It ends with the
second good look in a row, so that what flaps is one incident and not twenty; that
it ended is told too. Each of these is told once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from kis.ops.watch.observations import Observation, State

CLEAR_AFTER = 2
"""Good looks in a row."""

EARLY = timedelta(seconds=30)
"""A timer of five minutes that is a moment early must not cost five minutes."""

AFTER = {2: timedelta(minutes=15) - EARLY, 3: timedelta(minutes=30) - EARLY}
"""How long the service is down at each level above the first."""

MAX_CHARACTERS = 300
"""Of the words of a notice, which is kept until it is sent."""

SERVICE = "api"
"""The check that a restart may mend."""


class Kind(StrEnum):
    """What a notice tells."""

    OPENED = "opened"
    ESCALATED = "escalated"
    CLEARED = "cleared"
    TEST = "test"


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Trouble that goes on; `level` is the highest that was told."""

    number: int
    check: str
    state: State
    since: datetime
    level: int = 1
    good: int = 0
    """Good looks in a row, so far."""
    restarts: int = 0
    """How often the service was restarted because of it."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has to be told: the incident as it was at that moment, in words."""

    number: int
    check: str
    kind: Kind
    state: State
    level: int
    since: datetime
    at: datetime
    ko: str
    en: str
    restarts: int = 0
    restart: str = ""
    """What came of the restart command, if one was run."""

    @property
    def incident(self) -> str:
        """Return the name of the incident, which no other one has."""
        return f"{self.check}-{self.since:%Y%m%dT%H%M%SZ}-{self.number}"

    @property
    def id(self) -> str:
        """Return the name of the notice: sent twice, it has the same one."""
        return f"{self.incident}-{self.kind}-{self.level}"


class Judged(NamedTuple):
    """What goes on from now, and what has to be told."""

    incidents: list[Incident]
    notices: list[Notice]
    number: int
    """Of the next incident."""


def judge(
    known: Sequence[Incident], seen: Sequence[Observation], now: datetime, number: int
) -> Judged:
    """Return what follows from `seen`; incidents that begin are numbered from `number` on."""
    looks = {each.check: each for each in seen}
    by_check = {each.check: each for each in known}
    incidents: list[Incident] = []
    notices: list[Notice] = []
    for check in dict.fromkeys([*by_check, *looks]):
        before = by_check.get(check)
        look = looks.get(check) or _no_longer(check)
        if before is None and _is_bad(look):
            before = Incident(number=number, check=check, state=look.state, since=now, level=0)
            number += 1
        if before is None:
            continue
        after = _follow(before, look, now)
        if after is None:
            notices.append(_notice(Kind.CLEARED, before, look, now))
            continue
        incidents.append(after)
        if after.level > before.level:
            kind = Kind.ESCALATED if before.level else Kind.OPENED
            notices.append(_notice(kind, after, look, now))
    return Judged(incidents, notices, number)


def is_restart_due(incidents: Sequence[Incident]) -> bool:
    """Whether the service is down, and no person was called yet.

    From then on somebody is at work on it, under whose hands nothing should restart.
    """
    return any(each.check == SERVICE and not each.good and each.level == 1 for each in incidents)


def _is_bad(look: Observation) -> bool:
    return look.state in {State.WARNING, State.CRITICAL}


def _no_longer(check: str) -> Observation:
    return Observation(check, State.OK, "더 이상 살피지 않습니다", "no longer looked at")


def _follow(incident: Incident, look: Observation, now: datetime) -> Incident | None:
    """Return the incident after one more look; None where it has ended."""
    # A clock that was set back must not put the calls off.
    since = min(incident.since, now)
    if look.state == State.UNKNOWN:
        return incident
    if not _is_bad(look):
        good = incident.good + 1
        return None if good >= CLEAR_AFTER else msgspec.structs.replace(incident, good=good)
    due = max(incident.level, 1)
    if look.state == State.CRITICAL and incident.level:
        due = max([due, *(level for level, after in AFTER.items() if now - since >= after)])
    return msgspec.structs.replace(incident, state=look.state, since=since, level=due, good=0)


def _notice(kind: Kind, incident: Incident, look: Observation, now: datetime) -> Notice:
    return Notice(
        number=incident.number, check=incident.check, kind=kind, state=incident.state,
        level=incident.level, since=incident.since, at=now,
        ko=look.ko[:MAX_CHARACTERS], en=look.en[:MAX_CHARACTERS],
        restarts=incident.restarts,
    )  # fmt: skip
