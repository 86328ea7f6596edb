"""A replay inside the service: of a bounded number, one at a time, giving way to requests."""

import asyncio
import time
from collections.abc import Callable, Sequence

from kis.db.engine import Database
from kis.estimate.replay_report import ReplayReport, report_of
from kis.estimate.verdict import Judgement, judge_all
from kis.knowledge.snapshot import Snapshot
from kis.ops.replay import Prepared, Progress, Replay, ReplayOrder, prepare
from kis.ops.replay_pool import Judged, Sizer, snapshots

MAX_ESTIMATES = 10_000
"""More is for the command line: it has all cores, and tells how far it is."""

AT_ONCE = 8
"""About half a millisecond of work: then whoever waits for the interpreter gets it."""
PAUSE_S = 0.000_5


class ReplayService:
    """Replays the latest estimates."""

    def __init__(self, *, database: Database) -> None:
        """Read from `database`."""
        self._database = database
        self._turn = asyncio.Lock()

    async def replay(
        self, order: ReplayOrder, tell: Callable[[Progress], None] = lambda _: None
    ) -> ReplayReport:
        """Replay `order`, which has a `last` of at most `MAX_ESTIMATES`.

        `tell` is called now and then, in another thread.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED.

        """
        async with self._turn:
            prepared = await self._database.read(lambda c: prepare(c, order))
            return await asyncio.to_thread(self._run, prepared, tell)

    def _run(self, prepared: Prepared, tell: Callable[[Progress], None]) -> ReplayReport:
        sizer = size_gently(*snapshots(prepared.versions))
        found = Replay(self._database, prepared)
        found.run(sizer, is_stopped=lambda: False, tell=tell)
        return report_of(found.tally, prepared.order.version, prepared.order.against)


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
