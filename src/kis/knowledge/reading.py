"""Any version ready to be read: its rows in pages, and a snapshot to estimate under.

The active one is in memory already. Of the others the last one that was asked for is
kept for some minutes: who scrolls a table asks for the same one many times.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from kis.db.engine import Database
from kis.knowledge import refusals, store
from kis.knowledge.active import ActiveKnowledge, give_way
from kis.knowledge.content import Documents, decode_tables
from kis.knowledge.finding import Row, find_rows
from kis.knowledge.model import Part
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.store import Version

KEPT_S = 300


class Found(NamedTuple):
    """Some rows of a table, in the table's order. `total` is how many rows match."""

    total: int
    rows: Sequence[Row]


class Reader:
    """Reads versions whose content is fixed."""

    def __init__(self, *, database: Database, knowledge: ActiveKnowledge) -> None:
        """Read from `database`, but for the active version."""
        self._database = database
        self._knowledge = knowledge
        self._turn = asyncio.Lock()
        self._kept: Snapshot | None = None
        self._filtered: tuple[str, Part, str, Sequence[int]] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, label: str) -> Snapshot:
        """Return the version of that label, ready to be used.

        Raises:
            DomainError: VERSION_NOT_FOUND, VERSION_NOT_VALIDATED.
            ContentError: what is stored is not what was stored.

        """
        version = await self._database.read(lambda c: store.require_version(c, label, "$.label"))
        if version.state != "validated":
            raise refusals.not_validated(label, "$.label")
        async with self._turn:
            for held in (self._knowledge.current.snapshot, self._kept):
                if held is not None and held.digest == version.digest:
                    self._keep_on()
                    return held
            self._kept = None  # before the next one is loaded: two would be large
            documents = await self._database.read(lambda c: _load(c, version))
            self._kept = await asyncio.to_thread(_decode, documents, version)
            self._keep_on()
            return self._kept

    async def find(self, label: str, part: Part, text: str, first: int, count: int) -> Found:
        """Return the rows of a part that hold all words of `text`, `count` from `first` on.

        Raises:
            DomainError, ContentError: as `open`.

        """
        snapshot = await self.open(label)
        rows: Sequence[Row] = getattr(snapshot.tables, part)
        if not text.strip():
            return Found(len(rows), rows[first : first + count])
        asked = (snapshot.digest, part, text)
        if self._filtered is None or self._filtered[:3] != asked:
            places = await asyncio.to_thread(find_rows, rows, text, give_way)
            self._filtered = (*asked, places)
        places = self._filtered[3]
        return Found(len(places), [rows[place] for place in places[first : first + count]])

    def _keep_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(KEPT_S, self._forget)

    def _forget(self) -> None:
        self._kept = self._filtered = self._timer = None


def _load(connection: Connection, version: Version) -> Documents:
    return store.load_documents(connection, version)


def _decode(documents: Documents, version: Version) -> Snapshot:
    return Snapshot(
        decode_tables(documents, give_way), label=version.label, digest=documents.digest,
        version_id=version.id, give_way=give_way,
    )  # fmt: skip
