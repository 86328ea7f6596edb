"""/v1/knowledge/prune: deletes what nobody has used for long."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import read_model
from kis.api.knowledge import TAG, Label, actor_of, answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.knowledge.pruning import Pruned, PruneOrder, PruningService

MAX_DAYS = 36_500
MAX_LABELS = 10_000


class PruneRequest(BaseModel):
    """What to delete: versions and uploads that were unused for so many days."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    olderThanDays: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 30  # noqa: N815 - as in all bodies
    dryRun: Annotated[  # noqa: N815 - as above
        bool, Field(description="삭제하지 않고 보여 주기만 한다. Delete nothing, only tell.")
    ] = False
    labels: Annotated[
        list[Label] | None,
        Field(max_length=MAX_LABELS, description="그중 이것만. Of that only these."),
    ] = None


def router(pruning: PruningService, documented: Documented) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=list(TAG))
    docs = documented.route(
        Pruned, body=PruneRequest, example=examples.PRUNE, errors=(ErrorCode.OVERLOADED,)
    )

    @routes.post("/v1/knowledge/prune", **docs)
    async def prune(request: Request) -> Response:
        """오래 쓰지 않은 버전과 업로드를 지운다. Delete versions and uploads long unused.

        활성 버전과 직전 활성 버전은 남는다. The active one and the one before it stay.
        """
        order = await read_model(request, PruneRequest)
        labels = None if order.labels is None else frozenset(order.labels)
        wanted = PruneOrder(order.olderThanDays, order.dryRun, labels)
        return answer(await pruning.prune(wanted, actor_of(request)))

    return routes
