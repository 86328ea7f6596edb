"""/v1/report, /v1/maintenance, /v1/selftest: what keeps an installation in order."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from kis.api.estimates import FIRST_MOMENT, LAST_MOMENT, Moment, in_utc
from kis.api.health import TAG
from kis.api.knowledge import actor_of, answer
from kis.api.openapi import Documented
from kis.db.engine import Database
from kis.errors import ErrorCode
from kis.estimate import store
from kis.ops.maintenance import Maintained, MaintenanceService
from kis.ops.selftest import Selftest, SelftestService

MAX_MODELS = 100


class ModelCount(msgspec.Struct, frozen=True, rename="camel"):
    """A main breaker, and how many estimates have it."""

    main_model: str
    count: int


def router(
    database: Database,
    selftests: SelftestService,
    maintenance: MaintenanceService,
    documented: Documented,
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))
    _add_report(routes, database, documented)
    _add_selftest(routes, selftests, documented)
    _add_maintenance(routes, maintenance, documented)
    return routes


def _add_report(routes: APIRouter, database: Database, documented: Documented) -> None:
    @routes.get("/v1/report/models", **documented.route(list[ModelCount]))
    async def count_models(
        since: Moment = None,
        until: Moment = None,
        limit: Annotated[int, Query(ge=1, le=MAX_MODELS)] = 10,
    ) -> Response:
        """기간에 가장 많이 쓴 메인 차단기. The main breakers that estimates have most."""
        first, last = in_utc(since) or FIRST_MOMENT, in_utc(until) or LAST_MOMENT
        found = await database.read(lambda c: store.count_models(c, first, last, limit))
        return answer([ModelCount(*row) for row in found])


def _add_selftest(routes: APIRouter, selftests: SelftestService, documented: Documented) -> None:
    docs = documented.route(Selftest, errors=(ErrorCode.OVERLOADED,))

    @routes.post("/v1/selftest", **docs)
    async def run_selftest(request: Request) -> Response:
        """견적 하나를 끝까지 해 보고 되돌린다. An estimate end to end, undone at its end."""
        return answer(await selftests.run(request.state.context.caller))


def _add_maintenance(
    routes: APIRouter, maintenance: MaintenanceService, documented: Documented
) -> None:
    docs = documented.route(Maintained, errors=(ErrorCode.OVERLOADED,))

    @routes.post("/v1/maintenance", **docs)
    async def maintain(request: Request) -> Response:
        """견적을 막지 않고 데이터베이스를 정비한다. Maintain the database beside estimates."""
        return answer(await maintenance.maintain(actor_of(request)))
