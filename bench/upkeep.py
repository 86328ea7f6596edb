"""python -m bench.upkeep: how long estimates wait beside maintenance, and beside a backup.

Creates on a database that has grown, at first with nothing else, then while
`POST /v1/maintenance` is asked for again and again, then likewise `POST /v1/backups`.
Prints; writes no file.
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
            sys.stdout.write(f"{source.name}, {stored:,} stored\n")
            order = Order(service.port, CONNECTIONS, API_KEY, "quiet", SECONDS, warm_up=2.0)
            sys.stdout.write(f"  alone       {summarise(run(order))}\n")
            took, answers = _beside(service, "maintenance")
            longest = max(answer["longestMs"] for answer in answers)
            sys.stdout.write(f"    {_rounds(took)}; longest step on the writer {longest} ms\n")
            took, answers = _beside(service, "backups")
            sys.stdout.write(f"    {_rounds(took)}; packed {answers[-1]['size']:,} bytes\n")


def _beside(service: Service, name: str) -> tuple[list[float], list[Any]]:
    """Measure creates while `name` is posted again and again; return how long, and the answers."""
    load = start(Order(service.port, CONNECTIONS, API_KEY, name, SECONDS))
    began = time.monotonic()
    took, answers = [], []
    while time.monotonic() < began + SECONDS:
        asked = time.monotonic()
        answers.append(_post(service, f"/v1/{name}"))
        took.append(time.monotonic() - asked)
    sys.stdout.write(f"  {name:<11} {summarise(finish(load, SECONDS))}\n")
    return took, answers


def _rounds(took: list[float]) -> str:
    return f"{len(took)} rounds of {min(took):.2f} to {max(took):.2f} s"


def _post(service: Service, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=CALL_LIMIT_S)
    connection.request("POST", path, headers={"X-API-Key": ADMIN_API_KEY})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


if __name__ == "__main__":
    main()
