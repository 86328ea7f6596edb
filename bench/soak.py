"""python -m bench.soak: ten minutes of estimates while everything around them goes on.

Versions are swapped every two seconds, the log is rotated, the database backed up, and
the API key changed as the runbook does it (edit .env, restart). In the end each request
must have exactly one estimate, and no process may have grown. Written to bench/SOAK.md.
"""

import argparse
import os
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.databases import KINDS, NAMES, Databases, databases
from bench.service import ADMIN_API_KEY, Service, memory_mb_of
from bench.soak_clients import PER_SECOND, Clients, Target

RESULTS = Path(__file__).with_name("SOAK.md")
CLIENTS = 8
WORKERS = {"sqlite": 1, "postgresql": 2}
SWAP_EACH_S, LOOK_EACH_S, LOG_EACH_S, BACKUP_EACH_S = 2.0, 5.0, 30.0, 60.0
KEY_AT = 0.8
"""Of the time: the key is changed, and what serves is started anew."""
WARM_AFTER_S = 60.0
MAX_GROWTH_MB = 5.0
VERIFIED = 200
ROW = '{model},100,3P,{width},155,60,"{{""type"":""MCCB""}}"'
LABELS = ("soak-a", "soak-b")


@dataclass
class Outcome:
    """What one soak found."""

    kind: str
    minutes: float
    estimates: int = 0
    retries: int = 0
    asked_again: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    growth_mb: float = 0.0
    memory_mb: float = 0.0
    verified: int = 0

    @property
    def is_good(self) -> bool:
        """Whether it found nothing wrong."""
        return not (self.lost or self.doubled or self.faults) and self.growth_mb < MAX_GROWTH_MB


class Soak:
    """One service, its clients, and what happens to it."""

    def __init__(self, kind: str, minutes: float, places: Databases) -> None:
        """Start the service on a new home, with two versions to swap."""
        self.outcome = Outcome(kind, minutes)
        self._places = places
        self._home = places.home("soak")
        self._keys = [self._new_key()]
        self._service = self._start()
        self._target = Target(self._service.port, self._keys)
        self._memory: dict[int, list[tuple[float, float]]] = {}
        for label, width in zip(LABELS, (90, 95), strict=True):
            self._publish(label, width)

    def run(self) -> Outcome:
        """Go through with it."""
        clients = Clients(self._target, CLIENTS)
        clients.start()
        began = time.monotonic()
        ends = began + self.outcome.minutes * 60
        due: dict[Callable[[], None], tuple[float, float]] = {
            self._swap: (SWAP_EACH_S, began), self._look: (LOOK_EACH_S, began),
            self._rotate_log: (LOG_EACH_S, began), self._back_up: (BACKUP_EACH_S, began),
            self._change_key: (ends, began + KEY_AT * (ends - began)),
        }  # fmt: skip
        try:
            while time.monotonic() < ends:
                for step, (each_s, at) in tuple(due.items()):
                    if time.monotonic() >= at:
                        step()
                        due[step] = (each_s, time.monotonic() + each_s)
                time.sleep(0.05)
        finally:
            clients.stop()
        self._look()
        self._judge(clients)
        return self.outcome

    def close(self) -> None:
        """Stop the service."""
        self._service.stop()

    # --- what happens meanwhile -------------------------------------------------------

    def _swap(self) -> None:
        self._count("swaps")
        label = LABELS[self.outcome.done["swaps"] % 2]
        body = {"targetVersionLabel": label, "reason": "soak"}
        self._admin("rollback", body)

    def _rotate_log(self) -> None:
        log = self._home.folder / "logs" / "kis-backend.log"
        log.replace(log.with_suffix(".log.1"))
        self._count("log rotations")

    def _back_up(self) -> None:
        self._count("backups")
        with tempfile.TemporaryDirectory(prefix="kis-soak-") as folder:
            self._places.back_up(self._home, Path(folder) / "backup")

    def _change_key(self) -> None:
        self._count("changes of the key")
        self._keys.insert(0, self._new_key())
        if WORKERS[self.outcome.kind] > 1:
            self._service.restart_workers()
        else:
            self._service.stop()
            self._service = self._start()
            self._target.port = self._service.port

    def _look(self) -> None:
        for process in self._service.processes:
            looks = self._memory.setdefault(process, [])
            looks.append((time.monotonic(), memory_mb_of(process)))

    # --- its means --------------------------------------------------------------------

    def _start(self) -> Service:
        return Service(self._home, WORKERS[self.outcome.kind], self._keys[0])

    def _new_key(self) -> str:
        """Put a new API key into the .env, and return it."""
        key = f"api-key-{secrets.token_hex(16)}"
        folder = self._home.folder / "kis-backend"
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(folder / ".env", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(f"API_KEY={key}\n")
        return key

    def _publish(self, label: str, width: int) -> None:
        row = ROW.format(model="SOAK-100", width=width)
        header = "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta"
        content = f"{header}\nLS,SOAK,{row}\n"
        self._admin("import", {"format": "csv", "content": content, "versionLabel": label})
        self._admin("validate", {"versionLabel": label, "sampleSize": 10})
        self._admin("activate", {"versionLabel": label})

    def _admin(self, step: str, body: object) -> None:
        path = f"/v1/knowledge/tables/{step}"
        try:
            status, answer = self._service.call("POST", path, body, ADMIN_API_KEY)
        except OSError as error:
            status, answer = 0, error
        if status not in (200, 201):
            self.outcome.faults.append(f"{step}: {status} {answer}")

    def _count(self, what: str) -> None:
        self.outcome.done[what] = self.outcome.done.get(what, 0) + 1

    # --- what came of it --------------------------------------------------------------

    def _judge(self, clients: Clients) -> None:
        notes, outcome = clients.notes, self.outcome
        answered = [answer["id"] for answer in notes.answers.values()]
        stored = self._stored()
        outcome.estimates = len(answered)
        outcome.retries, outcome.asked_again = notes.retries, notes.asked_again
        outcome.faults += notes.faults
        outcome.lost = len(set(answered) - stored.keys())
        outcome.doubled = len(stored) - len(set(answered)) + len(answered) - len(set(answered))
        for answer in notes.answers.values():
            if stored.get(answer["id"]) != answer["knowledgeVersion"]:
                outcome.faults.append(f"{answer['id']}: its row names another version")
        for estimate_id in answered[:: max(1, len(answered) // VERIFIED)]:
            self._verify(estimate_id)
        for looks in self._memory.values():
            outcome.memory_mb = max(outcome.memory_mb, *(mb for _, mb in looks))
            outcome.growth_mb = max(outcome.growth_mb, growth_of(looks))

    def _stored(self) -> dict[str, str]:
        """Return the version of each estimate that the clients asked for, by its id."""
        query = """SELECT id, knowledge_version FROM "Estimate" WHERE label = 'soak'"""
        if self._home.url is None:
            with closing(sqlite3.connect(self._home.file)) as connection:
                return dict(connection.execute(query).fetchall())
        with psycopg.connect(self._home.url) as session:
            return dict(session.execute(query.encode()).fetchall())

    def _verify(self, estimate_id: str) -> None:
        key = self._keys[0]
        _, package = self._service.call("GET", f"/v1/evidence/{estimate_id}", key=key)
        _, verdict = self._service.call("POST", "/v1/evidence/verify", package, key)
        self.outcome.verified += 1
        if not verdict.get("valid"):
            self.outcome.faults.append(f"{estimate_id}: its evidence does not verify")


def growth_of(looks: list[tuple[float, float]]) -> float:
    """Return by how many MB the last minute lies above the second, of moments (s) and MB.

    The medians: between two rounds of the collector a process holds some MB of garbage.
    """
    began, ended = looks[0][0], looks[-1][0]
    early = [mb for at, mb in looks if WARM_AFTER_S <= at - began < 2 * WARM_AFTER_S]
    late = [mb for at, mb in looks if ended - at < WARM_AFTER_S]
    if not early or ended - began < 3 * WARM_AFTER_S:
        return 0.0
    return statistics.median(late) - statistics.median(early)


def render(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a page."""
    lines = [
        "# A long run", "",
        "Written by `make soak` (`python -m bench.soak`); do not edit. What is done and what is",
        f"counted: `bench/soak.py`. {CLIENTS} clients of {PER_SECOND:g} requests a second.", "",
        "| | " + " | ".join(NAMES[o.kind] for o in outcomes) + " |",
        "|---" * (len(outcomes) + 1) + "|",
    ]  # fmt: skip
    rows: list[tuple[str, Callable[[Outcome], object]]] = [
        ("minutes", lambda o: f"{o.minutes:g}"),
        ("workers", lambda o: WORKERS[o.kind]),
        ("estimates", lambda o: f"{o.estimates:,}"),
        ("sent once more for no answer, 401 or 503", lambda o: f"{o.retries:,}"),
        ("asked again with their key", lambda o: f"{o.asked_again:,}"),
        *(
            (what, lambda o, what=what: o.done.get(what, 0))
            for what in ("swaps", "log rotations", "backups", "changes of the key")
        ),
        ("lost", lambda o: o.lost),
        ("doubled", lambda o: o.doubled),
        ("other faults", lambda o: len(o.faults)),
        ("packages of evidence verified", lambda o: o.verified),
        ("highest memory (RSS) of a process", lambda o: f"{o.memory_mb:.0f} MB"),
        ("growth from its second minute to its last, at most", lambda o: f"{o.growth_mb:.1f} MB"),
    ]
    lines += [f"| {name} | " + " | ".join(str(of(o)) for o in outcomes) + " |" for name, of in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Soak each kind of database; exit code 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--database", choices=KINDS, action="append")
    wanted = parser.parse_args()
    outcomes = []
    for kind in wanted.database or KINDS:
        with (
            tempfile.TemporaryDirectory(prefix="kis-soak-") as folder,
            databases(kind, Path(folder)) as places,
            closing(Soak(kind, wanted.minutes, places)) as soak,
        ):
            outcomes.append(soak.run())
    text = render(outcomes)
    sys.stdout.write(text)
    for outcome in outcomes:
        sys.stdout.writelines(f"{outcome.kind}: {fault}\n" for fault in outcome.faults[:20])
    if not wanted.database and wanted.minutes >= 10:  # noqa: PLR2004 - what the page promises
        RESULTS.write_text(text, encoding="utf-8")
    sys.exit(not all(outcome.is_good for outcome in outcomes))


if __name__ == "__main__":
    main()
