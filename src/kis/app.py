"""The only wiring: settings in, services and the application out."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from kis import clock
from kis.access.rate import Limiter, RateLimiter
from kis.access.shared_rate import SharedRateLimiter
from kis.api import (
    backups,
    batch,
    docs,
    estimates,
    golden,
    handlers,
    health,
    journal,
    knowledge,
    metrics,
    pruning,
    replay,
    upkeep,
)
from kis.api import keys as key_routes
from kis.api.direct import Shortcut
from kis.api.gatekeeper import Gatekeeper
from kis.api.metrics import Metrics, active_version
from kis.api.openapi import Documented
from kis.api.parameters import refuse_unknown
from kis.db.commit_mark import forget_marks
from kis.db.engine import Database, open_database, open_second_writer
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.estimate.batches import BatchService
from kis.estimate.proof import EvidenceService
from kis.estimate.rerun import resize
from kis.estimate.service import EstimateService
from kis.estimate.workers import Workers
from kis.knowledge import preparing
from kis.knowledge import store as knowledge_store
from kis.knowledge.activation import ActivationService
from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.content import ContentError
from kis.knowledge.first import load_first_version
from kis.knowledge.fleet import Alone, Fleet, SharedFleet, worker_name
from kis.knowledge.following import Follower
from kis.knowledge.golden import GoldenService
from kis.knowledge.pruning import PruningService
from kis.knowledge.reading import Reader
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Staging
from kis.ops.apart import run_apart
from kis.ops.backup.service import BackupService
from kis.ops.backup.source import source_of
from kis.ops.gauges import DatabaseSize
from kis.ops.gauges_keeping import key_expiry, of_home
from kis.ops.journal.protection import Protection
from kis.ops.keys.opened import Keys, open_keys
from kis.ops.keys.rows import KeyRows
from kis.ops.keys.start import KeySources, begin
from kis.ops.maintenance import MaintenanceService
from kis.ops.replay import latest_sizes, regress
from kis.ops.replay_service import ReplayService
from kis.ops.retention import an_hour, forget_expired, forget_regularly
from kis.ops.selftest import SelftestService
from kis.ops.shared_counts import shared_folder
from kis.ops.watch.pulse import ON_SERVER_S, Beat, Pulse, a_second, beat_regularly
from kis.settings import Settings, SettingsError
from kis.web.assets import AT, Assets
from kis.web.console import beside, create_console
from kis.web.pages import all_pages
from kis.web.parts import KnowledgeParts, Parts
from kis.web.sessions import Sessions

DESCRIPTION = (
    "배전반 외함 견적 서비스. 차단기 목록을 보내면 외함 크기, 배치, 자재 목록, 증거로 답한다. "
    "Sizes switchboard enclosures from the maker's own tables, with evidence."
)

UPLOADS = "knowledge-staging"
"""The folder of uploads as they came."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is running in one process."""

    database: Database
    protection: Protection
    writer: Writer
    knowledge: ActiveKnowledge
    fleet: Fleet
    limiter: Limiter
    estimates: EstimateService
    batches: BatchService
    workers: Workers
    evidence: EvidenceService
    staging: Staging
    activation: ActivationService
    catalogue: KnowledgeService
    replays: ReplayService
    keys: Keys
    metrics: Metrics

    def start(self) -> None:
        """Begin to accept writes."""
        self.protection.start()
        self.writer.start()
        self.limiter.start()

    async def stop(self) -> None:
        """Commit what was accepted, then close the database."""
        await asyncio.to_thread(self.workers.close)
        await self.fleet.leave()
        await self.limiter.stop()
        await self.writer.stop()
        await asyncio.to_thread(self.protection.stop)
        self.database.close()
        await asyncio.to_thread(self.protection.finish)


class Application(NamedTuple):
    """The ASGI application (its lifespan starts and stops the services) and its services."""

    asgi: ASGIApp
    services: Services


def open_services(settings: Settings) -> Services:
    """Open the database, bring it up to date, and wire the services.

    Raises:
        DatabaseUnavailable: the database cannot be used.
        SettingsError: the master key is not the one of the database.

    """
    database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    protection = Protection(database, settings, clock.now_ns)
    sources = KeySources.of(settings)
    found, rows = _prepare(database, settings, sources)
    active = ActiveKnowledge(found)
    counted = Metrics(shared_folder())
    writer = Writer(database, tell_batch=counted.batches.observe)
    follower = Follower(database, active)
    words = _words(settings)
    fleet = _fleet(words, database, active, follower)
    keys = open_keys(
        rows, sources, database=words or database, writer=writer, now=clock.now,
        random_bytes=os.urandom)  # fmt: skip
    workers = Workers(keys.keyring)
    staging = Staging(
        database=database, writer=writer, folder=settings.home / UPLOADS,
        resize=resize, apart=run_apart, now=clock.now,
    )  # fmt: skip
    return Services(
        database=database,
        protection=protection,
        writer=writer,
        knowledge=active,
        fleet=fleet,
        limiter=_limiter(settings),
        estimates=EstimateService(
            database=database, writer=writer, knowledge=active, follower=follower,
            keyring=keys.keyring, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id,
        ),
        batches=BatchService(
            database=database, writer=writer, knowledge=active, follower=follower,
            workers=workers, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id),
        workers=workers,
        evidence=EvidenceService(database=database, keyring=keys.keyring),
        staging=staging,
        activation=ActivationService(
            database=database, writer=writer, knowledge=active, fleet=fleet,
            latest=latest_sizes, compute=staging.compute, now=clock.now,
            regress=partial(preparing.regress, resize=resize, replay_latest=regress),
        ),
        catalogue=KnowledgeService(
            database=database, writer=writer, staging=staging, now=clock.now
        ),
        replays=ReplayService(database=database),
        keys=keys,
        metrics=counted,
    )  # fmt: skip


def _prepare(database: Database, settings: Settings, sources: KeySources) -> tuple[Active, KeyRows]:
    """Bring the schema up to date; return the active knowledge, shipped at first, and all keys.

    Raises:
        DatabaseUnavailable: as `migrate`; what is stored is damaged. It is closed then.
        SettingsError: as `begin`. It is closed then too.

    """
    try:
        migrate(database)
        if database.read_now(knowledge_store.load_pointer) is None:
            database.write_now(lambda c: load_first_version(c, clock.now()))
        database.write_now(lambda c: forget_expired(c, clock.now(), settings.idempotency_days))
        if database.commit_mark is not None:
            database.write_now(forget_marks)
        rows = database.write_now(lambda c: begin(c, sources, clock.now(), os.urandom))
        return database.read_now(_load_active), rows
    except (DatabaseUnavailable, SettingsError):
        database.close()
        raise
    except (SQLAlchemyError, ContentError) as error:
        database.close()
        message = (
            f"what it holds cannot be read: {getattr(error, 'orig', error)}."
            " See kis-backend doctor; it may take a backup to restore"
        )
        raise DatabaseUnavailable(message) from error


def _load_active(connection: Connection) -> Active:
    return knowledge_store.load_active(connection, knowledge_store.load_active_version(connection))


def _words(settings: Settings) -> Database | None:
    """Return a connection for what workers tell each other; a SQLite file has but this process."""
    if settings.database_file is not None:
        return None
    return open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)


def _fleet(
    words: Database | None, database: Database, active: ActiveKnowledge, follower: Follower
) -> Fleet:
    """Return the workers, which tell each other by `words`."""
    name = worker_name()
    if words is None:
        return Alone(name)
    return SharedFleet(name, database=database, words=words, knowledge=active, follower=follower)


def _limiter(settings: Settings) -> Limiter:
    """Return what counts requests: in memory, unless other processes count them as well."""
    per_minute = settings.rate_limit_per_minute
    if settings.database_file is not None or not per_minute:
        return RateLimiter(per_minute, time.monotonic)
    database = open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)
    return SharedRateLimiter(per_minute, database)


def _pruning(services: Services, settings: Settings) -> PruningService:
    return PruningService(
        database=services.database, writer=services.writer,
        folder=settings.home / UPLOADS, now=clock.now,
    )  # fmt: skip


def _maintenance(services: Services, settings: Settings) -> MaintenanceService:
    return MaintenanceService(
        database=services.database, writer=services.writer, url=settings.database_url,
        now=clock.now,
    )  # fmt: skip


def _selftests(services: Services) -> SelftestService:
    return SelftestService(
        database=services.database, writer=services.writer, knowledge=services.knowledge,
        estimates=services.estimates, evidence=services.evidence, new_id=clock.new_id,
    )  # fmt: skip


def create_app(settings: Settings, beat: Beat = lambda: None) -> Application:
    """Return the application: routes inside, the gatekeeper around them.

    `beat` is called every second on its event loop, as long as it can write.

    Raises:
        DatabaseUnavailable, SettingsError: as `open_services`.

    """
    services = open_services(settings)
    documented = Documented()
    app = FastAPI(
        title="KIS", description=DESCRIPTION, lifespan=_lifespan(services, settings, beat),
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        dependencies=[Depends(refuse_unknown)],
    )  # fmt: skip
    routers = (
        estimates.router(services.estimates, services.evidence, services.metrics, documented),
        batch.router(
            services.batches,
            services.metrics,
            services.keys.valid,
            documented,
            settings.max_body_bytes,
        ),
        pruning.router(_pruning(services, settings), documented),
        knowledge.router(services.catalogue, services.staging, _swap(services), documented),
        replay.router(services.replays, documented),
        upkeep.router(
            services.database, _selftests(services), _maintenance(services, settings), documented
        ),
        journal.router(services.protection, documented),
        key_routes.router(services.keys.service, documented),
        backups.router(BackupService(source_of(settings), settings.log_file.parent), documented),
        golden.router(services.catalogue, _golden(services), documented),
        health.router(services.database, services.writer, services.knowledge, documented),
        _metrics_router(services, settings),
    )
    for router in routers:
        app.include_router(router)
    docs.mount(app, documented)
    app.mount(AT, Assets(), name="static")
    handlers.add(app, (*routers, app.router))
    shortcut = Shortcut(app, [route for router in routers for route in router.routes])
    gatekeeper = Gatekeeper(
        beside(_console(services), shortcut), settings=settings, keys=services.keys.valid,
        find_again=services.keys.follower.find, limiter=services.limiter,
        metrics=services.metrics,
    )  # fmt: skip
    return Application(gatekeeper, services)


def _golden(services: Services) -> GoldenService:
    return GoldenService(
        database=services.database, writer=services.writer, knowledge=services.knowledge,
        resize=resize, now=clock.now,
    )  # fmt: skip


def _swap(services: Services) -> knowledge.Swap:
    return knowledge.counted(services.activation, services.metrics)


def _console(services: Services) -> ASGIApp:
    """Return the pages at / and /console."""
    keys = services.keys
    sessions = Sessions(
        database=services.database, writer=services.writer, keys=keys.valid,
        find_again=keys.follower.find, now=clock.now, random_bytes=os.urandom,
    )  # fmt: skip
    about_knowledge = KnowledgeParts(
        services.catalogue, services.staging, _swap(services), _golden(services),
        Reader(database=services.database, knowledge=services.knowledge), services.replays,
    )  # fmt: skip
    parts = Parts(services.estimates, services.evidence, services.metrics, about_knowledge)
    return create_console(sessions, all_pages(parts))


def _metrics_router(services: Services, settings: Settings) -> APIRouter:
    """Return the route of the metrics, once they know whom to ask."""
    size = DatabaseSize(services.database, settings.database_file)
    services.metrics.watch(
        size, active_version(services.knowledge), *of_home(settings),
        key_expiry(services.keys.follower.ending), services.protection.gauges,
    )  # fmt: skip
    return metrics.router(services.metrics, services.writer, services.knowledge, size)


def _lifespan(
    services: Services, settings: Settings, beat: Beat
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs the services as long as the application runs."""
    patience_s = 0.0 if settings.database_file else ON_SERVER_S
    pulse = Pulse(services.writer, patience_s, time.monotonic)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        await services.fleet.join()
        tasks = [
            asyncio.create_task(
                forget_regularly(services.writer, settings.idempotency_days, clock.now, an_hour)
            ),
            asyncio.create_task(services.fleet.run()),
            asyncio.create_task(services.metrics.keep_telling(services.writer, services.knowledge)),
            asyncio.create_task(services.keys.follower.run()),
            asyncio.create_task(beat_regularly(pulse.is_sound, beat, a_second)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(ended, services.keys.follower.note_use(), return_exceptions=True)
            await services.stop()

    return lifespan
