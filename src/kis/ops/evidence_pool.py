"""Verifies stored evidence on all cores, in processes that read the database themselves."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from kis.db.engine import Database, open_database
from kis.estimate import proofs
from kis.estimate.tables import estimate_table
from kis.evidence import key_store
from kis.evidence.keys import Opener
from kis.ops.installation import count_rows
from kis.ops.spawned import become_worker, spawned

PAGE = 200
SLOW_MS = 60_000.0
FEW = 2_000
"""Up to so many are verified in this process: to start others takes longer."""


class Places(NamedTuple):
    """Where the evidence is, where else to look up what is not valid there, and what opens."""

    url: str
    source_url: str | None
    opener: Opener


class Fault(NamedTuple):
    """Evidence that is not valid; `was_so` when the source says the same of it."""

    estimate_id: str
    reason: str
    was_so: bool


def estimate_ids(database: Database) -> Iterator[list[str]]:
    """Yield the ids of all estimates, in pages, each read in a transaction of its own."""
    page: list[str] = []
    while True:
        page = database.read_now(partial(_ids_after, page[-1] if page else ""))
        if page:
            yield page
        if len(page) < PAGE:
            return


def _ids_after(after: str, connection: Connection) -> list[str]:
    ids = estimate_table.c.id
    return list(connection.scalars(select(ids).where(ids > after).order_by(ids).limit(PAGE)))


def sample_ids(database: Database, count: int) -> Iterator[list[str]]:
    """Yield `count` ids by chance, in pages."""
    query = select(estimate_table.c.id).order_by(func.random()).limit(count)
    ids = database.read_now(lambda c: list(c.scalars(query)))
    return (ids[at : at + PAGE] for at in range(0, len(ids), PAGE))


def ids_to_verify(database: Database, at_most: int | None) -> tuple[int, Iterator[list[str]]]:
    """Return how many ids to verify, and them in pages: all, or `at_most` of them by chance."""
    total = database.read_now(count_rows)["Estimate"]
    if at_most is None or at_most >= total:
        return total, estimate_ids(database)
    return at_most, sample_ids(database, at_most)


def find_faults(
    places: Places,
    pages: Iterable[Sequence[str]],
    total: int,
    workers: int,
    tell: Callable[[int], None],
) -> Iterator[Fault]:
    """Yield what is not valid of the evidence of `pages`; `tell` of each page how many it had.

    Raises:
        BrokenProcessPool: a worker was killed.
        DatabaseUnavailable: a database does not answer.

    """
    with _verifying(places, 1 if total <= FEW else workers) as verify:
        under_way: deque[tuple[int, Callable[[], list[Fault]]]] = deque()
        for page in pages:
            under_way.append((len(page), verify(page)))
            # Some in store for each worker, and no more in memory than that.
            if len(under_way) > workers * 3:
                yield from _next(under_way, tell)
        while under_way:
            yield from _next(under_way, tell)


def _next(
    under_way: deque[tuple[int, Callable[[], list[Fault]]]], tell: Callable[[int], None]
) -> list[Fault]:
    count, result = under_way.popleft()
    found = result()
    tell(count)
    return found


@contextmanager
def _verifying(
    places: Places, workers: int
) -> Iterator[Callable[[Sequence[str]], Callable[[], list[Fault]]]]:
    if workers == 1:
        verifier = _Verifier(places)
        try:
            yield lambda ids: lambda: verifier.faults(ids)
        finally:
            verifier.close()
        return
    with spawned(workers, _begin, places) as pool:

        def submit(ids: Sequence[str]) -> Callable[[], list[Fault]]:
            future: Future[list[Fault]] = pool.submit(_faults, list(ids))
            return future.result

        yield submit


class _Verifier:
    """Verifies by ids, with connections of its own."""

    def __init__(self, places: Places) -> None:
        self._target = open_database(places.url, slow_query_ms=SLOW_MS)
        stored = self._target.read_now(key_store.load_secrets)
        self._keyring = places.opener.open_to_verify(stored)
        self._source_url = places.source_url
        self._source: Database | None = None

    def faults(self, ids: Sequence[str]) -> list[Fault]:
        reasons = self._reasons(self._target, ids)
        if not reasons:
            return []
        before = self._before(list(reasons))
        return [Fault(i, reason, before.get(i) == reason) for i, reason in reasons.items()]

    def _reasons(self, database: Database, ids: Sequence[str]) -> dict[str, str]:
        return database.read_now(lambda c: proofs.find_faults(c, ids, self._keyring))

    def _before(self, ids: Sequence[str]) -> dict[str, str]:
        """Return what the source says of them."""
        if self._source_url is None:
            return {}
        if self._source is None:
            self._source = open_database(self._source_url, slow_query_ms=SLOW_MS)
        return self._reasons(self._source, ids)

    def close(self) -> None:
        self._target.close()
        if self._source is not None:
            self._source.close()


# --- in a worker ------------------------------------------------------------------------

_verifiers: list[_Verifier] = []


def _begin(places: Places) -> None:
    become_worker()
    _verifiers.append(_Verifier(places))


def _faults(ids: list[str]) -> list[Fault]:
    return _verifiers[0].faults(ids)
