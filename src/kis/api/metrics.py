"""What Prometheus is told. One registry an application, so that tests do not share."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector
from starlette.responses import Response

from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode
from kis.knowledge.active import ActiveKnowledge
from kis.ops.gauges import DatabaseSize, Source, gauge, resident_bytes
from kis.ops.shared_counts import read_counts

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
SWAP_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ASKED = (ErrorCode.NEED_KNOWLEDGE_UPDATE, ErrorCode.REQ_MORE_INFO)
"""Codes of estimates where the service asked instead of guessing."""
TELL_EVERY_S = 1.0
COUNT_REFUSED = "count_refused"
"""Under which name a connection finds `Metrics.count_refused` in the state of the application."""

# Nobody asks when a series began, and it would be a third of them all.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metric objects and their registry.

    With several workers (`folder`) counts are files there, and gauges what each worker
    last said: `keep_telling`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Register everything; None: this process is the only one that counts."""
        self.registry = CollectorRegistry()
        self._folder = folder
        self._sources: list[Source] = []
        # To look labels up anew takes as long as to count.
        self._kinds: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._children: dict[tuple[Counter, str], Counter] = {}
        self._requests = self._counter(
            "kis_requests", "Answered requests", "method", "route", "status"
        )
        self._seconds = Histogram(
            "kis_request_seconds", "Time to answer", ("route",), buckets=BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        self._estimates = self._counter(
            "kis_estimates", "Estimates by outcome: created, replayed or an error code", "outcome"
        )
        self._abstentions = self._counter(
            "kis_abstentions", "Estimates where the service asked instead of guessing", "code"
        )
        self._lookups = self._counter(
            "kis_lookups", "Estimates whose rows were all known (hit) or not (miss)", "result"
        )
        self._verifications = self._counter(
            "kis_evidence_verifications", "Evidence packages that were verified", "result"
        )
        self._swaps = Histogram(
            "kis_swap_seconds", "From moving to a version until all workers estimate with it",
            buckets=SWAP_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self.batches = Histogram(
            "kis_commit_batch_size", "Writes that one transaction committed",
            buckets=BATCH_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._of_worker = _OfWorker(self.registry)
        self._begin_at_zero()

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _begin_at_zero(self) -> None:
        """Show what is watched before it first happens: nothing grows from nothing."""
        for outcome in ("created", "replayed"):
            self.count_estimates(outcome, 0)
        for code in ASKED:
            self._count(self._abstentions, code, 0)
        for result in ("hit", "miss"):
            self._count(self._lookups, result, 0)
        for result in ("valid", "invalid"):
            self._count(self._verifications, result, 0)

    # --- counting ---------------------------------------------------------------------

    def count_request(self, method: str, route: str, status: int, ms: float) -> None:
        """Count an answered request under its route (never its raw path)."""
        kind = method, route, status
        metrics = self._kinds.get(kind)
        if metrics is None:
            counter = self._requests.labels(method, route, str(status))
            metrics = self._kinds[kind] = counter, self._seconds.labels(route)
        metrics[0].inc()
        metrics[1].observe(ms / 1000)

    def count_refused(self, status: int) -> None:
        """Count what a connection was answered before there was a request: no route has it."""
        self._requests.labels("-", "-", str(status)).inc()

    def count_estimates(self, outcome: str, count: int = 1) -> None:
        """Count estimates that ended so: `created`, `replayed`, or an error code."""
        self._count(self._estimates, outcome, count)

    def count_refusal(self, refusal: DomainError) -> None:
        """Count an estimate that was refused: its code, whether it was asked for more, a miss."""
        codes = [finding.code for finding in refusal.findings]
        self.count_estimates(codes[0])
        asked = next((code for code in codes if code in ASKED), None)
        if asked is not None:
            self._count(self._abstentions, asked, 1)
        if ErrorCode.NEED_KNOWLEDGE_UPDATE in codes:
            self._count(self._lookups, "miss", 1)

    def count_hits(self, count: int = 1) -> None:
        """Count estimates whose rows were all known."""
        self._count(self._lookups, "hit", count)

    def count_verification(self, *, is_valid: bool) -> None:
        """Count an evidence package that was verified."""
        self._count(self._verifications, "valid" if is_valid else "invalid", 1)

    def count_swap(self, ms: float) -> None:
        """Count a version that became active, and how long it took all workers to have it."""
        self._swaps.observe(ms / 1000)

    def _count(self, counter: Counter, label: str, count: int) -> None:
        child = self._children.get((counter, label))
        if child is None:
            child = self._children[counter, label] = counter.labels(label)
        child.inc(count)

    # --- telling ----------------------------------------------------------------------

    def watch(self, *sources: Source) -> None:
        """Have `sources` asked whenever metrics are."""
        self._sources.extend(sources)

    def tell(self, writer: Writer, knowledge: ActiveKnowledge) -> None:
        """Say how this worker is."""
        self._of_worker.tell(writer, knowledge)

    async def keep_telling(self, writer: Writer, knowledge: ActiveKnowledge) -> None:
        """Say so each second where others may be asked instead; until cancelled."""
        while self._folder is not None:
            self.tell(writer, knowledge)
            await asyncio.sleep(TELL_EVERY_S)

    def expose(self) -> bytes:
        """Return everything in Prometheus' text format; it looks at files."""
        return generate_latest(_Everything(self.registry, self._folder, self._sources))


class _OfWorker:
    """Gauges that each worker has its own value of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def added(name: str, about: str, *labels: str) -> Gauge:
            return Gauge(name, about, labels, registry=registry, multiprocess_mode="livesum")

        self._workers = added("kis_workers", "Processes that answer")
        self._ignorant = added(
            "kis_workers_without_knowledge", "Processes that cannot load the active version"
        )
        self._queue = added("kis_write_queue_depth", "Writes that wait, of all processes")
        self._resident = added("kis_resident_bytes", "Memory of a process (RSS)", "worker")

    def tell(self, writer: Writer, knowledge: ActiveKnowledge) -> None:
        """Set them to what they are now."""
        self._workers.set(1)
        self._ignorant.set(knowledge.failure is not None)
        self._queue.set(writer.queue_depth)
        resident = resident_bytes()
        if resident is not None:
            self._resident.labels(str(os.getpid())).set(resident)


class _Everything(Collector):
    """What was counted, by all workers, and what the sources see now."""

    def __init__(
        self, registry: CollectorRegistry, folder: Path | None, sources: list[Source]
    ) -> None:
        self._registry = registry
        self._folder = folder
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        counted = self._registry.collect() if self._folder is None else read_counts(self._folder)
        yield from counted
        for source in self._sources:
            yield from source()


def active_version(knowledge: ActiveKnowledge) -> Source:
    """Return the source that tells what this worker estimates with; none where it cannot."""

    def look() -> Iterator[Metric]:
        snapshot = knowledge.current.snapshot
        labels = {"version": snapshot.label, "digest": snapshot.digest}
        active = [] if knowledge.failure is not None else [(labels, 1.0)]
        yield gauge("kis_active_knowledge_info", "The active version", active)
        rows = len(snapshot.tables.breakers)
        yield gauge("kis_breaker_rows", "Rows of the active version", [({}, rows)])

    return look


def router(
    metrics: Metrics, writer: Writer, knowledge: ActiveKnowledge, size: DatabaseSize
) -> APIRouter:
    """Return the route."""
    routes = APIRouter()

    @routes.get("/metrics", include_in_schema=False)
    async def get_metrics() -> Response:
        await size.look()
        metrics.tell(writer, knowledge)
        text = await asyncio.to_thread(metrics.expose)
        return Response(text, media_type="text/plain; version=0.0.4")

    return routes
