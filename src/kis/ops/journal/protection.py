"""Continuous protection as the service wires it: the journal, and its bases."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from prometheus_client import Metric

from kis.db.engine import Database
from kis.ops.gauges import gauge
from kis.ops.journal.bases import BaseKeeper
from kis.ops.journal.folder import chains
from kis.ops.journal.rebuilding import spans
from kis.ops.journal.service import Journal
from kis.settings import Settings


class JournalSpan(msgspec.Struct, frozen=True, rename="camel"):
    """Moments that can be restored, without a gap."""

    first: datetime
    last: datetime


class JournalStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Of the journal: what it can restore, its size, and how it is doing.

    `lagSeconds`: what was committed longer ago than that is copied; null: no server runs that
    would copy. `trouble` is empty when all is well.
    """

    is_on: bool
    folder: str
    spans: tuple[JournalSpan, ...]
    bytes: int
    lag_seconds: float | None
    trouble: str


class Protection:
    """The journal of a running service, from before its first write until it is closed."""

    def __init__(self, database: Database, settings: Settings, now_ns: Callable[[], int]) -> None:
        """Protect `database` as `settings` say: not at all where it is no SQLite file.

        Made before the first write. `now_ns` gives the time in ns since 1970.
        """
        self._folder = Path(settings.journal_dir)
        self._journal: Journal | None = None
        self._bases: BaseKeeper | None = None
        if database.wal is not None and settings.journal_days:
            database.wal.hold()
            self._journal = Journal(database.wal, self._folder, now_ns)
            self._bases = BaseKeeper(
                self._journal, database.wal.database_file, settings.journal_days, now_ns
            )

    @property
    def is_on(self) -> bool:
        """Whether there is a journal."""
        return self._journal is not None

    @property
    def lag_s(self) -> float:
        """How long ago that was committed which is not in the journal, at most; 0 without one."""
        return 0.0 if self._journal is None else self._journal.lag_s

    @property
    def trouble(self) -> str:
        """What is wrong, or empty."""
        if self._journal is None or self._bases is None:
            return ""
        return self._journal.trouble or self._bases.trouble

    @property
    def bytes(self) -> int:
        """The size of the journal on its disk; 0 where it cannot be read."""
        return size_of(self._folder) if self.is_on else 0

    def start(self) -> None:
        """Begin, before anybody writes."""
        if self._journal is not None and self._bases is not None:
            self._journal.start()
            self._bases.start()

    def stop(self) -> None:
        """Copy the rest, after the last write."""
        if self._journal is not None and self._bases is not None:
            self._bases.stop()
            self._journal.stop()

    def finish(self) -> None:
        """Note that nothing is missing, after the database was closed."""
        if self._journal is not None:
            self._journal.finish()

    def gauges(self) -> Iterator[Metric]:
        """Return metrics; nothing where there is no journal."""
        if self.is_on:
            for name, about, value in (
                ("working", "1: commits are copied to the journal; 0: trouble", not self.trouble),
                ("lag_seconds", "Age of the last copy to the journal", self.lag_s),
                ("bytes", "Size of the journal", self.bytes),
            ):
                yield gauge(f"kis_journal_{name}", about, [({}, float(value))])

    def status(self) -> JournalStatus:
        """Return how it is doing; reads the folder."""
        found = status_of(self._folder, is_on=self.is_on)
        if self._journal is None:
            return found
        return msgspec.structs.replace(
            found, lag_seconds=round(self.lag_s, 3), trouble=self.trouble or found.trouble
        )


def status_of(folder: Path, *, is_on: bool) -> JournalStatus:
    """Return what the journal in `folder` can restore, whether or not anybody writes it."""
    known: tuple[JournalSpan, ...] = ()
    trouble = ""
    try:
        known = tuple(JournalSpan(span.first, span.last) for span in spans(folder))
    except OSError as error:
        trouble = f"{type(error).__name__}: {error}"
    return JournalStatus(is_on, str(folder), known, size_of(folder), None, trouble)


def size_of(folder: Path) -> int:
    """Return the bytes that the journal in `folder` takes; 0 where it cannot be read."""
    try:
        return sum(chain.bytes() for chain in chains(folder))
    except OSError:
        return 0
