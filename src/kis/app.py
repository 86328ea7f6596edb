"""The only wiring: settings in, services and the application out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from kis import clock
from kis.access.keys import KeySet, Scope
from kis.access.rate import Limiter, RateLimiter
from kis.access.shared_rate import SharedRateLimiter
from kis.api import batch, docs, estimates, golden, health, knowledge, replay
from kis.api.direct import Shortcut
from kis.api.errors import (
    PROBLEM_TYPE,
    headers_of,
    internal_fault,
    log_refusal,
    problem_body,
    refusal,
    status_of,
    unavailable,
)
from kis.api.gatekeeper import Gatekeeper
from kis.api.metrics import Metrics
from kis.api.openapi import Documented
from kis.api.parameters import refuse_unknown
from kis.db.commit_mark import forget_marks
from kis.db.engine import Database, open_database, open_second_writer
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text
from kis.estimate.batches import BatchService
from kis.estimate.proof import EvidenceService
from kis.estimate.request import findings_of
from kis.estimate.rerun import resize
from kis.estimate.service import EstimateService
from kis.estimate.workers import Workers
from kis.evidence.envelope import Keyring
from kis.knowledge import preparing
from kis.knowledge import store as knowledge_store
from kis.knowledge.activation import ActivationService
from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.content import ContentError
from kis.knowledge.first import load_first_version
from kis.knowledge.fleet import Alone, Fleet, SharedFleet, worker_name
from kis.knowledge.following import Follower
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Staging
from kis.ops.apart import run_apart
from kis.ops.replay import latest_sizes, regress
from kis.ops.replay_service import ReplayService
from kis.ops.retention import an_hour, forget_expired, forget_regularly
from kis.settings import Settings

DESCRIPTION = (
    "배전반 외함 견적 서비스. 차단기 목록을 보내면 외함 크기, 배치, 자재 목록, 증거로 답한다. "
    "Sizes switchboard enclosures from the maker's own tables, with evidence."
)
NOT_FOUND, METHOD_NOT_ALLOWED = 404, 405
SAFE_METHODS = ("GET", "HEAD")
"""What static files take."""
CLIENT_CLOSED_REQUEST = 499
"""For the log and the metrics alone: the client hung up before it had sent all of its body."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is running in one process."""

    database: Database
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
    keys: KeySet
    metrics: Metrics

    def start(self) -> None:
        """Begin to accept writes."""
        self.writer.start()
        self.limiter.start()

    async def stop(self) -> None:
        """Commit what was accepted, then close the database."""
        await asyncio.to_thread(self.workers.close)
        await self.fleet.leave()
        await self.limiter.stop()
        await self.writer.stop()
        self.database.close()


class Application(NamedTuple):
    """The ASGI application (its lifespan starts and stops the services) and its services."""

    asgi: ASGIApp
    services: Services


def open_services(settings: Settings) -> Services:
    """Open the database, bring it up to date, and wire the services.

    Raises:
        DatabaseUnavailable: the database cannot be used.

    """
    database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    active = ActiveKnowledge(_prepare(database, settings))
    writer = Writer(database)
    follower = Follower(database, active)
    fleet = _fleet(settings, database, active, follower)
    keyring = Keyring.of(settings.evidence_secret.encode())
    workers = Workers(keyring)
    staging = Staging(
        database=database, writer=writer, folder=settings.home / "knowledge-staging",
        resize=resize, apart=run_apart, now=clock.now,
    )  # fmt: skip
    return Services(
        database=database,
        writer=writer,
        knowledge=active,
        fleet=fleet,
        limiter=_limiter(settings),
        estimates=EstimateService(
            database=database, writer=writer, knowledge=active, follower=follower,
            keyring=keyring, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id,
        ),
        batches=BatchService(
            database=database, writer=writer, knowledge=active, follower=follower,
            workers=workers, allow_mixed=settings.allow_mixed_brand, now=clock.now,
            new_id=clock.new_id,
        ),
        workers=workers,
        evidence=EvidenceService(database=database, keyring=keyring),
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
        keys=_keys(settings),
        metrics=Metrics(),
    )  # fmt: skip


def _prepare(database: Database, settings: Settings) -> Active:
    """Bring the schema up to date, and return the active knowledge: shipped, at first.

    Raises:
        DatabaseUnavailable: as `migrate`; what is stored is damaged. It is closed then.

    """
    try:
        migrate(database)
        if database.read_now(knowledge_store.load_pointer) is None:
            database.write_now(lambda c: load_first_version(c, clock.now()))
        database.write_now(lambda c: forget_expired(c, clock.now(), settings.idempotency_days))
        if database.commit_mark is not None:
            database.write_now(forget_marks)
        return database.read_now(_load_active)
    except DatabaseUnavailable:
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


def _fleet(
    settings: Settings, database: Database, active: ActiveKnowledge, follower: Follower
) -> Fleet:
    """Return the workers: a SQLite file has but this process."""
    name = worker_name()
    if settings.database_file is not None:
        return Alone(name)
    words = open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)
    return SharedFleet(name, database=database, words=words, knowledge=active, follower=follower)


def _limiter(settings: Settings) -> Limiter:
    """Return what counts requests: in memory, unless other processes count them as well."""
    per_minute = settings.rate_limit_per_minute
    if settings.database_file is not None or not per_minute:
        return RateLimiter(per_minute, time.monotonic)
    database = open_second_writer(settings.database_url, slow_query_ms=settings.slow_query_ms)
    return SharedRateLimiter(per_minute, database)


def _keys(settings: Settings) -> KeySet:
    secrets = [(Scope.API, settings.api_key)]
    if settings.admin_key_usable:
        secrets.append((Scope.ADMIN, settings.admin_api_key))
    return KeySet.of(secrets)


def create_app(settings: Settings) -> Application:
    """Return the application: routes inside, the gatekeeper around them.

    Raises:
        DatabaseUnavailable: the database cannot be used.

    """
    services = open_services(settings)
    documented = Documented()
    app = FastAPI(
        title="KIS", description=DESCRIPTION, lifespan=_lifespan(services, settings),
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
        dependencies=[Depends(refuse_unknown)],
    )  # fmt: skip
    routers = (
        estimates.router(services.estimates, services.evidence, services.metrics, documented),
        batch.router(services.batches, services.metrics, documented, settings.max_body_bytes),
        knowledge.router(services.catalogue, services.staging, services.activation, documented),
        replay.router(services.replays, documented),
        golden.router(services.catalogue, services.knowledge, clock.now, documented),
        health.router(
            services.database, services.writer, services.knowledge, services.metrics, documented
        ),
    )
    for router in routers:
        app.include_router(router)
    docs.mount(app, documented)
    _add_error_handlers(app, _methods_by_path((*routers, app.router)))
    shortcut = Shortcut(app, [route for router in routers for route in router.routes])
    gatekeeper = Gatekeeper(
        shortcut, settings=settings, keys=services.keys, limiter=services.limiter,
        metrics=services.metrics,
    )  # fmt: skip
    return Application(gatekeeper, services)


def _lifespan(
    services: Services, settings: Settings
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs the services as long as the application runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        await services.fleet.join()
        tasks = [
            asyncio.create_task(
                forget_regularly(services.writer, settings.idempotency_days, clock.now, an_hour)
            ),
            asyncio.create_task(services.fleet.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await services.stop()

    return lifespan


def _add_error_handlers(app: FastAPI, methods: dict[str, set[str]]) -> None:
    """Give every error the one shape, wherever it comes from."""

    @app.exception_handler(DomainError)
    async def refuse(request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, DomainError) else internal_fault()
        log_refusal(refusal, request.state.context.request_id)
        return _problem(request, refusal)

    @app.exception_handler(DatabaseUnavailable)
    async def tell_unavailable(request: Request, _: Exception) -> Response:
        return _problem(request, unavailable())

    @app.exception_handler(RequestValidationError)
    async def tell_parameters(request: Request, error: Exception) -> Response:
        details = error.errors() if isinstance(error, RequestValidationError) else []
        return _problem(request, DomainError(*findings_of(details)))

    @app.exception_handler(ClientDisconnect)
    async def tell_nobody(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(HTTPException)
    async def tell_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        problem = _problem(request, _routing_error(request, status))
        if status == METHOD_NOT_ALLOWED:
            path = getattr(request.scope.get("route"), "path", "")
            problem.headers["Allow"] = ", ".join(sorted(methods.get(path, SAFE_METHODS)))
        return problem

    @app.exception_handler(Exception)
    async def tell_fault(request: Request, _: Exception) -> Response:
        return _problem(request, internal_fault())


def _problem(request: Request, error: DomainError) -> Response:
    return Response(
        problem_body(error, request.state.context.request_id),
        status_of(error),
        headers_of(error),
        PROBLEM_TYPE,
    )


def _methods_by_path(routers: Iterable[APIRouter]) -> dict[str, set[str]]:
    """Return which methods each address takes: each of its routes knows only its own."""
    methods: dict[str, set[str]] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                taken = methods.setdefault(route.path, set())
                # What takes GET takes HEAD: see `Shortcut`.
                taken |= route.methods or set()
                if "GET" in taken:
                    taken.add("HEAD")
    return methods


def _routing_error(request: Request, status: int) -> DomainError:
    if status == METHOD_NOT_ALLOWED:
        return refusal(
            ErrorCode.METHOD_NOT_ALLOWED,
            Text(f"{request.method} 메서드는 쓸 수 없습니다.", f"{request.method} is not allowed."),
            Text("/api-docs를 보십시오.", "See /api-docs."),
        )
    if status == NOT_FOUND:
        return refusal(
            ErrorCode.NOT_FOUND,
            Text("없는 주소입니다.", "There is nothing at this address."),
            Text("/api-docs를 보십시오.", "See /api-docs."),
        )
    return internal_fault()
