"""/v1/models and /v1/choices: what the active knowledge offers to whoever types a board."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from kis.api.knowledge import answer
from kis.api.openapi import Documented
from kis.estimate.choices import Choices
from kis.estimate.model import Number
from kis.estimate.offers import OfferService
from kis.estimate.request import NO_CONTROL_CHARACTERS
from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.model_search import Model, ModelQuery
from kis.units import to_mm

MAX_MODELS = 100


def _none_if_empty(text: str) -> str | None:
    # A form sends what it has left empty as well.
    return text or None


Typed = Annotated[
    str,
    Query(
        max_length=100,
        pattern=NO_CONTROL_CHARACTERS,
        description="모델의 앞부분이나 일부(대소문자, 붙임표, 빈칸은 가리지 않는다), 또는 프레임"
        " (100, 100AF). The beginning or a piece of a model, in any case and without hyphens,"
        " or a frame.",
    ),
]
Brand = Annotated[
    str | None,
    Query(max_length=100, pattern=NO_CONTROL_CHARACTERS, description="MIXED: 모두. All."),
]
Device = Annotated[BreakerType | None, BeforeValidator(_none_if_empty), Query()]


class ModelBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a model with one number of poles, in mm. No rated currents: not known."""

    poles: str
    W: Number
    H: Number
    D: Number
    rated_currents: tuple[int, ...]


class ModelAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A model; `ratedCurrents` are those of all its bodies."""

    brand: str
    model: str
    series: str
    type: str
    af: int
    poles: tuple[str, ...]
    rated_currents: tuple[int, ...]
    bodies: tuple[ModelBody, ...]


class ModelPage(msgspec.Struct, frozen=True, rename="camel"):
    """Models: first those that begin with what was typed; `more` there are than these."""

    knowledge_version: str
    items: tuple[ModelAnswer, ...]
    more: bool


def router(offers: OfferService, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["견적 Estimates"])

    @routes.get("/v1/models", **documented.route(ModelPage))
    async def find_models(
        brand: Brand = None,
        device: Device = None,
        q: Typed = "",
        limit: Annotated[int, Query(ge=1, le=MAX_MODELS)] = 20,
    ) -> Response:
        """입력한 글자로 차단기 모델을 찾는다. Complete a model from what was typed of it."""
        return answer(await find(offers, ModelQuery(q, brand or None, device, limit)))

    @routes.get("/v1/choices", **documented.route(Choices))
    async def get_choices() -> Response:
        """활성 지식이 견적 양식에 줄 수 있는 것. What a form for boards can offer."""
        return answer(await offers.load_choices())

    return routes


async def find(offers: OfferService, query: ModelQuery) -> ModelPage:
    """Return what `offers` has for `query`."""
    label, found = await offers.find_models(query)
    return ModelPage(label, tuple(_model(model) for model in found.models), found.has_more)


def _model(rows: Model) -> ModelAnswer:
    first = rows[0]
    currents = {current for row in rows for current in row.rated_currents_a}
    return ModelAnswer(
        first.brand, first.model, first.series, first.type, first.frame_size_a,
        tuple(f"{row.poles}P" for row in rows), tuple(sorted(currents)), tuple(map(_body, rows)),
    )  # fmt: skip


def _body(row: Breaker) -> ModelBody:
    width, height, depth = (to_mm(dmm) for dmm in (row.width_dmm, row.height_dmm, row.depth_dmm))
    return ModelBody(f"{row.poles}P", width, height, depth, row.rated_currents_a)
