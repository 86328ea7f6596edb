"""A table of 100,000 rows goes from import to active while estimates go on.

Run with `-s` to see how long each step took, and the longest wait of a client.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.lifecycle import (
    activate,
    ask,
    estimate,
    good,
    import_raw,
    main_only,
    row,
    table,
    validate,
)
from tests.integration.traffic import Traffic
from tests.services import Server, board

ROWS = 100_000
FRAMES = (50, 100, 125, 250, 400)


def large_table() -> bytes:
    rows = (
        row(f"L-{n}", af=FRAMES[n % len(FRAMES)], poles=2 + n % 3, width=90 + n % 3 * 10)
        for n in range(ROWS)
    )
    return table(*rows).encode()


class Steps:
    """Tells how long each step took, and how long the clients waited during it."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        first = len(self._traffic.answers)
        began = time.perf_counter()
        yield
        took = time.perf_counter() - began
        waits = [answer.seconds for answer in self._traffic.answers[first:]] or [0.0]
        sys.stdout.write(
            f"\n{name}: {took:.2f} s; {len(waits)} estimates meanwhile,"
            f" the longest wait {max(waits) * 1000:.0f} ms"
        )


def memory_mb(server: Server) -> float:
    """Return what `ps aux | awk '{print $6}'` shows of the server."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:  # noqa: PTH123
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_no_request_fails_while_100_000_rows_become_active(server: Server) -> None:
    raw = large_table()
    traffic = Traffic(server, 2, board())
    steps = Steps(traffic)
    began = time.perf_counter()
    with traffic.running():
        with steps.step("import"):
            imported = good(import_raw(server, "v-large", raw), 201)
        with steps.step("validate"):
            validated = validate(server, "v-large", 100)
        with steps.step("activate"):
            activated = good(activate(server, "v-large"))
    total = time.perf_counter() - began
    sys.stdout.write(f"\ntotal {total:.2f} s, RSS {memory_mb(server):.0f} MB\n")
    assert imported["added"] == ROWS
    assert (validated["valid"], validated["succeeded"]) == (True, 100)
    assert activated["activeVersion"] == "v-large"
    assert traffic.failed() == []
    assert ask(server, "/health")["totalRows"] == ROWS + 108
    answer = good(estimate(server, main_only("L-1", device={"type": "MCCB"})), 201)
    assert answer["knowledgeVersion"] == "v-large"
