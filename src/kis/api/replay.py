"""/v1/knowledge/replay: what the latest estimates become under another version."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import read_model
from kis.api.knowledge import TAG, Label, answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.estimate.replay_report import ReplayReport
from kis.ops.replay import ReplayOrder
from kis.ops.replay_service import MAX_ESTIMATES, ReplayService


class ReplayRequest(BaseModel):
    """Which version to try on which estimates."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    versionLabel: Label  # noqa: N815 - as in the runbook
    against: Annotated[
        Label | None,
        Field(description="비교할 버전, 기본은 답한 견적. Default: what was answered."),
    ] = None
    last: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_ESTIMATES,
            description="최근 몇 건. 더 많으면 kis-backend knowledge replay."
            " The latest so many; for more see the command line.",
        ),
    ] = 1_000


def router(replays: ReplayService, documented: Documented) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=list(TAG))
    docs = documented.route(
        ReplayReport, body=ReplayRequest, example=examples.REPLAY,
        errors=(ErrorCode.VERSION_NOT_FOUND, ErrorCode.VERSION_NOT_VALIDATED),
    )  # fmt: skip

    @routes.post("/v1/knowledge/replay", **docs)
    async def replay(request: Request) -> Response:
        """최근 견적을 다른 버전으로 다시 계산해 비교한다. Re-estimate the latest, and compare."""
        order = await read_model(request, ReplayRequest)
        wanted = ReplayOrder(order.versionLabel, order.against, order.last)
        return answer(await replays.replay(wanted))

    return routes
