"""bench/RESULTS.md: the figures beside what was asked for, and whether they reach it."""

import statistics
from typing import NamedTuple

from bench import machine
from bench.load import Summary
from bench.scenarios import CONNECTIONS, READ_CONNECTIONS, Plan, Results
from bench.tables import CONNECTIONS as SWAP_CONNECTIONS
from bench.tables import Phase
from kis import clock

QUIET = "quiet"
MUCH_PERCENT = 5
A_MILLION, REPLAY_S, BOARDS_REPLAYED = 1_000_000, 30, 33_000
ENGINE_MS = {40: 1, 400: 20}
"""What an estimate may take in the engine, by the number of breakers."""

HEADING = """# What the service does in a second

Written by `make bench` (`python -m bench`); do not edit. The load generator is a
process of its own on the same machine: closed loop over loopback, HTTP/1.1
keep-alive, a distinct Idempotency-Key for each request, thirteen kinds of board in
turn (2 to 41 breakers, with and without accessories), every answer checked for its
status. The service runs as `kis-backend serve` with its default settings, but
without a rate limit. Every create is on the disk (`synchronous=FULL`) before it is
answered. Floor and service take turns; a figure is the median of the rounds. The
first second on new connections is not counted: uvicorn takes in one connection a turn.
"""


class Line(NamedTuple):
    """A figure with its target; `reaches` is None where none was asked for."""

    what: str
    figure: str
    target: str = ""
    reaches: bool | None = None


def render(results: Results, plan: Plan, others_percent: float) -> str:
    """Return the report."""
    lines = [
        *_speed(results),
        *_batch(results, plan),
        *_start_and_memory(results),
        *_swap(results),
        *_engine(results),
        *_replay(results),
    ]
    asked = [line for line in lines if line.reaches is not None]
    short = [line.what for line in asked if not line.reaches]
    verdict = "All targets are met." if not short else "Falls short: " + "; ".join(short) + "."
    return "\n".join(
        [
            HEADING, _machine(plan, others_percent), "## Targets", "", verdict, "", *_table(asked),
            "", "## All figures", "", *_latencies(results), "",
            *_table([line for line in lines if line.reaches is None]), "",
            "## Estimates while 100,000 rows are imported and activated", "",
            *_phases(results), "", "## What one create costs", "", *_parts(results), "",
        ]
    )  # fmt: skip


def _machine(plan: Plan, others_percent: float) -> str:
    busy = " Too much for a fair measurement." if others_percent > MUCH_PERCENT else ""
    return (
        f"Machine: {machine.describe()}. Other programs took {others_percent:.0f} % of it"
        f" meanwhile.{busy} {plan.rounds} rounds, {clock.now():%Y-%m-%d}.\n"
    )


def _speed(results: Results) -> list[Line]:
    commits = results.median(lambda r: r.commits)
    at_64 = results.median(lambda r: r.creates[64].per_second)
    at_1 = results.median(lambda r: r.creates[1].per_second)
    p99 = results.median(lambda r: r.creates[64].p99_ms)
    failures = sum(s.failures for r in results.rounds for s in r.creates.values())
    bare = results.median(lambda r: r.bare.per_second if r.bare else 0.0)
    return [
        _more("durable creates/s, 64 connections", at_64, 2_000),
        _less("p99 of a create, 64 connections", p99, 60, "ms"),
        _more("durable creates/s, 1 connection", at_1, 400),
        Line("failed creates", f"{failures}", "0", failures == 0),
        Line("raw single-row durable SQLite commits/s", f"{commits:,.0f}"),
        Line(
            "raw durable SQLite rows/s, 64 in a transaction",
            f"{results.median(lambda r: r.batched_rows):,.0f}",
        ),
        Line("creates at 64 : raw single-row commits", _ratio(results, 64)),
        Line("creates at 1 : raw single-row commits", _ratio(results, 1)),
        Line("bare ASGI answers/s (uvicorn, no work), 64 connections", f"{bare:,.0f}"),
    ]


def _batch(results: Results, plan: Plan) -> list[Line]:
    rate = results.median(lambda r: r.batch.per_second)
    ratio = results.median(lambda r: r.batch.per_second / r.batched_rows)
    cpu = results.median(lambda r: r.batch.cpu_us)
    failures = sum(r.batch.failures for r in results.rounds)
    return [
        _more(f"durable boards/s in a batch of {plan.boards:,}", rate, 8_000),
        Line("failed lines of batches", f"{failures}", "0", failures == 0),
        Line("boards/s in a batch : raw rows, 64 in a transaction", f"{ratio:.2f}"),
        Line("CPU of the service a board of a batch, without its workers", f"{cpu:.0f} µs"),
    ]


def _ratio(results: Results, connections: int) -> str:
    return f"{results.median(lambda r: r.creates[connections].per_second / r.commits):.2f}"


def _start_and_memory(results: Results) -> list[Line]:
    big = results.big
    return [
        _less("start to first answer, new home", results.median(lambda r: r.first_start_s), 1.5),
        _less("start to first answer, again", statistics.median(results.restarts_s), 1.5),
        _less("start to first answer, 100,000 rows", big.restart_s, 1.5),
        _less("memory (RSS) started with 100,000 rows", big.restarted_mb, 150, "MB"),
        _less("memory (RSS) after their import and activation", big.memory_mb, 150, "MB"),
        Line("highest memory (RSS) during import and activation", f"{big.peak_mb:.0f} MB"),
        Line(
            "memory (RSS) started with the shipped table",
            f"{results.median(lambda r: r.memory_mb):.0f} MB",
        ),
        Line(
            "memory (RSS) after the load",
            f"{results.median(lambda r: r.memory_after_load_mb):.0f} MB",
        ),
    ]


def _swap(results: Results) -> list[Line]:
    swaps = [
        _less(f"{phase.name}, 100,000 rows", phase.seconds, 2)
        for phase in results.big.phases
        if phase.name.startswith(("activate", "roll back"))
    ]
    waits = [
        _less(f"longest wait of an estimate: {phase.name}", phase.estimates.max_ms, 100, "ms")
        for phase in results.big.phases
        if phase.name != QUIET
    ]
    failures = sum(phase.estimates.failures for phase in results.big.phases)
    return [*swaps, *waits, Line("failed estimates meanwhile", f"{failures}", "0", failures == 0)]


def _engine(results: Results) -> list[Line]:
    return [
        _less(f"engine, board of {time.breakers} breakers", time.ms, ENGINE_MS[time.breakers], "ms")
        for time in results.engine
    ]


def _replay(results: Results) -> list[Line]:
    found = results.replay
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


def _more(what: str, figure: float, target: float) -> Line:
    return Line(what, f"{figure:,.0f}", f">= {target:,.0f}", figure >= target)


def _less(what: str, figure: float, target: float, unit: str = "s") -> Line:
    digits = 0 if unit == "MB" else 2 if unit == "s" or target < 10 else 1  # noqa: PLR2004
    return Line(what, f"{figure:.{digits}f} {unit}", f"< {target:g} {unit}", figure < target)


def _table(lines: list[Line]) -> list[str]:
    if any(line.target for line in lines):
        rows = ["| | measured | asked for | |", "|---|---|---|---|"]
        return rows + [
            f"| {x.what} | {x.figure} | {x.target} | {'meets' if x.reaches else 'falls short'} |"
            for x in lines
        ]
    return ["| | measured |", "|---|---|", *(f"| {x.what} | {x.figure} |" for x in lines)]


def _latencies(results: Results) -> list[str]:
    rows = [
        "| | requests/s | p50 ms | p95 ms | p99 ms | max ms | server CPU µs |",
        "|---|---|---|---|---|---|---|",
    ]
    for connections in CONNECTIONS:
        cpu = statistics.median(each.cpu_us[connections] for each in results.rounds)
        name = f"create, {connections} connection{'s' if connections > 1 else ''}"
        found = [each.creates[connections] for each in results.rounds]
        rows.append(_latency(name, found, f"{cpu:.0f}"))
    reads = [each.reads for each in results.rounds if each.reads is not None]
    return [*rows, _latency(f"read one, {READ_CONNECTIONS} connections", reads, "")]


def _latency(name: str, found: list[Summary], cpu: str) -> str:
    rate = statistics.median(summary.per_second for summary in found)
    times = [
        statistics.median(getattr(summary, f"{share}_ms") for summary in found)
        for share in ("p50", "p95", "p99", "max")
    ]
    return f"| {name} | {rate:,.0f} | {' | '.join(f'{ms:.1f}' for ms in times)} | {cpu} |"


def _phases(results: Results) -> list[str]:
    rows = [
        f"{SWAP_CONNECTIONS} connections ask without a pause.",
        "",
        "| | seconds | estimates/s | p50 ms | p99 ms | max ms | failed |",
        "|---|---|---|---|---|---|---|",
    ]
    return rows + [_phase(phase) for phase in results.big.phases]


def _phase(phase: Phase) -> str:
    found = phase.estimates
    return (
        f"| {phase.name} | {phase.seconds:.2f} | {found.per_second:,.0f} | {found.p50_ms:.1f}"
        f" | {found.p99_ms:.1f} | {found.max_ms:.1f} | {found.failures} |"
    )


def _parts(results: Results) -> list[str]:
    rows = ["| part | µs of CPU |", "|---|---|"]
    rows += [f"| {name} | {cost:.0f} |" for name, cost in results.parts]
    return rows
