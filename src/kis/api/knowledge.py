"""/v1/knowledge: what the owner does."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import media_type, read_model, unsupported_media_type
from kis.api.gatekeeper import RequestContext
from kis.api.metrics import Metrics
from kis.api.openapi import Documented
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.estimate.request import NO_CONTROL_CHARACTERS, VERSION_LABEL, parse_body
from kis.knowledge.activation import Activated, ActivationOrder, ActivationService
from kis.knowledge.diff import Difference
from kis.knowledge.fleet import Acknowledgement
from kis.knowledge.progress import Tell, untold
from kis.knowledge.service import KnowledgeService
from kis.knowledge.staging import Imported, ImportOrder, Staging
from kis.knowledge.store import Version
from kis.knowledge.validated import Validated
from kis.moments import moment_text
from kis.strict_json import NOT_UTF8

JSON = "application/json"
TAG = ["지식 Knowledge"]
Label = Annotated[str, Field(pattern=VERSION_LABEL, examples=["v2025-09-24-02"])]
Reason = Annotated[str, Field(max_length=500)]
Mode = Literal["add", "replace"]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _text_or_object(value: object) -> object:
    # Not a union: its complaints would name places that no request has.
    if not isinstance(value, str | dict):
        kind = "text_or_object"
        raise PydanticCustomError(kind, "neither text nor an object")
    return value


def _lower_case(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Format = Annotated[
    Literal["csv", "json", "xlsx"],
    BeforeValidator(_lower_case),
    Field(
        description="대소문자를 가리지 않는다. xlsx는 파일 그대로만. In any letter case;"
        " xlsx only as the file itself."
    ),
]
Content = Annotated[
    Any,
    BeforeValidator(_text_or_object),
    Field(
        description="CSV나 JSON 텍스트, 또는 JSON 객체. CSV or JSON text, or a JSON object.",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "object"}]},
    ),
]


_SEND_CP949 = Text(
    "JSON은 UTF-8입니다. CP949 파일은 Content-Type: text/csv 로, versionLabel과 mode는 쿼리로"
    " 파일 그대로 보내거나 kis-backend knowledge import 를 쓰십시오.",
    "JSON is UTF-8. Send a CP949 file as it is with Content-Type: text/csv, versionLabel and mode"
    " in the query, or use kis-backend knowledge import.",
)


class ImportRequest(_Order):
    """An upload: breakers as CSV, or any tables and rules as JSON."""

    format: Format
    content: Content
    versionLabel: Label  # noqa: N815 - the runbook's name
    mode: Annotated[
        Mode, Field(description="add: 활성 버전에 더한다. replace: 주어진 표를 통째로 바꾼다.")
    ] = "add"


class ValidateRequest(_Order):
    """A staged version to try out."""

    versionLabel: Label  # noqa: N815 - the runbook's name
    sampleSize: Annotated[int, Field(ge=1, le=1_000)] = 10  # noqa: N815 - the runbook's name


class ActivateRequest(_Order):
    """A validated version to make active."""

    versionLabel: Label  # noqa: N815 - the runbook's name
    runRegression: bool = True  # noqa: N815 - the runbook's name
    force: Annotated[bool, Field(description="기준 사례가 달라도 활성화. 사유 필요.")] = False
    reason: Reason = ""


class RollbackRequest(_Order):
    """An earlier version to return to."""

    targetVersionLabel: Label  # noqa: N815 - the runbook's name
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class VersionAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A version in the list.

    `tableCount` (브랜드별 차단기 표)와 `totalRows` (차단기 행)는 검증 전에는 null이다.
    `tableCount` (tables of breakers, one a brand) and `totalRows` (their rows) are null
    while the version is staged: it depends on what is active at its validation.
    """

    id: int
    label: str
    active: bool
    created_at: str
    table_count: int | None
    total_rows: int | None
    state: str
    mode: str
    digest: str | None
    created_by: str
    validated_at: str | None
    activated_at: str | None


class DifferenceAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What one version has otherwise than another."""

    version_label: str
    against: str
    difference: Difference


class RolledBack(msgspec.Struct, frozen=True, rename="camel"):
    """The result of a rollback."""

    rollback_success: bool
    hot_swap_success: bool
    active_version: str
    previous_version: str
    reason: str
    workers: tuple[Acknowledgement, ...]


VersionLabel = Annotated[str, Path(max_length=64)]


Swap = Callable[..., Awaitable[Activated]]
"""As `ActivationService.activate`."""


def router(
    knowledge: KnowledgeService,
    staging: Staging,
    swap: Swap,
    documented: Documented,
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))
    _add_versions(routes, knowledge, documented)
    _add_import(routes, staging, documented)
    _add_validate(routes, staging, documented)
    _add_activation(routes, swap, documented)
    return routes


def answer(value: object, status: int = 200) -> Response:
    """Return `value`, structs and builtins, as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)


def actor_of(request: Request) -> str:
    """Return the id of the key that the request came with."""
    context: RequestContext = request.state.context
    return context.key.key_id if context.key else ""


def _version(version: Version) -> VersionAnswer:
    is_counted = version.state == "validated"
    return VersionAnswer(
        version.id, version.label, version.active, moment_text(version.created_at),
        version.table_count if is_counted else None,
        version.total_rows if is_counted else None, version.shown_state, version.mode,
        version.digest, version.created_by,
        _moment(version.validated_at), _moment(version.activated_at),
    )  # fmt: skip


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


def _add_versions(routes: APIRouter, knowledge: KnowledgeService, documented: Documented) -> None:
    unknown = (ErrorCode.VERSION_NOT_FOUND,)

    @routes.get("/v1/knowledge/versions", **documented.route(list[VersionAnswer]))
    async def list_versions() -> Response:
        """모든 버전, 최근 활성화 순. All versions, newest activation first."""
        return answer([_version(version) for version in await knowledge.list_versions()])

    @routes.get("/v1/knowledge/versions/active", **documented.route(VersionAnswer))
    async def get_active() -> Response:
        """활성 버전. The active version."""
        return answer(_version(await knowledge.active_version()))

    # A staged version is laid on the active one, which it may not fit any more. That
    # is a 422: FastAPI does not add its own, which would stand for a wrong parameter.
    docs = documented.route(
        DifferenceAnswer,
        errors=(*unknown, ErrorCode.KNOWLEDGE_INVALID, ErrorCode.INVALID_REQUEST),
    )

    @routes.get("/v1/knowledge/versions/{label}/diff", **docs)
    async def get_difference(
        label: VersionLabel,
        against: Annotated[str | None, Query(max_length=64, pattern=NO_CONTROL_CHARACTERS)] = None,
    ) -> Response:
        """다른 버전(기본: 활성)과의 차이. What it has otherwise than another version."""
        other, difference = await knowledge.compare(label, against)
        return answer(DifferenceAnswer(label, other, difference))

    deleted = {"type": "object", "properties": {"deleted": {"type": "string"}}}
    docs = documented.route(deleted, errors=(*unknown, ErrorCode.VERSION_ACTIVE))

    @routes.delete("/v1/knowledge/versions/{label}", **docs)
    async def delete_version(request: Request, label: VersionLabel) -> Response:
        """활성이 아닌 버전을 지운다. Delete a version that is not active."""
        await knowledge.delete(label, actor_of(request))
        return answer({"deleted": label})


def _add_import(routes: APIRouter, staging: Staging, documented: Documented) -> None:
    docs = documented.route(
        Imported, status=201, body=ImportRequest, example=examples.IMPORT,
        errors=(ErrorCode.KNOWLEDGE_INVALID, ErrorCode.VERSION_ALREADY_EXISTS),
    )  # fmt: skip
    docs["responses"][200] = {
        **docs["responses"][201],
        "description": "같은 내용이 이미 있음. The same content was there already.",
    }

    @routes.post("/v1/knowledge/tables/import", **docs)
    async def import_tables(request: Request) -> Response:
        """표를 새 버전으로 들여온다. Stage an upload as a version."""
        imported = await staging.import_tables(await _read_import(request), actor_of(request))
        return answer(imported, 200 if imported.repeated else 201)


async def _read_import(request: Request) -> ImportOrder:
    """Read the runbook's JSON body, or a table as it is with its order in the query.

    A table as it is may be CP949, as Korean Excel writes it; JSON is UTF-8 (RFC 8259).
    """
    kind = media_type(request)
    if kind == JSON:
        try:
            order = await read_model(request, ImportRequest)
        except DomainError as error:
            if error.main.message != NOT_UTF8:
                raise
            raise refusal(ErrorCode.MALFORMED_JSON, NOT_UTF8, _SEND_CP949) from None
        return ImportOrder(order.versionLabel, order.format, order.content, order.mode)
    if kind not in ("text/csv", "application/octet-stream"):
        raise unsupported_media_type(kind, "application/json, text/csv")
    query = {"format": "csv", **request.query_params, "content": ""}
    wanted = parse_body(ImportRequest, query)
    return ImportOrder(wanted.versionLabel, wanted.format, await request.body(), wanted.mode)


def _add_validate(routes: APIRouter, staging: Staging, documented: Documented) -> None:
    docs = documented.route(
        Validated,
        body=ValidateRequest,
        example=examples.VALIDATE,
        errors=(ErrorCode.VERSION_NOT_FOUND, ErrorCode.KNOWLEDGE_INVALID),
    )

    @routes.post("/v1/knowledge/tables/validate", **docs)
    async def validate_tables(request: Request) -> Response:
        """표본 견적으로 검증한다. Try a version with sample boards."""
        order = await read_model(request, ValidateRequest)
        validated = await staging.validate(order.versionLabel, order.sampleSize, actor_of(request))
        return answer(validated)


def counted(activation: ActivationService, metrics: Metrics) -> Swap:
    """Return what activates, and counts it unless the version was active before."""

    async def swap(order: ActivationOrder, actor: str, tell: Tell = untold) -> Activated:
        done = await activation.activate(order, actor, tell)
        if not done.already_active:
            metrics.count_swap(done.swap_ms)
        return done

    return swap


def _add_activation(routes: APIRouter, swap: Swap, documented: Documented) -> None:
    conflicts = (
        ErrorCode.VERSION_NOT_FOUND, ErrorCode.ACTIVATION_CONFLICT,
        ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED,
    )  # fmt: skip
    docs = documented.route(
        Activated, body=ActivateRequest, example=examples.ACTIVATE,
        errors=(
            *conflicts, ErrorCode.VERSION_NOT_VALIDATED, ErrorCode.VERSION_BASE_MOVED,
            ErrorCode.REGRESSION_FAILED, ErrorCode.REQ_MORE_INFO,
        ),
    )  # fmt: skip

    @routes.post("/v1/knowledge/tables/activate", **docs)
    async def activate(request: Request) -> Response:
        """버전을 활성화한다. Make a version active while estimates go on."""
        order = await read_model(request, ActivateRequest)
        wanted = ActivationOrder(
            order.versionLabel, "activate", order.runRegression, order.force, order.reason
        )
        return answer(await swap(wanted, actor_of(request)))

    docs = documented.route(
        RolledBack,
        body=RollbackRequest,
        example=examples.ROLLBACK,
        errors=(*conflicts, ErrorCode.VERSION_NEVER_ACTIVATED),
    )

    @routes.post("/v1/knowledge/tables/rollback", **docs)
    async def roll_back(request: Request) -> Response:
        """이전 버전으로 되돌린다. Return to an earlier version, at once."""
        order = await read_model(request, RollbackRequest)
        wanted = ActivationOrder(
            order.targetVersionLabel, "rollback", run_regression=False, reason=order.reason
        )
        done = await swap(wanted, actor_of(request))
        return answer(
            RolledBack(
                True, True, done.active_version, done.previous_version, order.reason, done.workers
            )
        )
