"""/v1/keys: who holds which key, and how keys change."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from kis.access.keys import Scope
from kis.access.rules import MAX_EXPIRY_DAYS, MAX_OVERLAP_DAYS
from kis.api import examples
from kis.api.body import read_model
from kis.api.estimates import in_utc, not_a_number
from kis.api.knowledge import actor_of, answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.estimate.request import Remark
from kis.moments import moment_text
from kis.ops.keys.service import KeyService, Listed, Terms

TAG = ("키 Keys",)
KeyId = Annotated[str, Path(max_length=64)]
Kind = Annotated[
    Literal["api", "admin", "evidence"] | None,
    Field(description="이 종류의 키일 때만. Only if the key is of this kind."),
]
ExpiresDays = Annotated[
    int | None,
    Field(
        ge=1, le=MAX_EXPIRY_DAYS, description="며칠 뒤에 끝나는가, 기본은 끝없음. Default: never."
    ),
]


def _a_moment(value: object) -> object:
    """Let only null and text pass: pydantic takes a number for seconds."""
    if isinstance(value, str):
        return not_a_number(value)
    if value is not None:
        kind = "datetime_parsing"
        raise PydanticCustomError(kind, "not a text")
    return value


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CreateKeyRequest(_Order):
    """A key for a new holder."""

    scope: Literal["api", "admin"]
    label: Annotated[Remark, Field(description="누구의 키인가. Whose key it is.")] = ""
    expiresDays: ExpiresDays = None  # noqa: N815 - as elsewhere in JSON


class RotateKeyRequest(_Order):
    """How a key is replaced. An evidence key has neither overlap nor end."""

    scope: Kind = None
    overlapDays: Annotated[  # noqa: N815
        int | None,
        Field(
            ge=0, le=MAX_OVERLAP_DAYS,
            description="앞의 키가 더 통하는 기간(일), 기본 7."
            " Days for which the key before goes on; default 7.",
        ),
    ] = None  # fmt: skip
    expiresDays: ExpiresDays = None  # noqa: N815


class RevokeKeyRequest(_Order):
    """Why a key is revoked, and for an evidence key since when somebody else may have it."""

    scope: Kind = None
    reason: Remark = ""
    compromisedSince: Annotated[  # noqa: N815
        Annotated[datetime, Field(strict=False)] | None,
        BeforeValidator(_a_moment),
        Field(
            description="증거 키만: 이때부터 봉인된 증거는 유효하지 않다. 기본은 지금,"
            " 빨라도 교체하고 2초 뒤. 이미 정한 시각은 그대로."
            " Evidence keys: what was sealed from then on does not verify. Default: now,"
            " 2 s after it was replaced at the earliest; told again, it stays.",
        ),
    ] = None


class KeyAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A key, without its secret.

    `name`은 .env의 이름이나 붙인 이름, `holder`는 교체해도 남는 소유자다. 증거 키의 `expiresAt`은
    교체된 때, `revokedAt`은 유출된 때다.
    `name` is the setting that gives it, else its label; `holder` lasts through rotations. Of an
    evidence key `expiresAt` is when it was replaced, and `revokedAt` since when it is compromised.
    """

    key_id: str
    scope: str
    name: str
    holder: str
    source: str
    state: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class NewKeyAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A new key; `token` is its secret, told this once, null for evidence keys."""

    key: KeyAnswer
    token: str | None
    replaced: KeyAnswer | None


def router(keys: KeyService, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))

    @routes.get("/v1/keys", **documented.route(list[KeyAnswer]))
    async def list_keys() -> Response:
        """모든 키, 비밀값은 없다. All keys, never their secrets."""
        return answer([_key(key) for key in await keys.list_keys()])

    _add_create(routes, keys, documented)
    _add_rotate(routes, keys, documented)
    _add_revoke(routes, keys, documented)
    return routes


def _add_create(routes: APIRouter, keys: KeyService, documented: Documented) -> None:
    docs = documented.route(
        NewKeyAnswer, status=201, body=CreateKeyRequest, example=examples.CREATE_KEY
    )

    @routes.post("/v1/keys", **docs)
    async def create_key(request: Request) -> Response:
        """키를 만든다. 비밀값은 이 답에만 있다. Make a key; its secret is told this once."""
        order = await read_model(request, CreateKeyRequest)
        terms = Terms(order.label, order.expiresDays)
        made = await keys.create(Scope(order.scope), terms, actor_of(request))
        return answer(NewKeyAnswer(_key(made.key), made.token, None), 201)


def _add_rotate(routes: APIRouter, keys: KeyService, documented: Documented) -> None:
    docs = documented.route(
        NewKeyAnswer, status=201, body=RotateKeyRequest, example=examples.ROTATE_KEY,
        errors=(ErrorCode.KEY_NOT_FOUND, ErrorCode.KEY_ENDED, ErrorCode.KEY_LAST_ADMIN),
    )  # fmt: skip

    @routes.post("/v1/keys/{keyId}/rotate", **docs)
    async def rotate_key(request: Request, keyId: KeyId) -> Response:  # noqa: N803 - as in JSON
        """키를 새 키로 바꾼다. 앞의 키는 한동안 함께 통한다. Replace a key; both work a while."""
        order = await read_model(request, RotateKeyRequest)
        terms = Terms(None, order.expiresDays, order.overlapDays)
        made = await keys.rotate(keyId, terms, actor_of(request), order.scope)
        replaced = None if made.replaced is None else _key(made.replaced)
        return answer(NewKeyAnswer(_key(made.key), made.token, replaced), 201)


def _add_revoke(routes: APIRouter, keys: KeyService, documented: Documented) -> None:
    docs = documented.route(
        KeyAnswer, body=RevokeKeyRequest, example=examples.REVOKE_KEY,
        errors=(ErrorCode.KEY_NOT_FOUND, ErrorCode.KEY_LAST_ADMIN, ErrorCode.KEY_CURRENT),
    )  # fmt: skip

    @routes.post("/v1/keys/{keyId}/revoke", **docs)
    async def revoke_key(request: Request, keyId: KeyId) -> Response:  # noqa: N803 - as in JSON
        """키를 지금 끝낸다: 답한 뒤에는 어느 워커도 받지 않는다. End a key now.

        Once this is answered no worker lets anybody in with it.
        """
        order = await read_model(request, RevokeKeyRequest)
        since = in_utc(order.compromisedSince)
        actor = actor_of(request)
        return answer(_key(await keys.revoke(keyId, since, order.reason, actor, order.scope)))


def _key(key: Listed) -> KeyAnswer:
    return KeyAnswer(
        key.key_id, key.scope, key.name, key.holder, key.source, key.state,
        moment_text(key.created_at), _moment(key.ended_at), _moment(key.broken_at),
        _moment(key.last_used_at),
    )  # fmt: skip


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
