"""Follows what other processes activate.

The pointer is looked at each second (`fleet`), and whenever a write was refused
because it has moved. No message is needed for an estimate to be of the active
version: the write itself checks that.
"""

import asyncio
import logging

from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge import store
from kis.knowledge.active import Active, ActiveKnowledge, give_way
from kis.knowledge.workers import Failure

logger = logging.getLogger("kis.knowledge")


class Follower:
    """Keeps `ActiveKnowledge` with the pointer in the database."""

    def __init__(self, database: Database, knowledge: ActiveKnowledge) -> None:
        """Wire the parts."""
        self._database = database
        self._knowledge = knowledge
        self._turn = asyncio.Lock()

    async def catch_up(self, seen: Active) -> None:
        """Put the active version in place of `seen`, unless that was done meanwhile.

        Raises:
            DatabaseUnavailable: it cannot be loaded.

        """
        async with self._turn:
            if self._knowledge.current is not seen:
                return
            version = await self._database.read(store.load_active_version)
            if version.id == seen.snapshot.version_id:
                return
            try:
                active = await self._database.read(
                    lambda c: store.load_active(c, version, give_way=give_way)
                )
            except DatabaseUnavailable:
                raise
            except Exception as error:  # whatever a newer program stored there
                problem = f"version {version.label} is active and cannot be loaded: {error}"
                self._knowledge.failure = Failure(version.id, problem)
                raise DatabaseUnavailable(problem) from error
            if self._knowledge.current is not seen:
                return  # an activation of this process was quicker
            self._knowledge.swap(active)
            logger.info("now follows version %s", active.snapshot.label)

    async def look(self) -> None:
        """Catch up if another process has activated a version.

        Raises:
            DatabaseUnavailable: as `catch_up`.

        """
        seen = self._knowledge.current
        pointer = await self._database.read(store.load_pointer)
        if pointer is None:
            return
        if pointer.version_id != seen.snapshot.version_id:
            await self.catch_up(seen)
        else:
            self._knowledge.failure = None
