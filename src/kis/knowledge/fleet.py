"""The workers: all processes that estimate with the knowledge of one database.

Each says every second which version it has, so that an activation can tell when
all of them have the new one. That is for the owner to know, and for versions that
a worker cannot load; that no estimate is of an old version is the business of the
write itself (`pointer`).

And each says which changes of keys it has seen, so that a key that was revoked opens
nothing anywhere once that is answered. Whoever cannot say so goes by what it has seen
for a few seconds only, and looks before it opens anything then.
"""

import asyncio
import logging
import math
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection

from kis.db import postgres
from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.knowledge import store, workers
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.following import Follower

LOOK_EVERY_S = 1.0
ACKNOWLEDGED_WITHIN_S = 5.0
"""More than a worker that ended takes to be `gone`; what is left of the ten seconds
that an activation may take is for taking it back."""
ASK_EVERY_S = 0.02
WORTH_NAMING_S = 15.0
"""Who was seen before that has ended, and its silence is no news."""

logger = logging.getLogger("kis.knowledge")


class Acknowledgement(msgspec.Struct, frozen=True, rename="camel"):
    """What a worker says to a version that became active.

    `gone`: it was not seen for some seconds, and serves nobody. `passed`: it did
    not get to it before another version became active.
    """

    worker: str
    state: Literal["acknowledged", "failed", "silent", "gone", "passed"]
    problem: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the version cannot stay active with such a worker."""
        return self.state in ("failed", "silent")


class Fleet(Protocol):
    """Whoever else estimates.

    `heard_s`: when this worker last said that it is there, by the monotonic clock; infinite
    where nobody has to know. `keys_hint` is set when keys may have changed.
    """

    heard_s: float
    keys_hint: asyncio.Event

    async def join(self) -> None:
        """Be known to the others, and have what they have, before the first answer."""

    async def run(self, settle_overdue: Callable[[], Awaitable[None]]) -> None:
        """Follow what others activate, and settle what they left, until cancelled."""

    async def acknowledgements(self, version_id: int) -> tuple[Acknowledgement, ...]:
        """Wait until all estimate with `version_id`, and return what each says."""

    async def said(self, version_id: int) -> tuple[Acknowledgement, ...] | None:
        """Return what each says to `version_id` now; None: some have not spoken yet."""

    def tell_keys(self, seen: str) -> None:
        """Say that the keys of a look are in place, which saw what `workers.seen_by` told."""

    async def keys_taken(self, change: str) -> None:
        """Wait until nobody goes by keys from before `change`, a transaction that is committed."""

    async def leave(self) -> None:
        """Say that this worker ends."""


def worker_name() -> str:
    """Return a name for this process that no other one has."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(2).hex()}"


class Alone:
    """The only process, as on SQLite: it has the version when it has activated it."""

    def __init__(self, name: str) -> None:
        """`name` is this worker's."""
        self._name = name
        self.heard_s = math.inf
        self.keys_hint = asyncio.Event()

    async def join(self) -> None:
        """Nobody is there to be told."""

    async def run(self, settle_overdue: Callable[[], Awaitable[None]]) -> None:
        """Nobody is there to be followed."""

    async def acknowledgements(self, _version_id: int) -> tuple[Acknowledgement, ...]:
        """Return this worker's own."""
        return (Acknowledgement(self._name, "acknowledged"),)

    async def said(self, version_id: int) -> tuple[Acknowledgement, ...]:
        """Return this worker's own."""
        return await self.acknowledgements(version_id)

    def tell_keys(self, _seen: str) -> None:
        """Nobody is there to be told."""

    async def keys_taken(self, _change: str) -> None:
        """Nobody is there to be waited for."""

    async def leave(self) -> None:
        """Nobody is there to be told."""


class _Heard(NamedTuple):
    """What the table says: which version is active, what each worker has, if all have spoken."""

    active_id: int | None
    workers: list[workers.Worker]
    is_complete: bool

    def said(self, version_id: int) -> tuple[Acknowledgement, ...]:
        return tuple(
            _acknowledgement(worker, version_id, is_passed=self.active_id != version_id)
            for worker in self.workers
            if worker.age_s < WORTH_NAMING_S
        )


class SharedFleet:
    """All workers on one PostgreSQL, of which this process is one once it has joined."""

    def __init__(
        self, name: str, *, database: Database, words: Database, knowledge: ActiveKnowledge,
        follower: Follower,
    ) -> None:  # fmt: skip
        """Wire the parts. `name` is this worker's.

        `words` is a connection of its own: neither what is estimated nor what is loaded
        may keep a worker from saying that it is there. `leave` closes it.
        """
        self._name = name
        self._database = database
        self._words = words
        self._knowledge = knowledge
        self._follower = follower
        self._hint = asyncio.Event()
        self._news = asyncio.Event()
        self._keys_seen: str | None = None
        self._is_member = False
        self.heard_s = math.inf
        self.keys_hint = asyncio.Event()
        self._told: dict[str, str] = {}

    async def join(self) -> None:
        """Be known to the others, and have what they have, before the first answer."""
        self._is_member, self.heard_s = True, -math.inf
        await self._try("announce", self._announce)
        await self._try("look", self._look)
        await self._try("announce", self._announce)

    async def run(self, settle_overdue: Callable[[], Awaitable[None]]) -> None:
        """Follow what others activate, and say so, each second at least, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._repeat("settle", settle_overdue, asyncio.Event()))
            tasks.create_task(self._repeat("look", self._look, self._hint))
            tasks.create_task(self._repeat("announce", self._announce, self._news))

    async def leave(self) -> None:
        """Say that this worker answers nobody any more."""
        if self._is_member:
            self._is_member = False
            await self._try("leave", self._withdraw)
        self._words.close()

    async def acknowledgements(self, version_id: int) -> tuple[Acknowledgement, ...]:
        """Wait until all have `version_id`, one says that it cannot, or time is up.

        Raises:
            DatabaseUnavailable: the server does not say in time.

        """
        deadline = time.monotonic() + ACKNOWLEDGED_WITHIN_S
        self._news.set()
        while True:
            heard = await self._hear(deadline)
            said = heard.said(version_id)
            states = {ack.state for ack in said}
            if "failed" in states or (heard.is_complete and "silent" not in states):
                return said
            if time.monotonic() > deadline:
                return said if heard.is_complete else (*said, _nobody_knows())
            await asyncio.sleep(ASK_EVERY_S)

    async def said(self, version_id: int) -> tuple[Acknowledgement, ...] | None:
        """Return what each says to `version_id` now; None: some have not spoken yet.

        Raises:
            DatabaseUnavailable: the server does not say.

        """
        heard = await self._hear(time.monotonic() + LOOK_EVERY_S)
        return heard.said(version_id) if heard.is_complete else None

    def tell_keys(self, seen: str) -> None:
        """Say that the keys of a look are in place, which saw what `workers.seen_by` told."""
        self._keys_seen = seen
        self._news.set()

    async def keys_taken(self, change: str) -> None:
        """Wait until nobody goes by keys from before `change`, a transaction that is committed.

        Milliseconds, as a rule. Whoever does not say so opens nothing with them after
        `workers.KEYS_HOLD_S`, so that this does not fail, whatever becomes of the database.
        """
        deadline = time.monotonic() + workers.KEYS_HOLD_S
        behind: list[str] | None = None
        while (left_s := deadline - time.monotonic()) > 0:
            with suppress(TimeoutError, DatabaseUnavailable):
                async with asyncio.timeout(left_s):
                    behind = await self._words.read(lambda c: workers.behind(c, change, self._name))
                if behind == []:
                    return
            await asyncio.sleep(ASK_EVERY_S)
        logger.warning("not known to have seen a change of keys: %s", behind or "anybody")

    async def _hear(self, deadline: float) -> _Heard:
        def load(connection: Connection) -> _Heard:
            pointed = store.load_pointer(connection)
            found = workers.load_workers(connection)
            active_id = None if pointed is None else pointed.version_id
            return _Heard(active_id, found, workers.is_complete(connection))

        while True:
            try:
                async with asyncio.timeout(max(ASK_EVERY_S, deadline - time.monotonic())):
                    return await self._database.read(load)
            except (TimeoutError, DatabaseUnavailable) as error:
                if time.monotonic() > deadline:
                    message = "nobody can say which version the workers have"
                    raise DatabaseUnavailable(message) from error
                await asyncio.sleep(ASK_EVERY_S)

    async def _listen(self) -> None:
        async for _ in postgres.notices(self._database.read_engine, workers.CHANNEL):
            self._hint.set()
            self.keys_hint.set()

    async def _repeat(
        self, name: str, step: Callable[[], Awaitable[None]], at_once: asyncio.Event
    ) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(at_once.wait(), LOOK_EVERY_S)
            at_once.clear()
            await self._try(name, step)

    async def _try(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Do `step`; a fault is logged once, and it is tried again in a second."""
        told = ""
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - whatever it is, this must go on
            told = f"{name}: {error}"
            if told != self._told.get(name):
                logger.error("%s", told)  # noqa: TRY400 - the message says it all
        self._told[name] = told

    async def _look(self) -> None:
        try:
            await self._follower.look()
        finally:
            self._news.set()

    async def _announce(self) -> None:
        version_id = self._knowledge.current.snapshot.version_id
        failure, seen = self._knowledge.failure, self._keys_seen
        began_s = time.monotonic()
        await self._words.write(
            lambda c: workers.announce(c, self._name, version_id, failure, seen)
        )
        if self._is_member:
            self.heard_s = began_s

    async def _withdraw(self) -> None:
        await self._words.write(lambda c: workers.withdraw(c, self._name))


def _nobody_knows() -> Acknowledgement:
    return Acknowledgement("?", "silent", "not all have spoken since the server's crash")


def _acknowledgement(
    worker: workers.Worker, version_id: int, *, is_passed: bool
) -> Acknowledgement:
    if worker.version_id == version_id:
        return Acknowledgement(worker.name, "acknowledged")
    if worker.is_gone:
        return Acknowledgement(worker.name, "gone")
    if worker.failure is not None and worker.failure.version_id == version_id:
        return Acknowledgement(worker.name, "failed", worker.failure.problem)
    return Acknowledgement(worker.name, "passed" if is_passed else "silent")
