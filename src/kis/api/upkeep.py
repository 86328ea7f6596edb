"""/v1/report, /v1/maintenance, /v1/selftest: what keeps an installation in order."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from kis.api.estimates import FIRST_MOMENT, LAST_MOMENT, Moment, in_utc
from kis.api.health import TAG
from kis.api.knowledge import answer
from kis.api.openapi import Documented
from kis.db.engine import Database
from kis.estimate import store

MAX_MODELS = 100


class ModelCount(msgspec.Struct, frozen=True, rename="camel"):
    """A main breaker, and how many estimates have it."""

    main_model: str
    count: int


def router(database: Database, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))
    _add_report(routes, database, documented)
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
