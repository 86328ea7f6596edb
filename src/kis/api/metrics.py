"""What Prometheus is told. One registry an application, so that tests do not share."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The metric objects and their registry."""

    def __init__(self) -> None:
        """Register everything."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "kis_requests", "Answered requests", ("method", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "kis_request_seconds", "Time to answer", ("route",), buckets=BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        # To look labels up anew takes as long as to count.
        self._by_kind: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.estimates = Counter(
            "kis_estimates", "Estimates by outcome: created, replayed or an error code",
            ("outcome",), registry=self.registry,
        )  # fmt: skip
        self.lookups = Counter(
            "kis_lookups", "Estimates whose rows were all known (hit) or not (miss)",
            ("result",), registry=self.registry,
        )  # fmt: skip
        self.active = Gauge(
            "kis_active_knowledge_info", "The active version", ("version", "digest"),
            registry=self.registry,
        )  # fmt: skip
        self.batches = Gauge("kis_commits", "Transactions committed", registry=self.registry)
        self.items = Gauge("kis_committed_writes", "Writes in them", registry=self.registry)
        self.queue_depth = Gauge(
            "kis_write_queue_depth", "Writes that wait", registry=self.registry
        )
        self.rows = Gauge("kis_breaker_rows", "Rows of the active version", registry=self.registry)

    def count_request(self, method: str, route: str, status: int, ms: float) -> None:
        """Count an answered request under its route (never its raw path)."""
        kind = method, route, status
        metrics = self._by_kind.get(kind)
        if metrics is None:
            counter = self._requests.labels(method, route, str(status))
            metrics = self._by_kind[kind] = counter, self._seconds.labels(route)
        metrics[0].inc()
        metrics[1].observe(ms / 1000)

    def expose(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
