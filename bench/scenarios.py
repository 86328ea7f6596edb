"""What is measured, and in which order.

Floor and service take turns, and the databases do, so that a slow minute of the
machine slows all of them.
"""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import batch, engine, floor, grown, parts, replay
from bench.batch import BatchFigures
from bench.databases import POSTGRESQL, Databases, Home, databases
from bench.engine import EngineTime
from bench.grown import GrownFigures
from bench.load import Order, Summary, run, summarise
from bench.parts import Part
from bench.plan import IN_ROUNDS, Plan
from bench.replay import ReplayTime
from bench.service import API_KEY, Service, running, takes_workers
from bench.tables import Phase, swap
from kis.knowledge.first import shipped_tables
from kis.knowledge.snapshot import Snapshot

CONNECTIONS = (64, 10, 1)
READ_CONNECTIONS = 64
READ_IDS = 500
WORKERS = 2
BREAKERS = (40, 400)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Load:
    """What a load got, and the µs of CPU that a request took of service and database server."""

    summary: Summary
    cpu_us: float
    database_cpu_us: float


@dataclass
class Round:
    """One turn of floor and service."""

    commits: float = 0.0
    batched_rows: float = 0.0
    bare: Summary | None = None
    creates: dict[int, Load] = field(default_factory=dict)
    by_workers: Load | None = None
    reads: Load | None = None
    batch: BatchFigures | None = None
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
class Measured:
    """What was measured on one kind of database; empty or None: not asked for."""

    source: Databases
    rounds: list[Round] = field(default_factory=list)
    restarts_s: list[float] = field(default_factory=list)
    big: BigTable | None = None
    grown: GrownFigures | None = None

    def median(self, of: Callable[[Round], float]) -> float:
        """Return the median of a figure over the rounds."""
        return statistics.median(of(each) for each in self.rounds)


@dataclass
class Results:
    """Everything that was measured; empty or None: not asked for."""

    databases: list[Measured]
    engine: list[EngineTime] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    replay: ReplayTime | None = None


def measure(folder: Path, plan: Plan, tell: Tell) -> Results:
    """Measure what `plan` asks for in `folder`, a round after the other."""
    with ExitStack() as stack:
        sources = [stack.enter_context(databases(kind, folder)) for kind in plan.kinds]
        results = Results([Measured(source) for source in sources])
        for number in range(plan.rounds if plan.only & IN_ROUNDS else 0):
            for each in results.databases:
                tell(f"{each.source.name}, round {number + 1} of {plan.rounds}")
                each.rounds.append(_round(each.source, plan, number, tell))
        for each in results.databases:
            _measure_once(each, plan, tell)
    if "engine" in plan.only:
        tell("the engine alone, and the parts of a create")
        snapshot = Snapshot(shipped_tables(), label="bench")
        results.engine = [engine.measure(snapshot, breakers, 200) for breakers in BREAKERS]
        results.parts = parts.measure(folder / "parts", plan.part_rounds)
        whole = parts.whole(folder / "whole", plan.part_rounds)
        results.parts.append(("everything but uvicorn, 64 at once", whole))
    if "replay" in plan.only:
        tell(f"a replay of {plan.replayed:,} stored estimates")
        results.replay = replay.measure(folder / "replay", plan.replayed)
        tell(f"  {results.replay.per_second:,.0f} boards/s")
    return results


def _measure_once(found: Measured, plan: Plan, tell: Tell) -> None:
    """Measure what is no part of the rounds."""
    source = found.source
    if "starts" in plan.only:
        tell(f"{source.name}: start to first answer, on a home that was used before")
        found.restarts_s = _restarts(source.home("starts"), plan.starts)
    if "tables" in plan.only:
        tell(f"{source.name}: 100,000 rows while estimates go on")
        found.big = _big_table(source.home("big"), plan, tell)
    if "grown" in plan.only:
        tell(f"{source.name}: creates where {plan.stored:,} estimates are stored")
        found.grown = grown.measure(source, plan.stored, plan.stored_rounds, plan.load_s)
        tell(f"  {found.grown.ratio:.2f} x the time on an empty database")


def _round(source: Databases, plan: Plan, number: int, tell: Tell) -> Round:
    found = Round()
    floor_home = source.home(f"floor-{number}")
    found.commits = floor.commits_per_second(floor_home, plan.floor_s)
    found.batched_rows = floor.batched_rows_per_second(floor_home, plan.floor_s)
    tell(f"  floor: {found.commits:,.0f} commits/s, {found.batched_rows:,.0f} rows/s in 64s")
    with floor.bare_server() as port:
        found.bare = summarise(
            run(Order(port=port, connections=64, key="", run="bare", seconds=plan.floor_s))
        )
    tell(f"  bare ASGI: {found.bare}")
    with running(source.home(f"home-{number}")) as service:
        found.first_start_s = service.first_answer_s
        found.memory_mb = service.memory_mb()
        for connections in CONNECTIONS if "creates" in plan.only else ():
            found.creates[connections] = _create(source, service, plan, connections)
            _tell_load(tell, f"create at {connections}", found.creates[connections])
        if "reads" in plan.only:
            found.reads = _read(source, service, plan)
            _tell_load(tell, f"read at {READ_CONNECTIONS}", found.reads)
        if "batch" in plan.only:
            found.batch = batch.measure(service, f"batch-{number}", plan.boards, plan.boards // 10)
            tell(f"  batch of {plan.boards:,}: {found.batch.per_second:,.0f} boards/s")
        found.memory_after_load_mb = service.memory_mb()
    # SQLite takes one server.
    if "workers" in plan.only and source.kind == POSTGRESQL and takes_workers():
        with running(source.home(f"workers-{number}"), WORKERS) as service:
            found.by_workers = _create(source, service, plan, CONNECTIONS[0])
        _tell_load(tell, f"create at {CONNECTIONS[0]}, {WORKERS} workers", found.by_workers)
    return found


def _tell_load(tell: Tell, what: str, load: Load) -> None:
    tell(f"  {what}: {load.summary}  CPU {load.cpu_us:.0f} + {load.database_cpu_us:.0f} us")


def _create(source: Databases, service: Service, plan: Plan, connections: int) -> Load:
    order = Order(
        port=service.port, connections=connections, key=API_KEY, run=f"create-{connections}",
        seconds=plan.load_s, warm_up=plan.warm_up_s,
    )  # fmt: skip
    return _load(source, service, order)


def _read(source: Databases, service: Service, plan: Plan) -> Load:
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
    return _load(source, service, order)


def _load(source: Databases, service: Service, order: Order) -> Load:
    before, database_before = service.cpu_s(), source.cpu_s()
    figures = run(order)
    used, by_database = service.cpu_s() - before, source.cpu_s() - database_before
    share = 1e6 / figures.answered
    return Load(summarise(figures), used * share, by_database * share)


def _restarts(home: Home, times: int) -> list[float]:
    found = []
    for _ in range(times + 1):
        with running(home) as service:
            found.append(service.first_answer_s)
    return found[1:]


def _big_table(home: Home, plan: Plan, tell: Tell) -> BigTable:
    with running(home) as service:
        phases = swap(service, plan.quiet_s)
        memory, peak = service.memory_mb(), service.memory_mb("VmHWM")
    for phase in phases:
        tell(f"  {phase.name}: {phase.seconds:.2f} s; estimates {phase.estimates}")
    with running(home) as service:
        return BigTable(phases, memory, peak, service.memory_mb(), service.first_answer_s)
