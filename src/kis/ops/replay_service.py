"""A replay inside the service: of a bounded number, one at a time, giving way to requests."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from functools import partial

from kis.db.engine import Database
from kis.estimate.replay_report import ReplayReport, report_of
from kis.estimate.verdict import Judgement, judge_all
from kis.knowledge.progress import Progress, Tell, untold
from kis.knowledge.snapshot import Snapshot
from kis.ops.apart import in_thread
from kis.ops.replay import Prepared, Replay, ReplayOrder, prepare
from kis.ops.replay_pool import Judged, Sizer, snapshots

MAX_ESTIMATES = 10_000
"""More is for the command line: it has all cores, and tells how far it is."""
AT_ONCE = 8
"""About half a millisecond of work: then whoever waits for the interpreter gets it."""
PAUSE_S = 0.000_5
A_PAGE = 200
"""A tenth of a second: then it can be stopped."""

logger = logging.getLogger("kis.ops")


class Stopped(Exception):  # noqa: N818 - says what is the case
    """Nobody waits for the replay any more."""


class ReplayService:
    """Replays the latest estimates."""

    def __init__(self, *, database: Database) -> None:
        """Read from `database`."""
        self._database = database
        self._turn = asyncio.Lock()

    async def replay(self, order: ReplayOrder, tell: Tell = untold) -> ReplayReport:
        """Replay `order`, which has a `last` of at most `MAX_ESTIMATES`.

        `tell` is called now and then, in another thread. Where this is cancelled the replay
        is stopped, and has ended.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED.

        """
        async with self._turn:
            tell(Progress("load"))
            prepared = await self._database.read(lambda c: prepare(c, order))
            stopped = threading.Event()
            return await in_thread(partial(self._run, prepared, tell, stopped), stopped.set)

    def _run(self, prepared: Prepared, tell: Tell, stopped: threading.Event) -> ReplayReport:
        def give_way() -> None:
            if stopped.is_set():
                raise Stopped
            time.sleep(PAUSE_S)

        found = Replay(self._database, prepared, page=A_PAGE)
        order, total = prepared.order, prepared.ids.size
        try:
            sizer = size_gently(*snapshots(prepared.versions, give_way))
            tell(Progress("latest", 0, total))
            found.run(
                sizer, is_stopped=stopped.is_set,
                tell=lambda how_far: tell(Progress("latest", how_far.done, total)),
            )  # fmt: skip
            give_way()
        except Stopped:
            done = found.tally.total
            logger.info("replay under %s stopped at %d of %d", order.version, done, total)
            raise
        return report_of(found.tally, order.version, order.against)


def size_gently(after: Snapshot, before: Snapshot | None = None) -> Sizer:
    """Return what sizes requests in the calling thread, with a pause after every few.

    Without, the event loop would wait for each of its turns as long as the
    interpreter lets a thread have its own, which is ten times as long.
    """

    def submit(requests: Sequence[bytes]) -> Judged:
        def judge_gently() -> list[Judgement]:
            judgements: list[Judgement] = []
            for at in range(0, len(requests), AT_ONCE):
                judgements += judge_all(requests[at : at + AT_ONCE], after, before)
                time.sleep(PAUSE_S)
            return judgements

        return judge_gently

    return submit
