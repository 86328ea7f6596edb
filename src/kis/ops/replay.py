"""Replays stored estimates under another version: pages in, sizes on all cores, a tally out.

The database is read in pages by id, each in a transaction of its own: a long one
would keep the write-ahead log from being emptied. Equal requests are sized once.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from kis import clock
from kis.db.engine import Database
from kis.estimate.causes import UNKNOWN, Cause, Differences, causes_of, differences
from kis.estimate.replay import Counter, StoredSize, Tally
from kis.estimate.replay_report import regression_of
from kis.estimate.store import IdRange, find_range, load_sizes
from kis.estimate.verdict import Judgement, Verdict
from kis.knowledge import progress, refusals, store
from kis.knowledge.content import Documents, decode_tables
from kis.knowledge.progress import Tell, untold
from kis.knowledge.regression import Regression
from kis.knowledge.snapshot import Snapshot
from kis.ops import replay_checkpoint
from kis.ops.replay_checkpoint import Checkpoint
from kis.ops.replay_pool import Judged, Sizer, Versions, size_here

PAGE = 2_000
AT_ONCE = 50
"""How many an activation replays before it tells how far it is."""
IN_FLIGHT = 8
"""Pages that are being sized while the first of them is counted."""
REMEMBERED = 200_000
"""How many judgements are kept at least, most recent first; about 100 bytes each."""
SAVE_EVERY_S = 1.0


class ReplayOrder(NamedTuple):
    """What to replay: under which version, compared with what, and which estimates.

    `against` None compares with what was answered. Without `last` and `since`, all.
    """

    version: str
    against: str | None = None
    last: int | None = None
    since: datetime | None = None


class Prepared(NamedTuple):
    """An order with what the database has to it."""

    order: ReplayOrder
    versions: Versions
    key: str
    ids: IdRange


def prepare(connection: Connection, order: ReplayOrder) -> Prepared:
    """Load the versions of `order`, and find out which estimates it is about.

    Raises:
        DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED.

    """
    after = _documents(connection, order.version, "$.versionLabel")
    before = None
    if order.against is not None:
        before = _documents(connection, order.against, "$.against")
    filtered_by = f"last {order.last} since {order.since and order.since.isoformat()}"
    key = replay_checkpoint.key_of(
        after.digest, None if before is None else before.digest, filtered_by
    )
    ids = find_range(connection, last=order.last, since=order.since)
    return Prepared(order, Versions(after, before), key, ids)


def _documents(connection: Connection, label: str, path: str) -> Documents:
    version = store.require_version(connection, label, path)
    if version.state != "validated":
        raise refusals.not_validated(label, path)
    return store.load_documents(connection, version)


class Progress(NamedTuple):
    """How far a replay is; `resumed` when it went on from a checkpoint."""

    done: int
    total: int
    resumed: bool


class Replay:
    """One replay. `run` may be interrupted and, with `checkpoints`, gone on with later."""

    def __init__(
        self,
        database: Database,
        prepared: Prepared,
        checkpoints: Path | None = None,
        *,
        restart: bool = False,
        page: int | None = None,
    ) -> None:
        """Begin, or go on where a checkpoint in the folder `checkpoints` stands.

        `restart` begins anew all the same. It can be stopped after each `page` estimates;
        None: `PAGE`.
        """
        self._page = page or PAGE
        self._database = database
        if checkpoints:
            replay_checkpoint.forget_old(checkpoints, clock.now())
        self._path = checkpoints and replay_checkpoint.path_of(checkpoints, prepared.key)
        found = None
        if self._path and not restart:
            found = replay_checkpoint.load(self._path, prepared.key)
        self.resumed = found is not None
        self._state = found or Checkpoint(prepared.key, prepared.ids, prepared.ids.after, Tally())
        explain = Explainer(database, prepared.order)
        self._counter = Counter(self._state.tally, explain)
        self._saved_at = 0.0

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        return self._state.tally

    def run(
        self, sizer: Sizer, *, is_stopped: Callable[[], bool], tell: Callable[[Progress], None]
    ) -> bool:
        """Replay to the end; False when `is_stopped` came first. Calls `tell` now and then."""
        memory = Memory()
        pages: deque[_Page] = deque()
        read_up_to = self._state.done
        is_read = False
        try:
            while not is_stopped():
                while not is_read and len(pages) < IN_FLIGHT:
                    rows = self._read(read_up_to)
                    is_read = len(rows) < self._page
                    if rows:
                        read_up_to = rows[-1].id
                        pages.append(_Page(rows, memory, sizer))
                if not pages:
                    self._counter.settle()
                    self._forget()
                    return True
                self._count(pages.popleft(), tell)
        except BaseException:
            self._save()
            raise
        self._save()
        return False

    def _read(self, after: str) -> list[StoredSize]:
        upto = self._state.ids.upto
        return self._database.read_now(lambda c: load_sizes(c, after, upto, self._page))

    def _count(self, page: "_Page", tell: Callable[[Progress], None]) -> None:
        judgements = page.judgements()
        self._counter.add(page.rows, judgements)
        self._state.done = page.rows[-1].id
        now = time.monotonic()
        if now - self._saved_at >= SAVE_EVERY_S:
            self._saved_at = now
            self._save()
            tell(Progress(self.tally.total, self._state.ids.size, self.resumed))

    def _save(self) -> None:
        self._counter.settle()
        if self._path:
            replay_checkpoint.save(self._path, self._state)

    def _forget(self) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)


# --- each request once ------------------------------------------------------------------


class _Slot(msgspec.Struct, gc=False):
    """Where the judgement of a request will stand, for all that ask for the same."""

    judgement: Judgement | None = None


class Memory:
    """Judgements by request: at least the latest `limit`, at most twice as many."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        """Begin empty."""
        self._limit = limit
        self._young: dict[bytes, _Slot] = {}
        self._old: dict[bytes, _Slot] = {}
        self._equal: dict[Judgement, Judgement] = {}

    def slot(self, request: bytes) -> tuple[_Slot, bool]:
        """Return the slot of `request`, and whether it is new."""
        # By digest: the requests themselves would take five times the room.
        key = hashlib.blake2b(request, digest_size=16).digest()
        slot = self._young.get(key)
        if slot is not None:
            return slot, False
        slot = self._old.get(key)
        is_new = slot is None
        slot = slot or _Slot()
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[key] = slot
        return slot, is_new

    def share(self, judgement: Judgement) -> Judgement:
        """Return the one object for all judgements like this: there are few sizes."""
        if len(self._equal) >= self._limit:
            self._equal.clear()
        return self._equal.setdefault(judgement, judgement)


class _Page:
    """Some estimates, on the way to their judgements."""

    def __init__(self, rows: list[StoredSize], memory: Memory, sizer: Sizer) -> None:
        self.rows = rows
        self._memory = memory
        self._slots: list[_Slot] = []
        self._new: list[_Slot] = []
        requests: list[bytes] = []
        for row in rows:
            slot, is_new = memory.slot(row.request)
            self._slots.append(slot)
            if is_new:
                self._new.append(slot)
                requests.append(row.request)
        self._judged: Judged = sizer(requests)

    def judgements(self) -> Iterable[Judgement]:
        """Return one judgement a row; pages before this one were asked before."""
        for slot, judgement in zip(self._new, self._judged(), strict=True):
            slot.judgement = self._memory.share(judgement)
        return [slot.judgement for slot in self._slots if slot.judgement is not None]


def replay_rows(rows: list[StoredSize], sizer: Sizer, tell: Tell = untold) -> Tally:
    """Replay a few estimates at once; their causes are not looked for."""
    tally = Tally()
    counter = Counter(tally, lambda *_: ())
    memory = Memory()
    for first in range(0, len(rows), AT_ONCE):
        tell(progress.Progress("latest", first, len(rows)))
        some = rows[first : first + AT_ONCE]
        counter.add(some, _Page(some, memory, sizer).judgements())
    counter.settle()
    return tally


def latest_sizes(connection: Connection, limit: int) -> list[StoredSize]:
    """Return the latest estimates, oldest first."""
    ids = find_range(connection, last=limit)
    return load_sizes(connection, ids.after, ids.upto, limit)


def regress(rows: list[StoredSize], snapshot: Snapshot, tell: Tell = untold) -> Regression:
    """Return what an activation of `snapshot` would make of the latest estimates."""
    return regression_of(replay_rows(rows, size_here(snapshot), tell))


# --- why --------------------------------------------------------------------------------


class Explainer:
    """Tells why an estimate changed: the rows that its own version has otherwise.

    Compared with answers, each estimate's own version counts; the latest two of
    these are held, as estimates come in the order of time.
    """

    def __init__(self, database: Database, order: ReplayOrder) -> None:
        """Load versions when they are needed."""
        self._database = database
        self._order = order
        self._after: Snapshot | None = None
        self._found: dict[str, Differences | None] = {}

    def __call__(self, row: StoredSize, before: Verdict, after: Verdict) -> tuple[Cause, ...]:
        """Return the causes of one estimate that is not as before."""
        found = self._differences(self._order.against or row.knowledge_version)
        if found is None:
            return (UNKNOWN,)
        return causes_of(row.request, (before.model, after.model), found)

    def _differences(self, label: str) -> Differences | None:
        """Return what the version in question has otherwise than `label`; None: it is gone."""
        if label not in self._found:
            while len(self._found) > 1:
                del self._found[next(iter(self._found))]
            before = self._load(label)
            self._after = self._after or self._load(self._order.version)
            self._found[label] = (
                None if before is None or self._after is None
                else differences(before, self._after)
            )  # fmt: skip
        return self._found[label]

    def _load(self, label: str) -> Snapshot | None:
        def load(connection: Connection) -> Snapshot | None:
            version = store.load_version(connection, label)
            if version is None or version.state != "validated":
                return None
            documents = store.load_documents(connection, version)
            return Snapshot(decode_tables(documents), label=label)

        return self._database.read_now(load)
