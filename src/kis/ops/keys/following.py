"""Keeps this process with the keys in the database, whoever changes them.

They are looked at twice a second, and when another process says that it has changed
them. What this process changes holds at once: it is put in place by the commit itself.
A key that nobody here knows is looked up before it is refused, for another process may
have made it just now. And where nobody has looked for long, or the others have not heard
of this process, any key is: it may have been revoked.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from kis.access import store
from kis.access.keys import EnvKey, Key, KeySet
from kis.access.rules import State, StoredKey, state_of, valid_keys
from kis.access.tokens import key_id_in
from kis.db.engine import Database
from kis.db.locks import lock_keys
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.evidence.keys import CurrentLockedError, LiveKeyring
from kis.knowledge import workers
from kis.knowledge.fleet import Fleet
from kis.ops.keys.rows import KeyRows, load_live_rows

LOOK_EVERY_S = 0.5
ASKED_EVERY_S = 0.1
"""Between looks that requests with unknown keys ask for: they may be anybody's."""
NOTE_EVERY_S = 60.0

logger = logging.getLogger("kis.ops")


class KeyFollower:
    """Puts what is stored into the `KeySet` and the `LiveKeyring` of this process."""

    def __init__(
        self, *, database: Database, writer: Writer, keys: KeySet, keyring: LiveKeyring,
        given: Sequence[EnvKey], rows: KeyRows, fleet: Fleet, now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """Wire the parts, and put `rows` in place, which were loaded just now."""
        self._database = database
        self._writer = writer
        self._keys = keys
        self._keyring = keyring
        self.given = {key.key_id: key for key in given}
        self._rows = rows
        self._fleet = fleet
        self._now = now
        self._changes = 0
        self._placing = threading.Lock()
        self._looking, self._asking = asyncio.Lock(), asyncio.Lock()
        # Of the last look that has ended: when it began, and what it met.
        self._looked_s, self._fault = 0.0, ""
        self._noted_s = time.monotonic()
        self._told = self._trouble = ""
        self._place(rows)

    def take(self, rows: KeyRows) -> None:
        """Put `rows` in place, which this process has just committed."""
        with self._placing:
            self._changes += 1
            self._place(rows)

    async def begin(self) -> None:
        """Look before the first answer, as the others know of this process by now.

        What has changed since the start loaded keys, nobody has waited for here.
        """
        self._keys.go_stale(-math.inf)
        await self._look_again()

    async def look(self) -> None:
        """Put in place what is stored.

        Raises:
            DatabaseUnavailable: it cannot be read. Keys that end have ended nevertheless.

        """
        async with self._looking:
            began_s, heard_s = time.monotonic(), self._fleet.heard_s
            try:
                seen = await self._take_stored()
            except Exception as error:
                with self._placing:
                    self._place(self._rows)
                self._looked_s, self._fault = began_s, str(error)
                raise
            self._looked_s, self._fault = began_s, ""
            self._keys.go_stale(heard_s + workers.KEYS_HOLD_S)
            self._fleet.tell_keys(seen)

    async def _take_stored(self) -> str:
        """Put in place what is stored; return what `workers.seen_by` told of it."""

        def load(connection: Connection) -> tuple[str, KeyRows]:
            seen = workers.seen_by(connection)
            return seen, load_live_rows(connection, self._now())

        while True:
            changes = self._changes
            seen, rows = await self._database.read(load)
            with self._placing:
                # What was committed here meanwhile is newer than what was read.
                if self._changes == changes:
                    self._place(rows)
                    return seen

    async def find(self, secret: str) -> Key | None:
        """Return the key of `secret`, which opens nothing here, if there is one now.

        Misspelt ones cost nothing, unless the keys are stale; all others that come together
        cost one look, which begins after they came.

        Raises:
            DatabaseUnavailable: nobody can say.

        """
        if key_id_in(secret) is None and not self._keys.is_stale:
            return None
        await self._look_for_this()
        return self._keys.known(secret)

    async def named(self, key_id: str) -> Key | None:
        """Return the key of that id, as `find` does."""
        await self._look_for_this()
        return self._keys.known_as(key_id)

    async def _look_for_this(self) -> None:
        """Return after a look that began after this was called; one will do for many."""
        asked_s = time.monotonic()
        async with self._asking:
            if self._looked_s <= asked_s:
                await asyncio.sleep(max(0.0, self._looked_s + ASKED_EVERY_S - asked_s))
                await self.look()
            elif self._fault:
                raise DatabaseUnavailable(self._fault)

    def ending(self) -> list[StoredKey]:
        """Return the keys that open until their end comes."""
        now = self._now()
        return [key for key in self._rows.keys if state_of(key, self.given, now) is State.ENDING]

    async def run(self) -> None:
        """Follow until cancelled; each minute, note which keys were used."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._fleet.keys_hint.wait(), LOOK_EVERY_S)
            self._fleet.keys_hint.clear()
            await self._look_again()

    async def _look_again(self) -> None:
        try:
            await self.look()
            if time.monotonic() - self._noted_s >= NOTE_EVERY_S:
                self._noted_s = time.monotonic()
                await self.note_use()
        except Exception as error:  # noqa: BLE001 - whatever it is, this must go on
            self._tell(f"keys cannot be followed: {error}")
        else:
            self._tell(self._trouble)

    async def note_use(self) -> None:
        """Store which keys were used since this was done last.

        Raises:
            DomainError, DatabaseUnavailable: as `Writer.submit`.

        """
        used = self._keys.take_used()
        if used:
            now = self._now()

            def write(connection: Connection) -> None:
                lock_keys(connection)
                store.mark_used(connection, used, now)

            await self._writer.execute(write)

    def _place(self, rows: KeyRows) -> None:
        self._rows = rows
        self._keys.replace(valid_keys(rows.keys, self.given, self._now()))
        self._trouble = ""
        try:
            self._keyring.take(rows.secrets)
        except CurrentLockedError as locked:
            self._trouble = f"{locked} is encrypted under another KIS_MASTER_KEY; sealed with old"

    def _tell(self, trouble: str) -> None:
        """Log a fault, once as long as it lasts."""
        if trouble and trouble != self._told:
            logger.error("%s", trouble)
        self._told = trouble
