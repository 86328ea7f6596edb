"""Looks up what many requests ask for by key, in one read for all that ask at once.

A read of one row is a microsecond of the database, and a hundred times that of hops
between threads, of transactions and of statements. So whoever asks while a read is
under way waits for the next one, and shares it. Nothing is kept: each read begins
after those who share it have asked.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from sqlalchemy import Connection

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError

T = TypeVar("T")

Load = Callable[[Connection, Collection[str]], Mapping[str, T]]
"""Reads what is stored under some keys; a key with nothing is left out."""


class Lookup(Generic[T]):
    """Finds values by key, on the read connections of a database. For one event loop."""

    def __init__(self, database: Database, load: Load[T]) -> None:
        """Read by `load`, which runs in a thread."""
        self._database = database
        self._load = load
        self._keys: set[str] = set()
        self._next: asyncio.Task[Mapping[str, T]] | None = None
        self._turn = asyncio.Lock()

    async def find(self, key: str) -> T | None:
        """Return what is stored under `key`; None when nothing is.

        Raises:
            DomainError: NOT_READY, as `Database.read`.
            DatabaseUnavailable: the server does not answer.
            Exception: what `load` raised for this key alone.

        """
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        self._keys.add(key)
        try:
            # Who gives up takes nobody along.
            found = await asyncio.shield(self._next)
        except (DomainError, DatabaseUnavailable):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it may be the fault of another key
            found = await self._database.read(lambda c: self._load(c, {key}))
        return found.get(key)

    async def _read(self) -> Mapping[str, T]:
        """Read the keys that have come until it is this read's turn."""
        async with self._turn:
            keys, self._keys, self._next = self._keys, set(), None
            return await self._database.read(lambda c: self._load(c, keys))
