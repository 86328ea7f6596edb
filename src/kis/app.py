"""The application: routes, pages and the gatekeeper around the services."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp

from kis import clock
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
    notes,
    offers,
    pruning,
    replay,
    upkeep,
)
from kis.api import keys as key_routes
from kis.api.direct import Shortcut
from kis.api.gatekeeper import Gatekeeper
from kis.api.metrics import COUNT_REFUSED, active_version
from kis.api.openapi import Documented
from kis.api.parameters import refuse_unknown
from kis.knowledge.pruning import PruningService
from kis.knowledge.reading import Reader
from kis.ops.backup.service import BackupService
from kis.ops.backup.source import source_of
from kis.ops.gauges import DatabaseSize
from kis.ops.gauges_keeping import key_expiry, of_home
from kis.ops.health import try_to_store
from kis.ops.maintenance import MaintenanceService
from kis.ops.overview import OverviewService
from kis.ops.retention import an_hour, forget_regularly
from kis.ops.selftest import SelftestService
from kis.ops.watch.pulse import ON_SERVER_S, Beat, Pulse, a_second, beat_regularly
from kis.services import UPLOADS, Services, open_services
from kis.settings import Settings
from kis.web.assets import AT, Assets
from kis.web.console import beside, create_console
from kis.web.pages import all_pages
from kis.web.parts import KnowledgeParts, Parts
from kis.web.sessions import Sessions

State = dict[str, Callable[[int], None]]
"""What connections find of the application: see `kis.serving.bounded`."""

DESCRIPTION = (
    "배전반 외함 견적 서비스. 차단기 목록을 보내면 외함 크기, 배치, 자재 목록, 증거로 답한다. "
    "Sizes switchboard enclosures from the maker's own tables, with evidence."
)


class Application(NamedTuple):
    """The ASGI application (its lifespan starts and stops the services) and its services."""

    asgi: ASGIApp
    services: Services


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
    backup_service = BackupService(source_of(settings), settings.log_file.parent, services.writer)
    documented = Documented()
    app = FastAPI(
        title="KIS", description=DESCRIPTION, lifespan=_lifespan(services, settings, beat),
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        dependencies=[Depends(refuse_unknown)],
    )  # fmt: skip
    routers = (
        estimates.router(services.estimates, services.evidence, services.metrics, documented),
        notes.router(services.notes, documented),
        offers.router(services.offers, documented),
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
        backups.router(backup_service, documented),
        golden.router(services.catalogue, services.golden, documented),
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
        beside(_console(services, settings, backup_service), shortcut), settings=settings,
        keys=services.keys.valid, find_again=services.keys.follower.find, limiter=services.limiter,
        metrics=services.metrics,
    )  # fmt: skip
    return Application(gatekeeper, services)


def _swap(services: Services) -> knowledge.Swap:
    return knowledge.counted(services.activation, services.metrics)


def _console(services: Services, settings: Settings, backups: BackupService) -> ASGIApp:
    """Return the pages at / and /console."""
    keys = services.keys
    sessions = Sessions(
        database=services.database, writer=services.writer, keys=keys.valid,
        find_again=keys.follower.find, name_again=keys.follower.named, now=clock.now,
        random_bytes=os.urandom,
    )  # fmt: skip
    about_knowledge = KnowledgeParts(
        services.catalogue, services.staging, _swap(services), services.golden,
        Reader(database=services.database, knowledge=services.knowledge), services.replays,
    )  # fmt: skip
    parts = Parts(
        estimates=services.estimates, notes=services.notes, evidence=services.evidence,
        metrics=services.metrics, knowledge=about_knowledge, active=services.knowledge,
        keys=keys.service, backups=backups,
        overview=OverviewService(settings, services.database, clock.now), offers=services.offers,
    )  # fmt: skip
    return create_console(sessions, services.limiter, all_pages(parts))


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
) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Return what runs the services as long as the application runs, and gives its state."""
    patience_s = 0.0 if settings.database_file else ON_SERVER_S
    pulse = Pulse(services.writer, patience_s, time.monotonic)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        services.start()
        await services.fleet.join()
        await services.keys.follower.begin()
        tasks = [
            asyncio.create_task(
                forget_regularly(services.writer, settings.idempotency_days, clock.now, an_hour)
            ),
            asyncio.create_task(services.fleet.run(services.activation.settle_overdue)),
            asyncio.create_task(services.metrics.keep_telling(services.writer, services.knowledge)),
            asyncio.create_task(services.keys.follower.run()),
            asyncio.create_task(
                try_to_store(services.database, settings.database_file, services.writer, a_second)
            ),
            asyncio.create_task(beat_regularly(pulse.is_sound, beat, a_second)),
        ]
        try:
            yield {COUNT_REFUSED: services.metrics.count_refused}
        finally:
            for task in tasks:
                task.cancel()
            ended = asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(ended, services.keys.follower.note_use(), return_exceptions=True)
            await services.stop()

    return lifespan
