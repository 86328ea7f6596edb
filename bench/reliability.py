"""python -m bench.reliability: power cuts, kills, moments, a full disk; docs/reliability.md.

The drills are those of the tests (tests/power), with more of each. `--quick` writes nothing.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.databases import Home
from bench.load import Order, run, summarise
from bench.service import API_KEY, Service
from kis import clock
from tests.power import cuts, kills
from tests.power.cuts import Outcome
from tests.power.kills import Kills, Moments

WORDS = Path(__file__).with_name("reliability_words.md")
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
FULL_DISK = "tests/integration/test_full_disk.py"


class Plan(NamedTuple):
    """How much of each."""

    runs: int
    estimates: int
    cuts: int
    kills: int
    moments: int
    pairs: int


FULL = Plan(runs=4, estimates=2_000, cuts=100, kills=50, moments=100, pairs=30)
QUICK = Plan(runs=1, estimates=600, cuts=20, kills=3, moments=6, pairs=3)
LOAD_S = 1.5
POINTS = 20


class Unprotected(Home):
    """A home without a journal."""

    @property
    def environ(self) -> dict[str, str]:
        """The variables that the service is started with."""
        return {**super().environ, "JOURNAL_DAYS": "0"}


class Cost(NamedTuple):
    """What the journal costs at 64 connections: medians of pairs, with it to without it."""

    per_second: float
    quartiles: tuple[float, float]
    cpu: float


class Found(NamedTuple):
    """All that was found."""

    cuts: Outcome
    lies: Outcome
    points: Moments
    kills: Kills
    full_disk: str
    cost: Cost


def main() -> None:
    """Drill in a folder that is removed again."""
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    plan = QUICK if parser.parse_args().quick else FULL
    watch = machine.Watch()
    with tempfile.TemporaryDirectory(prefix="kis-reliability-") as scratch:
        found = drill(plan, Path(scratch))
    text = render(plan, found, watch.others_percent())
    tell(text)
    if plan is FULL:
        PAGE.write_text(text, encoding="utf-8")


def drill(plan: Plan, scratch: Path) -> Found:
    """Do all of it."""
    total, lies, points = Outcome(), Outcome(), Moments()
    for number in range(plan.runs):
        folder = scratch / f"run-{number}"
        folder.mkdir()
        recorded = cuts.record(folder, plan.estimates)
        total.add(cuts.cut(recorded, plan.cuts, number, folder))
        lies.add(cuts.cut(recorded, 5, number, folder, lies=True))
        points.add(kills.points_in_time(recorded, POINTS, number))
        tell(f"power cuts: {total}; points in time: {points}")
    killed = kills.kill(scratch / "killed", plan.kills, plan.moments, 1)
    tell(f"kills: {killed}")
    full_disk = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FULL_DISK],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1],
    ).stdout.strip().splitlines()[-1]  # fmt: skip
    tell(f"full disk: {full_disk}")
    disk = full_disk.partition(" in ")[0]
    return Found(total, lies, points, killed, disk, cost(plan.pairs, scratch))


def cost(pairs: int, scratch: Path) -> Cost:
    """Load a server without and one with a journal in turn, and compare each pair."""
    services = [Service(kind(scratch / kind.__name__, None), 1) for kind in (Unprotected, Home)]
    try:
        loaded = [[_load(service, n) for service in services] for n in range(-1, pairs)][1:]
    finally:
        for service in services:
            service.stop()
    rates = [protected[0] / bare[0] for bare, protected in loaded]
    first, _, third = statistics.quantiles(rates, n=4)
    cpu = statistics.median(protected[1] / bare[1] for bare, protected in loaded)
    return Cost(statistics.median(rates), (first, third), cpu)


def _load(service: Service, number: int) -> tuple[float, float]:
    """Return estimates a second, and the CPU seconds of one."""
    before = service.cpu_s()
    figures = run(
        Order(port=service.port, connections=64, key=API_KEY, run=f"pair-{number}", seconds=LOAD_S)
    )
    return summarise(figures).per_second, (service.cpu_s() - before) / figures.answered


def render(plan: Plan, found: Found, others_percent: float) -> str:
    """Return the page."""
    return WORDS.read_text(encoding="utf-8").format(
        plan=plan, cuts=found.cuts, lies=found.lies, kills=found.kills, points=found.points,
        wrong=len(found.points.wrong) + len(found.kills.moments.wrong), disk=found.full_disk,
        cost=found.cost, low=found.cost.quartiles[0], high=found.cost.quartiles[1],
        machine=machine.describe(), others=others_percent, day=clock.now().date(),
        rebuilt=found.points.rebuilt + found.kills.moments.rebuilt,
    )  # fmt: skip


def tell(line: str) -> None:
    """Show how far it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
