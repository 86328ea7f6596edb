"""/health, /livez, /readyz: for operators and their programs."""

import time
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from kis import clock
from kis.api.knowledge import answer
from kis.api.openapi import Documented
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.knowledge.active import ActiveKnowledge
from kis.moments import moment_text
from kis.ops.health import check_health

TAG = ["운영 Operation"]


class HealthAnswer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Health; `uptime` in whole seconds, `reasons` where it is not healthy.

    `degraded`: 조회는 되고 저장은 되지 않는다. All can be had, but nothing stored.
    """

    status: str
    timestamp: str
    uptime: int
    knowledge_version: str
    active_tables: int
    total_rows: int
    reasons: tuple[str, ...] = ()


class ReadyAnswer(msgspec.Struct, frozen=True):
    """Readiness, with the reasons in Korean and English when not all can be done."""

    ready: bool
    reasons: tuple[str, ...]


def router(
    database: Database,
    writer: Writer,
    knowledge: ActiveKnowledge,
    documented: Documented,
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))
    began = time.monotonic()

    @routes.get("/health", **_documented(documented, HealthAnswer))
    async def get_health() -> Response:
        """상태. Status, uptime and active knowledge; 503 when it cannot serve.

        저장만 되지 않으면 200에 `degraded`와 이유. Where it only stores nothing: 200, `degraded`
        and why.
        """
        health = await check_health(database, writer, knowledge)
        return answer(
            HealthAnswer(
                health.status,
                moment_text(clock.now()),
                int(time.monotonic() - began),
                health.knowledge_version,
                health.active_tables,
                health.total_rows,
                health.told,
            ),
            200 if health.is_ready else 503,
        )

    alive = {"type": "object", "properties": {"alive": {"type": "boolean"}}}

    @routes.get("/livez", **documented.route(alive, is_open=True))
    async def get_liveness() -> Response:
        """살아 있는가. The process answers."""
        return answer({"alive": True})

    @routes.get("/readyz", **_documented(documented, ReadyAnswer))
    async def get_readiness() -> Response:
        """준비되었는가. Whether requests can be answered, with reasons."""
        health = await check_health(database, writer, knowledge)
        return answer(ReadyAnswer(health.is_ready, health.told), 200 if health.is_ready else 503)

    return routes


def _documented(documented: Documented, struct: type) -> dict[str, Any]:
    """Document a route that answers the same struct with 200 and 503."""
    docs = documented.route(struct, is_open=True)
    docs["responses"][503] = {**docs["responses"][200], "description": "불가. Cannot serve."}
    return docs
