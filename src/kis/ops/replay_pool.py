"""Where requests are sized: in this process, or on all cores in processes of their own.

A worker gets the versions once, as the bytes that they are stored as, and then only
requests. It holds no connection and no file, so it can stand on another machine.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from kis.estimate.verdict import Judgement, judge_all, pack, unpack
from kis.knowledge.content import Documents, decode_tables
from kis.knowledge.pace import GiveWay, go_on
from kis.knowledge.snapshot import Snapshot
from kis.ops.spawned import become_worker, spawned

Judged = Callable[[], list[Judgement]]
"""Waits for the judgements of some requests, in their order."""

Sizer = Callable[[Sequence[bytes]], Judged]
"""Takes bare requests to size; many of them may be on their way at once."""


class Versions(NamedTuple):
    """The version to replay under, and the one to compare with instead of the answers."""

    after: Documents
    before: Documents | None


def size_here(after: Snapshot, before: Snapshot | None = None) -> Sizer:
    """Return what sizes requests in the calling thread, when it waits for them."""

    def submit(requests: Sequence[bytes]) -> Judged:
        return lambda: judge_all(requests, after, before)

    return submit


@contextmanager
def sizing(versions: Versions, workers: int) -> Iterator[Sizer]:
    """Size under `versions` in `workers` processes; in this one where that is 1.

    Raises:
        ContentError: what is stored is not what was stored.

    """
    if workers == 1:
        yield size_here(*snapshots(versions))
        return
    with spawned(workers, _begin, versions) as pool:
        yield _sizer_of(pool)


def _sizer_of(pool: ProcessPoolExecutor) -> Sizer:
    def submit(requests: Sequence[bytes]) -> Judged:
        if not requests:
            return list
        future: Future[bytes] = pool.submit(_judge, list(requests))
        return lambda: unpack(future.result())

    return submit


def snapshots(versions: Versions, give_way: GiveWay = go_on) -> tuple[Snapshot, Snapshot | None]:
    """Return the versions ready for use; `give_way` is called now and then.

    Raises:
        ContentError: what is stored is not what was stored.

    """
    after = Snapshot(decode_tables(versions.after, give_way), label="after", give_way=give_way)
    if versions.before is None:
        return after, None
    before = decode_tables(versions.before, give_way)
    return after, Snapshot(before, label="before", give_way=give_way)


# --- in a worker ------------------------------------------------------------------------

_known: list[tuple[Snapshot, Snapshot | None]] = []
"""What this worker sizes under: the one thing that it is given."""


def _begin(versions: Versions) -> None:
    """Make this process a worker."""
    become_worker()
    _known.append(snapshots(versions))
    gc.collect()
    gc.freeze()


def _judge(requests: list[bytes]) -> bytes:
    after, before = _known[0]
    return pack(judge_all(requests, after, before))
