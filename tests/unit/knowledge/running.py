"""The knowledge services on a real database and writer, with a resize that tests steer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.knowledge import preparing, store
from kis.knowledge.activation import ActivationOrder, ActivationService
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.diff import Mode
from kis.knowledge.fleet import Alone
from kis.knowledge.golden import GoldenService
from kis.knowledge.model import Breaker
from kis.knowledge.progress import Tell, untold
from kis.knowledge.regression import Case, Regression, rerun_cases
from kis.knowledge.service import KnowledgeService
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.staging import ImportOrder, Staging
from kis.units import Size
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import write_csv

Result = TypeVar("Result")
SIZE = Size(400, 500, 150)


class Running:
    """Services of one installation. `refuses` and `cases` steer trials and regressions."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Wire them as the application does."""
        self.database = database
        self.folder = folder
        self.refuses: Callable[[object, Snapshot], bool] = lambda _, __: False
        self.cases: list[Case] = []
        self.size = SIZE
        self.writer = Writer(database)
        version = database.read_now(store.load_active_version)
        self.knowledge = ActiveKnowledge(database.read_now(lambda c: store.load_active(c, version)))
        self.staging = Staging(
            database=database, writer=self.writer, folder=folder, resize=self._resize,
            apart=asyncio.to_thread, now=lambda: NOON,
        )  # fmt: skip
        self.activation = ActivationService(
            database=database, writer=self.writer, knowledge=self.knowledge, fleet=Alone("a"),
            latest=lambda _, limit: self.cases[:limit],
            regress=partial(preparing.regress, resize=self._resize, replay_latest=self._replay),
            compute=self.staging.compute,
            now=lambda: NOON,
        )  # fmt: skip
        self.service = KnowledgeService(
            database=database, writer=self.writer, staging=self.staging, now=lambda: NOON
        )
        self.golden = GoldenService(
            database=database, writer=self.writer, knowledge=self.knowledge,
            resize=self._resize, now=lambda: NOON,
        )  # fmt: skip
        self._runner = asyncio.Runner()

    def _replay(self, cases: list[Case], snapshot: Snapshot, tell: Tell = untold) -> Regression:
        return rerun_cases(cases, snapshot, self._resize, tell)

    def _resize(self, request: object, snapshot: Snapshot) -> Size:
        if self.refuses(request, snapshot):
            raise DomainError(
                Finding(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main", Text("모름", "unknown"))
            )
        return self.size

    def run(self, *wanted: Awaitable[Result]) -> list[Result]:
        """Run these at once; the first error is raised."""

        async def all_of_them() -> list[Result]:
            return list(await asyncio.gather(*wanted))

        return self._runner.run(all_of_them())

    def stage(self, label: str, *rows: Breaker, mode: Mode = "add") -> None:
        """Import rows."""
        order = ImportOrder(label, "csv", write_csv(rows), mode)
        self.run(self.staging.import_tables(order, "admin-x"))

    def validate(self, label: str) -> bool:
        """Validate; whether it is valid."""
        (validated,) = self.run(self.staging.validate(label, 10, "admin-x"))
        return validated.valid

    def activate(self, label: str, *, regression: bool = False) -> None:
        """Activate."""
        order = ActivationOrder(label, "activate", regression)
        self.run(self.activation.activate(order, "admin-x"))

    def roll_back(self, label: str) -> None:
        """Roll back."""
        order = ActivationOrder(label, "rollback", run_regression=False, reason="for a test")
        self.run(self.activation.activate(order, "admin-x"))

    def version(self, label: str) -> store.Version:
        """Return a version as the list has it."""
        return self.database.read_now(lambda c: store.require_version(c, label))

    def close(self) -> None:
        """Commit what was accepted."""
        self._runner.run(self.writer.stop())
        self._runner.close()


@contextmanager
def running(database: Database, folder: Path) -> Iterator[Running]:
    """Run the services until the test ends."""
    services = Running(database, folder)
    services.writer.start()
    try:
        yield services
    finally:
        services.close()
