"""A server killed again and again while it writes, and moments of its journal looked into."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kis.ops.backup.trouble import Unsound
from kis.ops.journal.folder import chains
from kis.ops.journal.rebuilding import rebuild, spans
from tests.power.cuts import DATABASE, JOURNAL, Run
from tests.power.load import Acknowledged, by, committed_in, load, sent_after
from tests.services import Server

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
UNMARKED_NS = 1_000_000_000
"""Of the last commits before a kill the journal knows that they were, but not when."""


@dataclass
class Moments:
    """Moments that were rebuilt. `wrong`: something else than what was committed by then."""

    rebuilt: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Moments") -> None:
        """Count what another found as well."""
        self.rebuilt += other.rebuilt
        self.refused += other.refused
        self.wrong += other.wrong


@dataclass
class Kills:
    """What was done and found. `lost`: acknowledged and not in the database."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    chains: int = 0
    moments: Moments = field(default_factory=Moments)


def kill(home: Path, kills: int, points: int, seed: int) -> Kills:
    """Kill a server on `home` so many times while it writes; look into so many moments."""
    chance = random.Random(seed)  # noqa: S311 - so that a failure can be repeated
    found: list[Acknowledged] = []
    killed_ns: list[int] = []
    for number in range(kills):
        server = Server(home, {"RATE_LIMIT_PER_MINUTE": "0"})
        enough = chance.randrange(1, 100)
        # The first lives until there is a base.
        found += load(
            server.url,
            lambda count, enough=enough, number=number: (  # type: ignore[misc]
                count >= enough and (number > 0 or bool(spans(home / JOURNAL)))
            ),
            before_end=server.kill,
        )
        killed_ns.append(found[-1].answered_ns if found else 0)
    server = Server(home, {})
    assert server.stop() == 0
    order = committed_in(home / DATABASE)
    lost = {each.number for each in found} - set(order)
    moments = look_into(
        home / JOURNAL, _points(home, killed_ns, points, chance), found, order, killed_ns
    )
    return Kills(kills, len(found), len(lost), len(chains(home / JOURNAL)), moments)


def moment_of(at_ns: int) -> datetime:
    """Return a moment as people write it."""
    return BEGINNING + timedelta(microseconds=at_ns // 1000)


def points_in_time(run: Run, count: int, seed: int) -> Moments:
    """Rebuild so many moments of a server that was under load, by chance."""
    chance = random.Random(seed)  # noqa: S311 - so that a failure can be repeated
    (span,) = spans(run.home / JOURNAL)
    points = [span.first + chance.random() * (span.last - span.first) for _ in range(count)]
    return look_into(run.home / JOURNAL, points, run.found, run.order)


def _points(
    home: Path, killed_ns: Sequence[int], count: int, chance: random.Random
) -> list[datetime]:
    """Return moments: half by chance, half about the kills, and the last of each chain."""
    known = spans(home / JOURNAL)
    points = [span.last for span in known]
    while len(points) < len(known) + count:
        span = chance.choice(known)
        points.append(span.first + chance.random() * (span.last - span.first))
        near_ns = chance.choice(killed_ns) + chance.randrange(-2_000_000_000, 2_000_000_000)
        points.append(moment_of(near_ns))
    return points


def look_into(
    journal: Path, points: Iterable[datetime], found: Sequence[Acknowledged],
    order: Sequence[str], killed_ns: Sequence[int] = (),
) -> Moments:  # fmt: skip
    """Rebuild each of `points` and compare with what was acknowledged and asked for by then."""
    outcome = Moments()
    target = journal.parent / "rebuilt.db"
    for point in points:
        target.unlink(missing_ok=True)
        try:
            rebuild(journal, point, target)
        except Unsound:
            outcome.refused += 1
            continue
        outcome.rebuilt += 1
        held = committed_in(target)
        at_ns = (point - BEGINNING) // timedelta(microseconds=1) * 1000
        # Asked to the microsecond.
        is_exact = not any(each - UNMARKED_NS < at_ns < each + UNMARKED_NS for each in killed_ns)
        if held != order[: len(held)]:
            outcome.wrong.append(f"{point}: never committed so")
        elif set(held) & sent_after(found, at_ns + 1_000):
            outcome.wrong.append(f"{point}: too late")
        elif is_exact and by(found, at_ns) - set(held):
            outcome.wrong.append(f"{point}: too early")
    target.unlink(missing_ok=True)
    return outcome
