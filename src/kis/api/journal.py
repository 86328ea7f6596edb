"""/v1/journal: how continuous protection is doing."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from kis.api.health import TAG
from kis.api.knowledge import answer
from kis.api.openapi import Documented
from kis.ops.journal.protection import JournalStatus, Protection


def router(protection: Protection, documented: Documented) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=list(TAG))

    @routes.get("/v1/journal", **documented.route(JournalStatus))
    async def get_journal() -> Response:
        """연속 보호: 되돌릴 수 있는 시점과 지연. Moments that can be restored, and the lag."""
        return answer(await asyncio.to_thread(protection.status))

    return routes
