"""/v1/estimate and /v1/evidence."""

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import LARGE_BYTES, parse_json, read_json, read_json_text
from kis.api.direct import ID, DirectRoute
from kis.api.errors import (
    MAX_FINDINGS,
    PROBLEM_TYPE,
    Problem,
    ProblemFinding,
    finding_of,
    problem_body,
    status_of,
)
from kis.api.gatekeeper import RequestContext
from kis.api.metrics import Metrics
from kis.api.openapi import WITH_BODY, Documented
from kis.errors import DomainError, ErrorCode, Language
from kis.estimate.answer import CREATED, Answer, Caller
from kis.estimate.model import Form, Number
from kis.estimate.preview import Preview
from kis.estimate.proof import EvidenceService
from kis.estimate.request import NO_CONTROL_CHARACTERS, EstimateRequest, parse_board
from kis.estimate.service import Created, EstimateService
from kis.estimate.store import EstimateFilter, EstimateSummary
from kis.evidence.verification import Verification
from kis.moments import moment_text
from kis.telemetry import Refused, log_lookup, log_refusals

JSON = "application/json"
SVG = "image/svg+xml"
NOTHING_ELSE = {"Content-Security-Policy": "default-src 'none'"}
"""A drawing loads and runs nothing, whatever somebody made of a name in it."""
MAX_PAGE = 500
FIRST_MOMENT, LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
GATES = (
    ErrorCode.REQ_MORE_INFO,
    ErrorCode.ACCESSORY_CONFLICT,
    ErrorCode.BRAND_CONFLICT,
    ErrorCode.POLES_MISMATCH,
    ErrorCode.DEVICE_TYPE_MISMATCH,
    ErrorCode.FRAME_SIZE_MISMATCH,
    ErrorCode.RATED_CURRENT_MISMATCH,
    ErrorCode.NEED_KNOWLEDGE_UPDATE,
    ErrorCode.BOARD_TOO_LARGE,
)
IDEMPOTENCY = (ErrorCode.IDEMPOTENCY_IN_FLIGHT, ErrorCode.IDEMPOTENCY_KEY_REUSED)
KEY_PARAMETER = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "같은 키와 본문의 요청은 한 번만 저장된다."
            " One key and body are one estimate.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
    ]
}
TENTHS = (
    "이름이 Dmm으로 끝나는 길이는 0.1 mm 단위이다 (4000은 400 mm)."
    " Lengths whose names end in Dmm are in tenths of a millimetre: 4000 is 400 mm."
)
EstimateId = Annotated[str, Path(max_length=64, alias="estimateId")]


def not_a_number(text: str) -> str:
    """Let no number pass: pydantic takes 2025 for the 2,025th second of 1970."""
    if text.lstrip("-").replace(".", "").isdigit():
        kind = "datetime_parsing"
        raise PydanticCustomError(kind, "a number is no moment")
    return text


def _a_cursor(text: str) -> str:
    """Let only ids pass: from any other text the pages would begin where it happens to sort."""
    if not ID.fullmatch(text):
        kind = "cursor"
        raise PydanticCustomError(kind, "not the `next` of a page")
    return text


Cursor = Annotated[str, BeforeValidator(_a_cursor), Query(max_length=64)]
Moment = Annotated[datetime | None, BeforeValidator(not_a_number)]
Model = Annotated[str | None, Query(max_length=100, pattern=NO_CONTROL_CHARACTERS)]
Part = Annotated[str | None, Query(max_length=200, pattern=NO_CONTROL_CHARACTERS)]
Side = Annotated[
    float | None,
    Query(
        gt=0, le=100_000, allow_inf_nan=False, description="외함의 mm, 정확히. Of the enclosure."
    ),
]
Words = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_CONTROL_CHARACTERS,
        description="반 이름, 고객, 메인 모델, (6자부터) id의 일부. 영문 대소문자는 가리지 않고,"
        " 한글은 쓴 글자 그대로. A piece of the label, customer, main model or, from 6"
        " characters on, the id; ASCII letters in any case.",
    ),
]


class Checked(msgspec.Struct, frozen=True, rename="camel"):
    """What the gates and the tables have against a board; nothing was stored."""

    valid: bool
    findings: tuple[ProblemFinding, ...]


class Line(msgspec.Struct, frozen=True, rename="camel"):
    """An estimate in the list."""

    id: str
    created_at: str
    main_model: str
    brand: str
    form: str
    label: str
    customer: str
    W: Number
    H: Number
    D: Number
    knowledge_version: str


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """A page of estimates, newest first; `next` is the cursor of the page after it."""

    items: tuple[Line, ...]
    next: str | None


def router(
    estimates: EstimateService, evidence: EvidenceService, metrics: Metrics, documented: Documented
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    _add_create(routes, estimates, metrics, documented)
    _add_trying(routes, estimates, documented)
    _add_reading(routes, estimates, documented)
    _add_drawing(routes, estimates, documented)
    _add_evidence(routes, evidence, metrics, documented)
    return routes


def _add_create(
    routes: APIRouter, estimates: EstimateService, metrics: Metrics, documented: Documented
) -> None:
    create_docs = documented.route(
        Answer, status=201, body=EstimateRequest, example=examples.BOARD,
        errors=(*GATES, *IDEMPOTENCY, ErrorCode.OVERLOADED), extra=KEY_PARAMETER,
    )  # fmt: skip

    async def create_estimate(request: Request) -> Response:
        """반을 견적한다. Estimate a board: enclosure, layout, bill of materials, evidence."""
        context: RequestContext = request.state.context
        created = await create(request, context.caller, estimates, metrics)
        return _created(created)

    routes.add_api_route(
        "/v1/estimate/create", create_estimate, methods=["POST"], tags=["견적 Estimates"],
        route_class_override=DirectRoute, **create_docs,
    )  # fmt: skip


async def create(
    request: Request, caller: Caller, estimates: EstimateService, metrics: Metrics
) -> Created:
    """Estimate the board that is sent for `caller`, and tell log and metrics what came of it.

    Raises:
        DomainError: as `read_json`, `parse_board` and `EstimateService.create`.

    """
    context: RequestContext = request.state.context
    draft = parse_board(await read_json(request))
    try:
        created = await estimates.create(
            draft,
            caller,
            request.headers.get("idempotency-key"),
            lambda refusal: problem_body(refusal, context.request_id),
        )
    except DomainError as refusal:
        _tell_refusal(refusal, context, metrics)
        raise
    _tell_answer(created, request, metrics)
    return created


def _add_trying(routes: APIRouter, estimates: EstimateService, documented: Documented) -> None:
    check_docs = documented.route(Checked, body=EstimateRequest, example=examples.BOARD)
    preview_docs = documented.route(
        Preview, body=EstimateRequest, example=examples.BOARD, errors=GATES
    )

    @routes.post("/v1/estimate/validate", tags=["견적 Estimates"], **check_docs)
    async def validate_estimate(request: Request) -> Response:
        """저장하지 않고 모든 문제를 한 번에 알려 준다. Tell all findings, store nothing."""
        findings = estimates.check(parse_board(await read_json(request)))
        shown = tuple(finding_of(finding) for finding in findings[:MAX_FINDINGS])
        checked = Checked(not findings, shown)
        return Response(msgspec.json.encode(checked), media_type=JSON)

    async def preview_estimate(request: Request) -> Response:
        """저장하지 않고 견적해 본다. What an estimate would be, or all findings; stores nothing."""
        draft = parse_board(await read_json(request))
        try:
            preview = estimates.preview(draft)
        except DomainError as refusal:
            # Not as other refusals: who is still typing is no abstention in the log.
            body = problem_body(refusal, request.state.context.request_id)
            return Response(body, status_of(refusal), media_type=PROBLEM_TYPE)
        return Response(msgspec.json.encode(preview), media_type=JSON)

    routes.add_api_route(
        "/v1/estimate/preview", preview_estimate, methods=["POST"], tags=["견적 Estimates"],
        route_class_override=DirectRoute, **preview_docs,
    )  # fmt: skip


def _created(created: Created) -> Response:
    media_type = JSON if created.status == CREATED else PROBLEM_TYPE
    response = Response(created.body, created.status, media_type=media_type)
    if created.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _tell_answer(created: Created, request: Request, metrics: Metrics) -> None:
    metrics.count_estimates("replayed" if created.replayed else "created")
    if created.status == CREATED:
        # The gatekeeper logs it, in one write with the access line.
        request.state.hit = True
        metrics.count_hits()
    else:
        # A refusal that was kept is one again, each time that it is given.
        kept = msgspec.json.decode(created.body, type=Problem)
        request_id = request.state.context.request_id
        log_refusals((Refused(f.code, f.path) for f in kept.findings), request_id)


def _tell_refusal(refusal: DomainError, context: RequestContext, metrics: Metrics) -> None:
    metrics.count_refusal(refusal)
    if any(f.code is ErrorCode.NEED_KNOWLEDGE_UPDATE for f in refusal.findings):
        log_lookup(hit=False, request_id=context.request_id)


def _add_reading(routes: APIRouter, estimates: EstimateService, documented: Documented) -> None:
    @routes.get("/v1/estimate", tags=["견적 Estimates"], **documented.route(Page))
    async def list_estimates(  # noqa: PLR0913 - a parameter is a filter
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Cursor | None = None,
        main_model: Annotated[Model, Query(alias="mainModel")] = None,
        brand: Model = None,
        form: Form | None = None,
        label: Part = None,
        customer: Part = None,
        since: Moment = None,
        until: Moment = None,
        width: Side = None,
        height: Side = None,
        depth: Side = None,
        q: Words = None,
    ) -> Response:
        """견적 목록, 최신순. A page of estimates, newest first."""
        wanted = EstimateFilter(
            limit + 1, cursor, main_model, brand, form, label, customer,
            in_utc(since), in_utc(until), width, height, depth, (q or "").strip() or None,
        )  # fmt: skip
        found = await estimates.list_estimates(wanted)
        page = Page(
            tuple(_line(summary) for summary in found[:limit]),
            found[limit - 1].id if len(found) > limit else None,
        )
        return Response(msgspec.json.encode(page), media_type=JSON)

    docs = documented.route(Answer, errors=(ErrorCode.NOT_FOUND,))

    async def get_estimate(estimate_id: EstimateId) -> Response:
        """답한 그대로의 견적. An estimate, byte for byte as it was answered."""
        return Response(await estimates.load_answer(estimate_id), media_type=JSON)

    routes.add_api_route(
        "/v1/estimate/{estimateId}", get_estimate, methods=["GET"], tags=["견적 Estimates"],
        route_class_override=DirectRoute, **docs,
    )  # fmt: skip


def _add_drawing(routes: APIRouter, estimates: EstimateService, documented: Documented) -> None:
    drawing = {"type": "string", "description": "viewBox의 단위는 mm. Its viewBox is in mm."}
    docs = documented.route(drawing, errors=(ErrorCode.NOT_FOUND,), media_type=SVG)

    @routes.get(
        "/v1/estimate/{estimateId}/drawing.svg",  # noqa: FAST003 - its alias
        tags=["견적 Estimates"],
        response_class=Response,
        **docs,
    )
    async def get_drawing(estimate_id: EstimateId, lang: Language = "ko") -> Response:
        """견적의 내부 정면도, 비례대로. The front view of an estimate, to scale."""
        drawing = await estimates.load_drawing(estimate_id, lang)
        return Response(drawing, media_type=SVG, headers=NOTHING_ELSE)


def in_utc(moment: datetime | None) -> datetime | None:
    """Take a time without zone as UTC, and one beyond the calendar as its first or last."""
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST_MOMENT if moment.year == FIRST_MOMENT.year else LAST_MOMENT


def _whole(mm: float) -> Number:
    """Return `mm` without a fraction where it has none, as the estimate shows it."""
    return int(mm) if mm.is_integer() else mm


def _line(summary: EstimateSummary) -> Line:
    return Line(
        summary.id, moment_text(summary.created_at), summary.main_model, summary.brand,
        summary.form, summary.label, summary.customer, _whole(summary.width_mm),
        _whole(summary.height_mm), _whole(summary.depth_mm), summary.knowledge_version,
    )  # fmt: skip


def _add_evidence(
    routes: APIRouter, evidence: EvidenceService, metrics: Metrics, documented: Documented
) -> None:
    package: dict[str, Any] = {
        "type": "object", "required": ["statement", "envelope"], "description": TENTHS
    }  # fmt: skip
    docs = documented.route(package, errors=(ErrorCode.NOT_FOUND,))
    any_json = {
        "description": f"GET으로 받은 증거 묶음 그대로. A package as GET gives it. {TENTHS}"
    }
    body = {"requestBody": {"required": True, "content": {JSON: {"schema": any_json}}}}
    verify_docs = documented.route(Verification, errors=WITH_BODY, extra=body)

    # A large package is many times its bytes in memory, and minds a reader of the
    # database for seconds: one at a time.
    turn = asyncio.Lock()

    # First, because any word is an id to the other one.
    @routes.post("/v1/evidence/verify", tags=["증거 Evidence"], **verify_docs)
    async def verify_evidence(request: Request) -> Response:
        """증거 묶음을 단계별로 검증한다. Verify a package, step by step."""
        raw = await read_json_text(request)
        async with turn if len(raw) > LARGE_BYTES else nullcontext():
            verification = await evidence.verify(await parse_json(raw))
        metrics.count_verification(is_valid=verification.valid)
        return Response(msgspec.json.encode(verification), media_type=JSON)

    @routes.get("/v1/evidence/{estimateId}", tags=["증거 Evidence"], **docs)  # noqa: FAST003 - its alias
    async def get_evidence(estimate_id: EstimateId) -> Response:
        """견적의 증거 묶음. The evidence package of an estimate."""
        return Response(await evidence.load_package(estimate_id), media_type=JSON)
