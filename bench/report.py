"""bench/RESULTS.md: the figures beside what was asked for, and whether they reach it."""

import statistics
from typing import NamedTuple

from bench import machine
from bench.databases import POSTGRESQL, SQLITE
from bench.load import Summary
from bench.plan import Plan
from bench.scenarios import CONNECTIONS, READ_CONNECTIONS, WORKERS, Load, Measured, Results
from bench.tables import CONNECTIONS as SWAP_CONNECTIONS
from bench.tables import Phase
from kis import clock

QUIET = "quiet"
MUCH_PERCENT = 5
A_MILLION, REPLAY_S, BOARDS_REPLAYED = 1_000_000, 30, 33_000
ENGINE_MS = {40: 1, 400: 20}
"""What an estimate may take in the engine, by the number of breakers."""


class Target(NamedTuple):
    """What is asked for on a kind of database; rates a second, times in ms."""

    p99_at_64: float
    at_1: float
    reads: float
    batch: float | None
    at_64: float = 3_000
    p99_at_10: float = 25


TARGETS = {
    SQLITE: Target(p99_at_64=50, at_1=500, reads=4_000, batch=8_000),
    POSTGRESQL: Target(p99_at_64=60, at_1=400, reads=3_000, batch=None),
}
BY_WORKERS = 1.3
"""How many times the creates of one worker two workers are to reach, on PostgreSQL."""

DISTURBED = 2
"""How many times the quiet p99 an estimate may take while a table is imported and activated."""

GROWN = 1.2
"""How many times as long a create may take where a million estimates are stored."""

HEADING = """# What the service does in a second

Written by `make bench` (`python -m bench`); do not edit. The load generator is a
process of its own on the same machine, as is the PostgreSQL server: closed loop over
loopback, HTTP/1.1 keep-alive, a distinct Idempotency-Key for each request, thirteen
kinds of board in turn (2 to 41 breakers, with and without accessories), every answer
checked for its status. The service runs as `kis-backend serve` with its default
settings, but without a rate limit. Every create is on the disk (SQLite
`synchronous=FULL`; PostgreSQL `fsync=on`, `synchronous_commit=on`) before it is
answered. Floor and service take turns, and so do the databases; a figure is the
median of the rounds. The first second on new connections is not counted: uvicorn
takes in one connection a turn.
"""


class Line(NamedTuple):
    """A figure with its target; `reaches` is None where none was asked for."""

    what: str
    figure: str
    target: str = ""
    reaches: bool | None = None


def render(results: Results, plan: Plan, others_percent: float) -> str:
    """Return the report of what was measured."""
    by_database = [(each, _lines_of(each, plan)) for each in results.databases]
    common = [*_engine(results), *_replay(results)]
    short = [
        f"{name}{line.what}"
        for name, lines in [(f"{m.source.name}: ", ls) for m, ls in by_database] + [("", common)]
        for line in lines
        if line.reaches is False
    ]
    verdict = "All targets are met." if not short else "Falls short: " + "; ".join(short) + "."
    text = [HEADING, _machine(plan, others_percent), "## Targets", "", verdict, ""]
    for found, lines in by_database:
        text += [f"### {found.source.name}", "", *_table(_asked(lines)), ""]
    text += ["### Engine and replay", "", *_table(_asked(common)), "", "## All figures", ""]
    for found, lines in by_database:
        text += [f"### {found.source.name}, all figures", "", *_latencies(found), ""]
        text += [*_table(_others(lines)), "", *_phases(found)]
    text += ["### Replay", "", *_table(_others(common)), ""]
    return "\n".join([*text, "## What one create costs", "", *_parts(results), ""])


def _asked(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.reaches is not None]


def _others(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.reaches is None]


def _lines_of(found: Measured, plan: Plan) -> list[Line]:
    target = TARGETS[found.source.kind]
    return [
        *(_floor(found) if found.rounds else ()),
        *(_creates(found, target) if "creates" in plan.only else ()),
        *(_by_workers(found) if "workers" in plan.only else ()),
        *(_reads(found, target) if "reads" in plan.only else ()),
        *(_batch(found, target, plan) if "batch" in plan.only else ()),
        *(_starts(found) if found.restarts_s else ()),
        *_big_table(found),
        *_grown(found),
    ]


def _machine(plan: Plan, others_percent: float) -> str:
    busy = " Too much for a fair measurement." if others_percent > MUCH_PERCENT else ""
    return (
        f"Machine: {machine.describe()}. Other programs took {others_percent:.0f} % of it"
        f" meanwhile.{busy} {plan.rounds} rounds, {clock.now():%Y-%m-%d}.\n"
    )


def _floor(found: Measured) -> list[Line]:
    bare = found.median(lambda r: r.bare.per_second if r.bare else 0.0)
    return [
        Line("raw single-row durable commits/s", f"{found.median(lambda r: r.commits):,.0f}"),
        Line(
            "raw durable rows/s, 64 in a transaction",
            f"{found.median(lambda r: r.batched_rows):,.0f}",
        ),
        Line("bare ASGI answers/s (uvicorn, no work), 64 connections", f"{bare:,.0f}"),
        Line("memory (RSS) when started", f"{found.median(lambda r: r.memory_mb):.0f} MB"),
        Line(
            "memory (RSS) after the load",
            f"{found.median(lambda r: r.memory_after_load_mb):.0f} MB",
        ),
    ]


def _creates(found: Measured, target: Target) -> list[Line]:
    def rate(connections: int) -> float:
        return found.median(lambda r: r.creates[connections].summary.per_second)

    def p99(connections: int) -> float:
        return found.median(lambda r: r.creates[connections].summary.p99_ms)

    def ratio(connections: int) -> str:
        per_commit = found.median(lambda r: r.creates[connections].summary.per_second / r.commits)
        return f"{per_commit:.2f}"

    failures = sum(load.summary.failures for r in found.rounds for load in r.creates.values())
    return [
        _more("durable creates/s, 64 connections", rate(64), target.at_64),
        _less("p99 of a create, 64 connections", p99(64), target.p99_at_64, "ms"),
        _less("p99 of a create, 10 connections", p99(10), target.p99_at_10, "ms"),
        _more("durable creates/s, 1 connection", rate(1), target.at_1),
        _none("failed creates", failures),
        Line("creates at 64 : raw single-row commits", ratio(64)),
        Line("creates at 1 : raw single-row commits", ratio(1)),
    ]


def _by_workers(found: Measured) -> list[Line]:
    loads = [r.by_workers for r in found.rounds if r.by_workers]
    if not loads:
        return []
    rate = statistics.median(load.summary.per_second for load in loads)
    p99 = statistics.median(load.summary.p99_ms for load in loads)
    lines = [
        Line(f"durable creates/s, 64 connections, {WORKERS} workers", f"{rate:,.0f}"),
        Line(f"p99 of a create, 64 connections, {WORKERS} workers", f"{p99:.1f} ms"),
        _none(f"failed creates, {WORKERS} workers", sum(load.summary.failures for load in loads)),
    ]
    if found.rounds[0].creates:
        ratio = rate / found.median(lambda r: r.creates[64].summary.per_second)
        what = f"creates of {WORKERS} workers : of one"
        lines.append(Line(what, f"{ratio:.2f}", f">= {BY_WORKERS}", ratio >= BY_WORKERS))
    return lines


def _reads(found: Measured, target: Target) -> list[Line]:
    loads = [r.reads for r in found.rounds if r.reads]
    rate = statistics.median(load.summary.per_second for load in loads)
    return [
        _more(f"reads of one estimate/s, {READ_CONNECTIONS} connections", rate, target.reads),
        _none("failed reads", sum(load.summary.failures for load in loads)),
    ]


def _batch(found: Measured, target: Target, plan: Plan) -> list[Line]:
    batches = [(r.batch, r.batched_rows) for r in found.rounds if r.batch]
    rate = statistics.median(batch.per_second for batch, _ in batches)
    ratio = statistics.median(batch.per_second / rows for batch, rows in batches)
    cpu = statistics.median(batch.cpu_us for batch, _ in batches)
    what = f"durable boards/s in a batch of {plan.boards:,}"
    return [
        _more(what, rate, target.batch) if target.batch else Line(what, f"{rate:,.0f}"),
        _none("failed lines of batches", sum(batch.failures for batch, _ in batches)),
        Line("boards/s in a batch : raw rows, 64 in a transaction", f"{ratio:.2f}"),
        Line("CPU of the service a board of a batch, without its workers", f"{cpu:.0f} µs"),
    ]


def _starts(found: Measured) -> list[Line]:
    again = _less("start to first answer, again", statistics.median(found.restarts_s), 1.5)
    if not found.rounds:
        return [again]
    first_s = found.median(lambda r: r.first_start_s)
    return [_less("start to first answer, new home", first_s, 1.5), again]


def _big_table(found: Measured) -> list[Line]:
    big = found.big
    if big is None:
        return []
    return [
        _less("start to first answer, 100,000 rows", big.restart_s, 1.5),
        _less("memory (RSS) started with 100,000 rows", big.restarted_mb, 150, "MB"),
        _less("memory (RSS) after their import and activation", big.memory_mb, 150, "MB"),
        Line("highest memory (RSS) during import and activation", f"{big.peak_mb:.0f} MB"),
        *_swap(big.phases),
    ]


def _swap(phases: list[Phase]) -> list[Line]:
    swaps = [
        _less(f"{phase.name}, 100,000 rows", phase.seconds, 2)
        for phase in phases
        if phase.name.startswith(("activate", "roll back"))
    ]
    quiet_ms = next(phase.estimates.p99_ms for phase in phases if phase.name == QUIET)
    # A roll back is over after a few dozen estimates: they have no p99.
    disturbed = [
        _times(f"p99 of an estimate, {phase.name} : quiet", phase.estimates.p99_ms / quiet_ms,
               DISTURBED)
        for phase in phases
        if phase.name.startswith(("import", "validate", "activate"))
    ]  # fmt: skip
    waits = [
        _less(f"longest wait of an estimate: {phase.name}", phase.estimates.max_ms, 100, "ms")
        for phase in phases
        if phase.name != QUIET
    ]
    failures = sum(phase.estimates.failures for phase in phases)
    return [*swaps, *disturbed, *waits, _none("failed estimates meanwhile", failures)]


def _grown(found: Measured) -> list[Line]:
    grown = found.grown
    if grown is None:
        return []
    what = f"time of a create with {grown.stored:,} estimates stored : with none"
    failures = sum(each.failures for each in (*grown.empty, *grown.grown))
    return [_times(what, grown.ratio, GROWN), _none("failed creates there", failures)]


def _engine(results: Results) -> list[Line]:
    return [
        _less(f"engine, board of {time.breakers} breakers", time.ms, ENGINE_MS[time.breakers], "ms")
        for time in results.engine
    ]


def _replay(results: Results) -> list[Line]:
    found = results.replay
    if found is None:
        return []
    what = f"replay of {found.boards:,} stored estimates, {found.distinct:,} of them different"
    lines = [_more("boards replayed/s", found.per_second, BOARDS_REPLAYED)]
    if found.boards == A_MILLION:
        lines.append(_less(what, found.seconds, REPLAY_S))
    else:
        lines.append(Line(what, f"{found.seconds:.2f} s"))
    return [
        *lines,
        Line("processes that size for it", f"{found.workers}"),
        Line("estimates that come out otherwise there", f"{found.changed:,}"),
        Line("replay : only reading its columns", f"{found.floor_ratio:.1f}"),
    ]


def _none(what: str, failures: int) -> Line:
    return Line(what, f"{failures}", "0", failures == 0)


def _times(what: str, ratio: float, target: float) -> Line:
    return Line(what, f"{ratio:.2f}", f"<= {target:g}", ratio <= target)


def _more(what: str, figure: float, target: float) -> Line:
    return Line(what, f"{figure:,.0f}", f">= {target:,.0f}", figure >= target)


def _less(what: str, figure: float, target: float, unit: str = "s") -> Line:
    digits = 0 if unit == "MB" else 2 if unit == "s" or target < 10 else 1  # noqa: PLR2004
    return Line(what, f"{figure:.{digits}f} {unit}", f"< {target:g} {unit}", figure < target)


def _table(lines: list[Line]) -> list[str]:
    if not lines:
        return []
    if any(line.target for line in lines):
        rows = ["| | measured | asked for | |", "|---|---|---|---|"]
        return rows + [
            f"| {x.what} | {x.figure} | {x.target} | {'meets' if x.reaches else 'falls short'} |"
            for x in lines
        ]
    return ["| | measured |", "|---|---|", *(f"| {x.what} | {x.figure} |" for x in lines)]


def _latencies(found: Measured) -> list[str]:
    rows = [
        "| | requests/s | p50 ms | p95 ms | p99 ms | max ms | service CPU µs | database CPU µs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for connections in CONNECTIONS:
        name = f"create, {connections} connection{'s' if connections > 1 else ''}"
        loads = [r.creates[connections] for r in found.rounds if r.creates]
        rows += _latency(name, loads)
    by_workers = [r.by_workers for r in found.rounds if r.by_workers]
    rows += _latency(f"create, {CONNECTIONS[0]} connections, {WORKERS} workers", by_workers)
    reads = [r.reads for r in found.rounds if r.reads]
    return rows + _latency(f"read one, {READ_CONNECTIONS} connections", reads)


def _latency(name: str, loads: list[Load]) -> list[str]:
    """Return the row of `loads`, medians; none where nothing was measured."""
    if not loads:
        return []
    summaries: list[Summary] = [load.summary for load in loads]
    rate = statistics.median(summary.per_second for summary in summaries)
    times = [
        statistics.median(getattr(summary, f"{share}_ms") for summary in summaries)
        for share in ("p50", "p95", "p99", "max")
    ]
    used = statistics.median(load.cpu_us for load in loads)
    by_database = statistics.median(load.database_cpu_us for load in loads)
    cells = [f"{rate:,.0f}", *(f"{ms:.1f}" for ms in times), f"{used:.0f}"]
    cells.append(f"{by_database:.0f}" if by_database else "")
    return [f"| {name} | {' | '.join(cells)} |"]


def _phases(found: Measured) -> list[str]:
    if found.big is None:
        return []
    rows = [
        f"#### {found.source.name}: estimates while 100,000 rows are imported and activated",
        "",
        f"{SWAP_CONNECTIONS} connections ask without a pause.",
        "",
        "| | seconds | estimates/s | p50 ms | p99 ms | max ms | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    return [*rows, *(_phase(phase) for phase in found.big.phases), ""]


def _phase(phase: Phase) -> str:
    found = phase.estimates
    return (
        f"| {phase.name} | {phase.seconds:.2f} | {found.per_second:,.0f} | {found.p50_ms:.1f}"
        f" | {found.p99_ms:.1f} | {found.max_ms:.1f} | {found.failures} |"
    )


def _parts(results: Results) -> list[str]:
    if not results.parts:
        return []
    rows = ["| part | µs of CPU |", "|---|---|"]
    rows += [f"| {name} | {cost:.0f} |" for name, cost in results.parts]
    return rows
