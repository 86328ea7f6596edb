"""The workers: all processes that estimate with the knowledge of one database.

Each says every second which version it has, so that an activation can tell when
all of them have the new one. That is for the owner to know, and for versions that
a worker cannot load; that no estimate is of an old version is the business of the
write itself (`pointer`).
"""

import asyncio
import logging
import os
import socket
import time
from contextlib import suppress
from typing import Literal, Protocol

import msgspec
from sqlalchemy import Connection

from kis.db import postgres
from kis.db.engine import Database
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError
from kis.knowledge import pointer, store, workers
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.following import Follower

LOOK_EVERY_S = 1.0
ACKNOWLEDGED_WITHIN_S = 8.0
"""What is left of the ten seconds an activation may take is for taking it back."""
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
    """Whoever else estimates."""

    async def acknowledgements(self, version_id: int) -> tuple[Acknowledgement, ...]:
        """Wait until all estimate with `version_id`, and return what each says."""


def worker_name() -> str:
    """Return a name for this process that no other one has."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(2).hex()}"


class Alone:
    """The only process, as on SQLite: it has the version when it has activated it."""

    def __init__(self, name: str) -> None:
        """`name` is this worker's."""
        self._name = name

    async def acknowledgements(self, _version_id: int) -> tuple[Acknowledgement, ...]:
        """Return this worker's own."""
        return (Acknowledgement(self._name, "acknowledged"),)


class SharedFleet:
    """All workers on one PostgreSQL, of which this process is one."""

    def __init__(
        self, name: str, *, database: Database, writer: Writer, knowledge: ActiveKnowledge,
        follower: Follower,
    ) -> None:  # fmt: skip
        """Wire the parts. `name` is this worker's."""
        self._name = name
        self._database = database
        self._writer = writer
        self._knowledge = knowledge
        self._follower = follower
        self._hint = asyncio.Event()
        self._told = ""

    async def look(self) -> None:
        """Follow what others have activated, and say so; a fault is logged once."""
        told = ""
        for step in (self._follower.look, self._announce):
            try:
                await step()
            except (DatabaseUnavailable, DomainError) as error:
                told = told or str(error)
        if told and told != self._told:
            logger.error("%s", told)
        self._told = told

    async def run(self) -> None:
        """Look each second and at a hint, until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hint.wait(), LOOK_EVERY_S)
                self._hint.clear()
                await self.look()
        finally:
            listening.cancel()

    async def leave(self) -> None:
        """Say that this worker answers nobody any more."""
        with suppress(DatabaseUnavailable, DomainError):
            await self._writer.execute(lambda c: workers.withdraw(c, self._name))

    async def acknowledgements(self, version_id: int) -> tuple[Acknowledgement, ...]:
        """Wait until all others have `version_id`, one says that it cannot, or time is up.

        Raises:
            DatabaseUnavailable: the server does not answer.

        """
        deadline = time.monotonic() + ACKNOWLEDGED_WITHIN_S

        def load(connection: Connection) -> tuple[store.Pointer | None, list[workers.Worker]]:
            return store.load_pointer(connection), workers.load_workers(connection)

        while True:
            pointed, found = await self._database.read(load)
            is_passed = pointed is None or pointed.version_id != version_id
            said = tuple(
                Acknowledgement(worker.name, "acknowledged")
                if worker.name == self._name
                else _acknowledgement(worker, version_id, is_passed=is_passed)
                for worker in found
                if worker.age_s < WORTH_NAMING_S
            )
            states = {ack.state for ack in said}
            if "failed" in states or "silent" not in states or time.monotonic() > deadline:
                return said
            await asyncio.sleep(ASK_EVERY_S)

    async def _listen(self) -> None:
        async for _ in postgres.notices(self._database.read_engine, pointer.CHANNEL):
            self._hint.set()

    async def _announce(self) -> None:
        version_id = self._knowledge.current.snapshot.version_id
        failure = self._knowledge.failure
        await self._writer.execute(lambda c: workers.announce(c, self._name, version_id, failure))


def _acknowledgement(
    worker: workers.Worker, version_id: int, *, is_passed: bool
) -> Acknowledgement:
    if worker.version_id == version_id:
        return Acknowledgement(worker.name, "acknowledged")
    if worker.failure is not None and worker.failure.version_id == version_id:
        return Acknowledgement(worker.name, "failed", worker.failure.problem)
    if worker.is_gone:
        return Acknowledgement(worker.name, "gone")
    return Acknowledgement(worker.name, "passed" if is_passed else "silent")
