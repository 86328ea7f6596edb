"""python -m bench.upkeep: how long estimates wait while the database is maintained.

Creates on a database that has grown, at first with nothing else, then while
`POST /v1/maintenance` is asked for again and again. Prints; writes no file.
"""

import argparse
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.boards import mix
from bench.databases import KINDS, databases
from bench.grown import fill
from bench.load import Order, finish, run, start, summarise
from bench.service import ADMIN_API_KEY, API_KEY, Service, running

CONNECTIONS = 16
SECONDS = 15.0
CALL_LIMIT_S = 600.0


def main() -> None:
    """Measure on each kind of database, in a folder that is removed again."""
    parser = argparse.ArgumentParser(prog="python -m bench.upkeep", description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000, help="estimates that are there")
    parser.add_argument("--database", choices=KINDS)
    wanted = parser.parse_args()
    for kind in (wanted.database,) if wanted.database else KINDS:
        with tempfile.TemporaryDirectory(prefix="kis-bench-") as folder:
            _measure(kind, Path(folder), wanted.stored)


def _measure(kind: str, folder: Path, stored: int) -> None:
    with databases(kind, folder) as source:
        home = source.home("grown")
        kinds = len(mix())
        with running(home) as service:
            run(Order(service.port, 1, API_KEY, "origin", count=kinds))
        fill(source, home, stored, kinds)
        with running(home) as service:
            order = Order(service.port, CONNECTIONS, API_KEY, "quiet", SECONDS, warm_up=2.0)
            sys.stdout.write(f"{source.name}, {stored:,} stored\n")
            sys.stdout.write(f"  alone        {summarise(run(order))}\n")
            beside = start(Order(service.port, CONNECTIONS, API_KEY, "beside", SECONDS))
            rounds = _maintain(service, time.monotonic() + SECONDS)
            sys.stdout.write(f"  maintained   {summarise(finish(beside, SECONDS))}\n")
    took = [seconds for seconds, _ in rounds]
    longest = max(answer["longestMs"] for _, answer in rounds)
    sys.stdout.write(
        f"  {len(rounds)} rounds of {min(took):.2f} to {max(took):.2f} s;"
        f" longest step on the writer {longest} ms\n"
    )


def _maintain(service: Service, until: float) -> list[tuple[float, Any]]:
    """Have the database maintained until then; return how long each round took, and its answer."""
    rounds = []
    while time.monotonic() < until:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=CALL_LIMIT_S)
        connection.request("POST", "/v1/maintenance", headers={"X-API-Key": ADMIN_API_KEY})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        rounds.append((time.monotonic() - began, answer))
    return rounds


if __name__ == "__main__":
    main()
