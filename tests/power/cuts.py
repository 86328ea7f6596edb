"""A server's record played back to many instants: what a power cut would leave of its home."""

import random
import shutil
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kis.ops.backup.trouble import Unsound
from kis.ops.journal.folder import chains
from kis.ops.journal.rebuilding import rebuild, spans
from tests.power.disk import Disk
from tests.power.load import Acknowledged, by, committed_in, load
from tests.power.recording import Op, Recorder
from tests.services import running_server

DATABASE, JOURNAL = Path("data/kis.db"), Path("backups/journal")


@dataclass
class Run:
    """What a server did: its record, what it acknowledged, and the order of its commits."""

    home: Path
    ops: list[Op]
    found: list[Acknowledged]
    order: list[str]


@dataclass
class Outcome:
    """What was found after the cuts. Estimates `lost` were acknowledged before the cut.

    `stale`: rebuilt from a journal that had more on its disk; `invented`: never committed.
    `behind_s`: the greatest age of an acknowledged estimate that the journal did not have yet.
    """

    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0
    rebuilt: int = 0
    refused: int = 0
    stale: int = 0
    invented: int = 0
    behind_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count what another found as well."""
        for name in ("cuts", "acknowledged", "lost", "corrupt", "rebuilt", "refused", "stale"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.invented += other.invented
        self.behind_s = max(self.behind_s, other.behind_s)
        self.faults += other.faults

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, broken or invented."""
        return not (self.lost or self.corrupt or self.stale or self.invented)


def record(scratch: Path, estimates: int) -> Run:
    """Have a server create so many estimates, and record what reaches its disk."""
    home = scratch / "home"
    recorder = Recorder(scratch, home)
    with running_server(home, RATE_LIMIT_PER_MINUTE="0", **recorder.environ) as server:
        folder = home / JOURNAL
        found = load(server.url, lambda count: count >= estimates and bool(spans(folder)))
        assert server.stop() == 0
    return Run(home, recorder.ops(), found, committed_in(home / DATABASE))


def instants(ops: list[Op], count: int, chance: random.Random) -> list[int]:
    """Return so many places in a record: by chance, about its syncs, and in checkpoints."""
    about = {
        "syncs": [n + d for n, op in enumerate(ops) if op.kind == "S" for d in (0, 1)],
        "checkpoints": [n for n, op in enumerate(ops) if op.path.endswith(".db")],
        "journal": [n for n, op in enumerate(ops) if "journal" in op.path],
        "all": range(len(ops)),
    }
    return sorted(chance.choice(chance.choice(list(about.values()))) for _ in range(count))


def cut(run: Run, count: int, seed: int, scratch: Path, *, lies: bool = False) -> Outcome:
    """Cut the power so many times, and look at what is left; `lies` as of Disk."""
    chance = random.Random(seed)  # noqa: S311 - so that a failure can be repeated
    outcome = Outcome()
    disk = Disk(lies=lies)
    played = 0
    for place in instants(run.ops, count, chance):
        disk.play(run.ops[played:place])
        played = place
        left, sure = scratch / "left", scratch / "sure"
        disk.cut(left, str(run.home), chance)
        disk.cut(sure, str(run.home / JOURNAL), None)
        outcome.cuts += 1
        at_ns = run.ops[place - 1].at_ns if place else 0
        _look_at_database(left / DATABASE, by(run.found, at_ns), outcome)
        _look_at_journal(left / JOURNAL, sure, run, at_ns, outcome)
        shutil.rmtree(left, ignore_errors=True)
        shutil.rmtree(sure, ignore_errors=True)
    return outcome


def _look_at_database(file: Path, acknowledged: set[str], outcome: Outcome) -> None:
    outcome.acknowledged += len(acknowledged)
    if not file.exists() or not acknowledged:
        outcome.lost += len(acknowledged)
        return
    try:
        outcome.lost += len(acknowledged - set(committed_in(file)))
    except (sqlite3.Error, ValueError) as error:
        outcome.corrupt += 1
        outcome.faults.append(str(error))


def _look_at_journal(left: Path, sure: Path, run: Run, at_ns: int, outcome: Outcome) -> None:
    if not spans(sure):
        return
    target = left.parent / "rebuilt.db"
    try:
        rebuild(left, datetime.now(UTC) + timedelta(days=1), target)
        held = committed_in(target)
    except Unsound as error:
        outcome.refused += 1
        outcome.faults.append(f"refused: {error}")
        return
    except (sqlite3.Error, ValueError) as error:
        outcome.corrupt += 1
        outcome.faults.append(f"rebuilt: {error}")
        return
    outcome.rebuilt += 1
    tail = chains(sure)[-1].tail()
    through_ns = tail.through_ns if tail else 0
    outcome.stale += bool(by(run.found, through_ns) - set(held))
    outcome.invented += held != run.order[: len(held)]
    missing = [each for each in run.found if through_ns < each.answered_ns <= at_ns]
    oldest_ns = min((each.answered_ns for each in missing), default=at_ns)
    outcome.behind_s = max(outcome.behind_s, (at_ns - oldest_ns) / 1e9)
