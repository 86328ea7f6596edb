"""/metrics of several processes: whichever is asked, it tells of all."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backends import POSTGRESQL_ONLY
from tests.integration.lifecycle import estimate, good, publish, row
from tests.integration.program import until
from tests.integration.test_workers import WORKERS, serving, workers
from tests.services import Server, board

__all__ = ["workers"]  # the fixture

ESTIMATES = 200
CREATED = 'kis_estimates_total{outcome="created"}'
REQUESTS = 'kis_requests_total{method="POST",route="/v1/estimate/create",status="201"}'
TIMED = 'kis_request_seconds_count{route="/v1/estimate/create"}'


def metrics(server: Server) -> dict[str, float]:
    """Return every sample by its name with labels sorted."""
    text = server.request("GET", "/metrics", key=None).text
    found = {}
    for name, labels, value in re.findall(r"^(kis_\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
        ordered = ",".join(sorted(labels.split(","))) if labels else ""
        found[f"{name}{{{ordered}}}" if ordered else name] = float(value)
    return found


@contextmanager
def only(server: Server, pid: int) -> Iterator[None]:
    """Let no worker but this one answer."""
    others = serving(server) - {pid}
    for other in others:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def told_by_each(server: Server, name: str) -> list[float]:
    told = []
    for pid in serving(server):
        with only(server, pid):
            told.append(metrics(server)[name])
    return told


@POSTGRESQL_ONLY
def test_whichever_worker_is_asked_tells_of_all(workers: Server) -> None:
    for pid in serving(workers):
        with only(workers, pid):
            for _ in range(ESTIMATES // WORKERS):
                good(estimate(workers, board()), 201)
    # A request is counted once it is answered.
    until(lambda: metrics(workers)[REQUESTS] == ESTIMATES)
    for name in (CREATED, REQUESTS, TIMED):
        assert told_by_each(workers, name) == [ESTIMATES] * WORKERS
    assert told_by_each(workers, "kis_commit_batch_size_sum") == [ESTIMATES] * WORKERS


@POSTGRESQL_ONLY
def test_counts_do_not_fall_when_a_worker_is_killed(workers: Server) -> None:
    for pid in serving(workers):
        with only(workers, pid):
            good(estimate(workers, board()), 201)
    before = serving(workers)
    until(lambda: metrics(workers)[REQUESTS] == WORKERS)
    os.kill(min(before), signal.SIGKILL)
    assert metrics(workers)[REQUESTS] == WORKERS
    until(lambda: len(serving(workers) - {min(before)}) == WORKERS)
    until(lambda: metrics(workers)["kis_workers"] == WORKERS)
    assert told_by_each(workers, REQUESTS) == [WORKERS] * WORKERS
    resident = {name for name in metrics(workers) if name.startswith("kis_resident_bytes")}
    assert resident == {f'kis_resident_bytes{{worker="{pid}"}}' for pid in serving(workers)}


@POSTGRESQL_ONLY
def test_activation_is_one_swap_of_all_workers(workers: Server) -> None:
    publish(workers, "v-a", row("T-100"))
    assert told_by_each(workers, "kis_swap_seconds_count") == [1] * WORKERS


@POSTGRESQL_ONLY
def test_nothing_is_left_when_the_server_ends(workers: Server) -> None:
    folder = Path(counting_folder(workers))
    assert folder.is_dir()
    workers.stop()
    assert not folder.exists()


def counting_folder(server: Server) -> str:
    environ = Path(f"/proc/{min(serving(server))}/environ").read_bytes().decode()
    return dict(pair.split("=", 1) for pair in environ.split("\0") if pair)[
        "PROMETHEUS_MULTIPROC_DIR"
    ]
