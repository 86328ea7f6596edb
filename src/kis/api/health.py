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
from kis.evidence.statement import moment_text
from kis.knowledge.active import ActiveKnowledge
from kis.ops.health import check_health

TAG = ["운영 Operation"]


class HealthAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """Health; `uptime` in whole seconds."""

    status: str
    timestamp: str
    uptime: int
    knowledge_version: str
    active_tables: int
    total_rows: int


class ReadyAnswer(msgspec.Struct, frozen=True):
    """Readiness, with the reasons in Korean and English when it is not there."""

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
        """상태. Status, uptime and active knowledge; 503 when it cannot serve."""
        health = await check_health(database, writer, knowledge)
        return answer(
            HealthAnswer(
                "healthy" if health.is_ready else "unhealthy",
                moment_text(clock.now()),
                int(time.monotonic() - began),
                health.knowledge_version,
                health.active_tables,
                health.total_rows,
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
        reasons = tuple(f"{reason.ko} / {reason.en}" for reason in health.reasons)
        return answer(ReadyAnswer(health.is_ready, reasons), 200 if health.is_ready else 503)

    return routes


def _documented(documented: Documented, struct: type) -> dict[str, Any]:
    """Document a route that answers the same struct with 200 and 503."""
    docs = documented.route(struct, is_open=True)
    docs["responses"][503] = {**docs["responses"][200], "description": "불가. Cannot serve."}
    return docs
