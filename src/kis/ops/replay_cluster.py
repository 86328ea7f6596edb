"""Where requests are sized on a Dask cluster: what `replay_pool` does, on other machines too.

It needs `kis-backend[dask]` here and on the workers, and is imported only when asked for.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import ExitStack, contextmanager

from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.comm.addressing import get_address_host_port

from kis.estimate.model import ENGINE_VERSION
from kis.estimate.verdict import Judgement, judge_all, pack, unpack
from kis.knowledge.snapshot import Snapshot
from kis.ops.replay_pool import Judged, Sizer, Versions, snapshots

LOCAL = "local"
PATIENCE_S = 15
"""How long a scheduler may take to answer, and to have a worker."""


class ClusterUnusable(Exception):  # noqa: N818 - says what is the case
    """There is no scheduler, no worker, or another engine. The message says which."""


@contextmanager
def sizing_on(scheduler: str, versions: Versions, workers: int) -> Iterator[Sizer]:
    """Size under `versions` on the workers of `scheduler`, e.g. `tcp://10.0.0.5:8786`.

    `LOCAL` starts a cluster of so many `workers` on this machine. A worker that is
    lost costs nothing: what it had is sized by another one. While a sizer waits it
    raises `BrokenExecutor` when the cluster is lost, and `ClusterUnusable`.

    Raises:
        ClusterUnusable: nobody answers, or nobody works there.

    """
    with ExitStack() as stack:
        if scheduler == LOCAL:
            scheduler = stack.enter_context(local_cluster(workers)).scheduler_address
        try:
            # Asked here: a client of an address that is none takes a minute to end.
            get_address_host_port(scheduler)
            client = Client(scheduler, timeout=PATIENCE_S, set_as_default=False)  # type: ignore[no-untyped-call]
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except (OSError, ValueError) as error:
            message = f"no Dask cluster at {scheduler}: {error}"
            raise ClusterUnusable(message) from error
        # To each worker once: a version may have megabytes.
        known = client.scatter(versions, broadcast=True)  # type: ignore[no-untyped-call]
        yield _sizer_of(client, known)


def local_cluster(workers: int) -> LocalCluster:
    """Start a cluster of so many processes, for this machine alone."""
    # Its web server cannot be left out; its port would be the same for all clusters.
    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )  # fmt: skip


def _sizer_of(client: Client, versions: Future[Versions]) -> Sizer:
    def submit(requests: Sequence[bytes]) -> Judged:
        if not requests:
            return list
        # Not pure: a name for the requests would be computed from all of them.
        future = client.submit(_judge, versions, ENGINE_VERSION, list(requests), pure=False)

        def wait() -> list[Judgement]:
            try:
                return unpack(future.result())
            except (KilledWorker, CancelledError, OSError) as error:
                message = f"the Dask cluster was lost: {error}"
                raise BrokenExecutor(message) from error

        return wait

    return submit


# --- in a worker ------------------------------------------------------------------------

_turn = threading.Lock()
_known: dict[tuple[str, str], tuple[Snapshot, Snapshot | None]] = {}
"""What this worker sizes under: the latest versions that it was given."""


def _judge(versions: Versions, engine: str, requests: list[bytes]) -> bytes:
    """Judge `requests`, with the engine that the replay was begun with.

    One at a time: threads would only share one core, and a snapshot remembers.

    Raises:
        ClusterUnusable: this worker has another engine.

    """
    if engine != ENGINE_VERSION:
        message = f"a worker has engine {ENGINE_VERSION}, and the replay engine {engine}"
        raise ClusterUnusable(message)
    key = (versions.after.digest, versions.before.digest if versions.before else "")
    with _turn:
        if key not in _known:
            _known.clear()
            _known[key] = snapshots(versions)
        after, before = _known[key]
        return pack(judge_all(requests, after, before))
