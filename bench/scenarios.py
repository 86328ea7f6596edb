"""What is measured, and in which order.

Floor and service take turns, so that a slow minute of the machine slows both.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench import batch, engine, floor, parts, replay
from bench.batch import BatchFigures
from bench.load import Order, Summary, run, summarise
from bench.service import API_KEY, Service, running
from bench.tables import Phase, swap
from kis.knowledge.first import shipped_tables
from kis.knowledge.snapshot import Snapshot

CONNECTIONS = (64, 10, 1)
READ_CONNECTIONS = 64
READ_IDS = 500
BREAKERS = (40, 400)


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


FULL = Plan(5, 5.0, 1.5, 1.0, 5, 5.0, 6_000, 40_000, 1_000_000)
QUICK = Plan(1, 3.0, 1.0, 0.5, 3, 2.0, 1_500, 10_000, 50_000)


@dataclass
class Round:
    """One turn of floor and service."""

    commits: float = 0.0
    batched_rows: float = 0.0
    bare: Summary | None = None
    creates: dict[int, Summary] = field(default_factory=dict)
    cpu_us: dict[int, float] = field(default_factory=dict)
    reads: Summary | None = None
    batch: BatchFigures = field(default_factory=BatchFigures)
    first_start_s: float = 0.0
    memory_mb: float = 0.0
    memory_after_load_mb: float = 0.0


@dataclass
class BigTable:
    """The service with 100,000 rows."""

    phases: list[Phase]
    memory_mb: float
    peak_mb: float
    restarted_mb: float
    restart_s: float


@dataclass
class Results:
    """Everything that was measured."""

    rounds: list[Round]
    restarts_s: list[float]
    big: BigTable
    engine: list[engine.EngineTime]
    parts: list[parts.Part]
    replay: replay.ReplayTime

    def median(self, of: Callable[[Round], float]) -> float:
        """Return the median of a figure over the rounds."""
        return statistics.median(of(each) for each in self.rounds)


def measure(folder: Path, plan: Plan, tell: Callable[[str], None]) -> Results:
    """Measure everything in `folder`, a round after the other."""
    rounds = []
    for number in range(plan.rounds):
        tell(f"round {number + 1} of {plan.rounds}")
        rounds.append(_round(folder, plan, number, tell))
    tell("start to first answer, on a home that was used before")
    restarts = _restarts(folder / "home-0", plan.starts)
    tell("100,000 rows while estimates go on")
    big = _big_table(folder / "big", plan, tell)
    tell("the engine alone, and the parts of a create")
    snapshot = Snapshot(shipped_tables(), label="bench")
    times = [engine.measure(snapshot, breakers, 200) for breakers in BREAKERS]
    costs = parts.measure(folder / "parts", plan.part_rounds)
    whole = parts.whole(folder / "whole", plan.part_rounds)
    costs.append(("everything but uvicorn, 64 at once", whole))
    tell(f"a replay of {plan.replayed:,} stored estimates")
    replayed = replay.measure(folder / "replay", plan.replayed)
    tell(f"  {replayed.per_second:,.0f} boards/s")
    return Results(rounds, restarts, big, times, costs, replayed)


def _round(folder: Path, plan: Plan, number: int, tell: Callable[[str], None]) -> Round:
    found = Round()
    found.commits = floor.commits_per_second(folder, plan.floor_s)
    found.batched_rows = floor.batched_rows_per_second(folder, plan.floor_s)
    tell(f"  floor: {found.commits:,.0f} commits/s, {found.batched_rows:,.0f} rows/s in 64s")
    with floor.bare_server() as port:
        found.bare = summarise(
            run(Order(port=port, connections=64, key="", run="bare", seconds=plan.floor_s))
        )
    tell(f"  bare ASGI: {found.bare}")
    with running(folder / f"home-{number}") as service:
        found.first_start_s = service.first_answer_s
        found.memory_mb = service.memory_mb()
        for connections in CONNECTIONS:
            _create(service, plan, connections, found)
            tell(f"  create at {connections}: {found.creates[connections]}")
        found.reads = _read(service, plan)
        tell(f"  read at {READ_CONNECTIONS}: {found.reads}")
        found.batch = batch.measure(service, f"batch-{number}", plan.boards, plan.boards // 10)
        tell(f"  batch of {plan.boards:,}: {found.batch.per_second:,.0f} boards/s")
        found.memory_after_load_mb = service.memory_mb()
    return found


def _create(service: Service, plan: Plan, connections: int, found: Round) -> None:
    order = Order(
        port=service.port, connections=connections, key=API_KEY, run=f"create-{connections}",
        seconds=plan.load_s, warm_up=plan.warm_up_s,
    )  # fmt: skip
    before = service.cpu_s()
    figures = run(order)
    found.creates[connections] = summarise(figures)
    found.cpu_us[connections] = (service.cpu_s() - before) * 1e6 / figures.answered


def _read(service: Service, plan: Plan) -> Summary:
    made = run(
        Order(
            port=service.port, connections=8, key=API_KEY, run="read", count=READ_IDS,
            keep_ids=True,
        )
    )  # fmt: skip
    order = Order(
        port=service.port, connections=READ_CONNECTIONS, key=API_KEY, run="",
        seconds=plan.load_s, warm_up=plan.warm_up_s,
        targets=[f"/v1/estimate/{estimate_id}" for estimate_id in made.ids],
    )  # fmt: skip
    return summarise(run(order))


def _restarts(home: Path, times: int) -> list[float]:
    found = []
    for _ in range(times):
        with running(home) as service:
            found.append(service.first_answer_s)
    return found


def _big_table(home: Path, plan: Plan, tell: Callable[[str], None]) -> BigTable:
    with running(home) as service:
        phases = swap(service, plan.quiet_s)
        memory, peak = service.memory_mb(), service.memory_mb("VmHWM")
    for phase in phases:
        tell(f"  {phase.name}: {phase.seconds:.2f} s; estimates {phase.estimates}")
    with running(home) as service:
        return BigTable(phases, memory, peak, service.memory_mb(), service.first_answer_s)
