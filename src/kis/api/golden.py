"""/v1/knowledge/golden and /v1/knowledge/questions."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import read_model
from kis.api.knowledge import actor_of, answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.estimate.request import GOLDEN_NAME
from kis.knowledge.golden import GoldenService
from kis.knowledge.golden_store import GoldenCase
from kis.knowledge.questions_store import OpenQuestion
from kis.knowledge.service import KnowledgeService
from kis.moments import moment_text
from kis.units import Size

TAG = ["지식 Knowledge"]
Millimetres = Annotated[int | float, Field(gt=0, le=100_000)]


class ExpectedSize(BaseModel):
    """Outside dimensions in mm."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    W: Millimetres
    H: Millimetres
    D: Millimetres


class GoldenRequest(BaseModel):
    """A board to pin, at the size that the active knowledge gives it.

    `expected`, when stated, must be that size.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(pattern=GOLDEN_NAME)]
    request: Annotated[dict[str, Any], Field(description="견적 요청 그대로. An estimate request.")]
    expected: Annotated[
        ExpectedSize | None,
        Field(description="외함 크기. 활성 지식의 견적과 같아야 한다. As it comes out."),
    ] = None
    note: Annotated[str, Field(max_length=500)] = ""


class GoldenAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A pinned board."""

    name: str
    request: dict[str, Any]
    expected: Size
    note: str
    created_at: str
    created_by: str


class QuestionAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What estimates asked for and nobody knows."""

    id: int
    subject: str
    kind: str
    path: str | None
    question_ko: str
    question_en: str
    times_asked: int
    first_asked_at: str
    last_asked_at: str
    last_asked_by: str
    open: bool
    closed_at: str | None
    closed_by: str | None


def router(knowledge: KnowledgeService, golden: GoldenService, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))
    _add_questions(routes, knowledge, documented)

    @routes.get("/v1/knowledge/golden", **documented.route(list[GoldenAnswer]))
    async def list_golden() -> Response:
        """기준 사례. The golden set: boards whose size is known to be right."""
        return answer([_golden(case) for case in await golden.list_cases()])

    docs = documented.route(
        GoldenAnswer, status=201, body=GoldenRequest, example=examples.GOLDEN,
        errors=(
            ErrorCode.GOLDEN_CASE_EXISTS, ErrorCode.GOLDEN_SIZE_MISMATCH,
            ErrorCode.NEED_KNOWLEDGE_UPDATE,
        ),
    )  # fmt: skip

    @routes.post("/v1/knowledge/golden", **docs)
    async def add_golden(request: Request) -> Response:
        """반을 기준 사례로 고정한다. Pin a board at its present size."""
        order = await read_model(request, GoldenRequest)
        stated = order.expected
        expected = None if stated is None else Size(stated.W, stated.H, stated.D)
        case = await golden.pin(order.name, order.request, expected, order.note, actor_of(request))
        return answer(_golden(case), 201)

    deleted = {"type": "object", "properties": {"deleted": {"type": "string"}}}
    docs = documented.route(deleted, errors=(ErrorCode.NOT_FOUND,))

    @routes.delete("/v1/knowledge/golden/{name}", **docs)
    async def delete_golden(
        request: Request, name: Annotated[str, Path(max_length=100)]
    ) -> Response:
        """기준 사례를 지운다. Remove a pinned board."""
        await golden.delete(name, actor_of(request))
        return answer({"deleted": name})

    return routes


def _add_questions(routes: APIRouter, knowledge: KnowledgeService, documented: Documented) -> None:
    docs = documented.route(list[QuestionAnswer])

    @routes.get("/v1/knowledge/questions", **docs)
    async def list_questions(
        include_closed: Annotated[bool, Query(alias="includeClosed")] = False,
    ) -> Response:
        """견적이 물었으나 아무도 모르는 것, 최대 10,000개. Open questions, most asked first."""
        questions = await knowledge.list_questions(include_closed=include_closed)
        return answer([_question(question) for question in questions])


def _golden(case: GoldenCase) -> GoldenAnswer:
    return GoldenAnswer(
        case.name, msgspec.json.decode(case.request),
        Size(case.width_mm, case.height_mm, case.depth_mm), case.note,
        moment_text(case.created_at), case.created_by,
    )  # fmt: skip


def _question(question: OpenQuestion) -> QuestionAnswer:
    return QuestionAnswer(
        question.id, question.subject, question.kind, question.path,
        question.question_ko, question.question_en, question.times_asked,
        moment_text(question.first_asked_at), moment_text(question.last_asked_at),
        question.last_asked_by, question.closed_at is None,
        moment_text(question.closed_at) if question.closed_at else None, question.closed_by,
    )  # fmt: skip
