"""The only wiring: settings in, services and the application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from kis import clock
from kis.access.keys import KeySet, Scope
from kis.api import docs, estimates, golden, health, knowledge
from kis.api.errors import (
    PROBLEM_TYPE,
    headers_of,
    internal_fault,
    problem_body,
    refusal,
    status_of,
    unavailable,
)
from kis.api.gatekeeper import Gatekeeper
from kis.api.metrics import Metrics
from kis.api.openapi import Documented
from kis.db.engine import Database, DatabaseUnavailable, open_database
from kis.db.migrate import migrate
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text
from kis.estimate import store as estimate_store
from kis.estimate.proof import EvidenceService
from kis.estimate.request import findings_of
from kis.estimate.rerun import resize
from kis.estimate.service import EstimateService
from kis.evidence.envelope import Keyring
from kis.knowledge import store as knowledge_store
from kis.knowledge.activation import ActivationService
from kis.knowledge.active import Active, ActiveKnowledge
from kis.knowledge.first import load_first_version
from kis.knowledge.regression import Case, Size
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Staging
from kis.settings import Settings

DESCRIPTION = (
    "배전반 외함 견적 서비스. 차단기 목록을 보내면 외함 크기, 배치, 자재 목록, 증거를 답한다. "
    "Sizes switchboard enclosures from the maker's own tables, with evidence."
)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that is running in one process."""

    database: Database
    writer: Writer
    knowledge: ActiveKnowledge
    estimates: EstimateService
    evidence: EvidenceService
    staging: Staging
    activation: ActivationService
    catalogue: KnowledgeService
    keys: KeySet
    metrics: Metrics

    def start(self) -> None:
        """Begin to accept writes."""
        self.writer.start()

    async def stop(self) -> None:
        """Commit what was accepted, then close the database."""
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
    migrate(database)
    if database.read_now(knowledge_store.load_pointer) is None:
        database.write_now(lambda c: load_first_version(c, clock.now()))
    writer = Writer(database)
    active = ActiveKnowledge(database.read_now(_load_active))
    keyring = Keyring.of(settings.evidence_secret.encode())
    staging = Staging(
        database=database, writer=writer, folder=settings.home / "knowledge-staging",
        resize=resize, now=clock.now,
    )  # fmt: skip
    return Services(
        database=database,
        writer=writer,
        knowledge=active,
        estimates=EstimateService(
            database=database, writer=writer, knowledge=active, keyring=keyring,
            allow_mixed=settings.allow_mixed_brand, now=clock.now, new_id=clock.new_id,
        ),
        evidence=EvidenceService(database=database, keyring=keyring),
        staging=staging,
        activation=ActivationService(
            database=database, writer=writer, knowledge=active, resize=resize,
            latest_cases=latest_cases, now=clock.now,
        ),
        catalogue=KnowledgeService(
            database=database, writer=writer, staging=staging, now=clock.now
        ),
        keys=_keys(settings),
        metrics=Metrics(),
    )  # fmt: skip


def _load_active(connection: Connection) -> Active:
    return knowledge_store.load_active(connection, knowledge_store.load_active_version(connection))


def _keys(settings: Settings) -> KeySet:
    secrets = [(Scope.API, settings.api_key)]
    if settings.admin_key_usable:
        secrets.append((Scope.ADMIN, settings.admin_api_key))
    return KeySet.of(secrets)


def latest_cases(connection: Connection, limit: int) -> list[Case]:
    """Return the latest estimates as cases for a regression run."""
    cases = []
    for estimate_id, answer in estimate_store.latest_answers(connection, limit):
        fields = msgspec.json.decode(answer)
        size = msgspec.convert(
            {axis: fields["enclosure"][axis] for axis in ("W", "H", "D")}, Size
        )
        cases.append(Case(estimate_id, golden=False, request=fields["request"], expected=size))
    return cases


def create_app(settings: Settings) -> Application:
    """Return the application: routes inside, the gatekeeper around them.

    Raises:
        DatabaseUnavailable: the database cannot be used.

    """
    services = open_services(settings)
    documented = Documented()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        try:
            yield
        finally:
            await services.stop()

    app = FastAPI(
        title="KIS", description=DESCRIPTION, lifespan=lifespan,
        docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    app.include_router(
        estimates.router(services.estimates, services.evidence, services.metrics, documented)
    )
    app.include_router(
        knowledge.router(services.catalogue, services.staging, services.activation, documented)
    )
    app.include_router(
        golden.router(services.catalogue, services.knowledge, clock.now, documented)
    )
    app.include_router(
        health.router(
            services.database, services.writer, services.knowledge, services.metrics, documented
        )
    )
    docs.mount(app, documented)
    _add_error_handlers(app)
    gatekeeper = Gatekeeper(
        app, settings=settings, keys=services.keys, metrics=services.metrics
    )
    return Application(gatekeeper, services)


def _add_error_handlers(app: FastAPI) -> None:
    """Give every error the one shape, wherever it comes from."""

    @app.exception_handler(DomainError)
    async def refuse(request: Request, error: Exception) -> Response:
        return _problem(request, error if isinstance(error, DomainError) else internal_fault())

    @app.exception_handler(DatabaseUnavailable)
    async def tell_unavailable(request: Request, _: Exception) -> Response:
        return _problem(request, unavailable())

    @app.exception_handler(RequestValidationError)
    async def tell_parameters(request: Request, error: Exception) -> Response:
        details = error.errors() if isinstance(error, RequestValidationError) else []
        return _problem(request, DomainError(*findings_of(details)))

    @app.exception_handler(HTTPException)
    async def tell_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _problem(request, _routing_error(request, status))

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


def _routing_error(request: Request, status: int) -> DomainError:
    if status == 405:  # noqa: PLR2004
        return refusal(
            ErrorCode.METHOD_NOT_ALLOWED,
            Text(f"{request.method} 메서드는 쓸 수 없습니다.", f"{request.method} is not allowed."),
            Text("/api-docs 를 보십시오.", "See /api-docs."),
        )
    if status == 404:  # noqa: PLR2004
        return refusal(
            ErrorCode.NOT_FOUND,
            Text("없는 주소입니다.", "There is nothing at this address."),
            Text("/api-docs 를 보십시오.", "See /api-docs."),
        )
    return internal_fault()
