"""The load generator, a process of its own: an order on standard input, figures on output.

Closed loop: each connection sends its next request when the last is answered.
"""

import asyncio
import itertools
import json
import math
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import uvloop

from bench.boards import NUMBER, mix
from bench.client import Taken, drive

CREATED = 201
OK = 200
LONGEST_S = 60.0
SLACK_S = 60.0
"""How long a generator may take beyond its duration before it is given up."""


class Order(msgspec.Struct, frozen=True):
    """What to ask, of whom, on how many connections, for how long or how often.

    `targets` are paths to GET in turn; without any, boards are POSTed. Requests
    of the first `warm_up` seconds are not counted. A SIGTERM ends it early.
    """

    port: int
    connections: int
    key: str
    run: str
    seconds: float = LONGEST_S
    count: int = sys.maxsize
    targets: list[str] = []
    keep_ids: bool = False
    warm_up: float = 0.0


class Figures(msgspec.Struct, frozen=True):
    """What came of an order. Times in seconds; `began` is on the monotonic clock.

    `answered` counts the warm-up too.
    """

    began: list[float]
    took: list[float]
    status: list[int]
    broken: int
    answered: int
    cpu: float
    ids: list[str]

    @property
    def duration(self) -> float:
        """From the first request to the last answer."""
        return max(b + t for b, t in zip(self.began, self.took, strict=True)) - min(self.began)

    @property
    def failures(self) -> int:
        """Answers with another status than wanted, and connections that broke."""
        return self.broken + sum(status not in (OK, CREATED) for status in self.status)


class Summary(NamedTuple):
    """Requests per second, latencies in ms, and what failed."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    failures: int

    def __str__(self) -> str:
        """One line for the terminal."""
        return (
            f"{self.per_second:,.0f}/s  p50 {self.p50_ms:.1f}  p95 {self.p95_ms:.1f}"
            f"  p99 {self.p99_ms:.1f}  max {self.max_ms:.1f} ms  failures {self.failures}"
        )


def summarise(figures: Figures) -> Summary:
    """Return the figures as rates and percentiles."""
    took = sorted(figures.took)
    return Summary(
        per_second=len(took) / figures.duration,
        p50_ms=percentile(took, 50),
        p95_ms=percentile(took, 95),
        p99_ms=percentile(took, 99),
        max_ms=percentile(took, 100),
        failures=figures.failures,
    )


def percentile(ordered: list[float], share: float) -> float:
    """Return the latency in ms that `share` percent of the ordered seconds do not exceed."""
    return 1000 * ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def start(order: Order) -> subprocess.Popen[bytes]:
    """Start a generator on `order`; `finish` waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if process.stdin is not None:
        process.stdin.write(msgspec.json.encode(order))
        process.stdin.close()
        process.stdin = None
    return process


def finish(process: subprocess.Popen[bytes], seconds: float) -> Figures:
    """Return what a generator measured; it has `seconds` and some slack."""
    try:
        output, _ = process.communicate(timeout=seconds + SLACK_S)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode or not output:
        message = f"the load generator failed with exit code {process.returncode}"
        raise RuntimeError(message)
    return msgspec.json.decode(output, type=Figures)


def run(order: Order) -> Figures:
    """Run a generator in its own process and return what it measured."""
    return finish(start(order), order.warm_up + order.seconds)


# --- in the generator's own process ----------------------------------------------------


class Recorder:
    """Takes answers and keeps what the figures need."""

    def __init__(self, *, keep_ids: bool) -> None:
        """Start empty."""
        self.began = array("d")
        self.took = array("d")
        self.status = array("h")
        self.ids: list[str] = []
        self._keep_ids = keep_ids
        self._has_told = False

    def report(self, taken: Taken) -> None:
        """Note one answer."""
        self.began.append(taken.began)
        self.took.append(taken.seconds)
        self.status.append(taken.status)
        if taken.status not in (OK, CREATED) and not self._has_told:
            self._has_told = True
            sys.stderr.write(f"{taken.status}: {taken.body[:400].decode(errors='replace')}\n")
        if self._keep_ids:
            self.ids.append(json.loads(taken.body)["id"])


def requests(order: Order) -> Iterator[bytes]:
    """Yield the bytes of request after request, without end."""
    head = f"Host: 127.0.0.1\r\nX-API-Key: {order.key}\r\n"
    if order.targets:
        yield from itertools.cycle(
            f"GET {t} HTTP/1.1\r\n{head}\r\n".encode() for t in order.targets
        )
        return
    head = f"POST /v1/estimate/create HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
    frames = []
    for board in mix():
        before, after = json.dumps(board, ensure_ascii=False).encode().split(NUMBER.encode())
        length = len(before) + len(after) + len(NUMBER % 0)
        start = f"{head}Content-Length: {length}\r\nIdempotency-Key: {order.run}-".encode()
        frames.append((start, b"\r\n\r\n" + before, after))
    for number, (start, before, after) in enumerate(itertools.cycle(frames)):
        serial = NUMBER.encode() % number
        yield b"".join((start, serial, before, serial, after))


class Source:
    """Gives the next request until `order` is fulfilled, or `stop` is called."""

    def __init__(self, order: Order) -> None:
        """Begin the time of `order` now."""
        self._requests = itertools.islice(requests(order), order.count)
        self._ends = time.monotonic() + order.warm_up + order.seconds

    def next_request(self) -> bytes | None:
        """Return the next request; None at the end."""
        return next(self._requests, None) if time.monotonic() < self._ends else None

    def stop(self) -> None:
        """Give no more."""
        self._ends = 0.0


async def _generate(order: Order) -> Figures:
    recorder = Recorder(keep_ids=order.keep_ids)
    source = Source(order)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, source.stop)
    counts_from = time.monotonic() + order.warm_up
    cpu = time.process_time()
    broken = await drive(order.port, order.connections, source.next_request, recorder.report)
    counted = [n for n, began in enumerate(recorder.began) if began >= counts_from]
    return Figures(
        began=[recorder.began[n] for n in counted], took=[recorder.took[n] for n in counted],
        status=[recorder.status[n] for n in counted],
        broken=broken, answered=len(recorder.began), cpu=time.process_time() - cpu,
        ids=recorder.ids,
    )  # fmt: skip


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    # Buffered, whatever PYTHONUNBUFFERED says: a raw write may end before all is written.
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(msgspec.json.encode(uvloop.run(_generate(wanted))))
