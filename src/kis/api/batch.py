"""POST /v1/estimate/batch: NDJSON in, NDJSON out in order, as it comes."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kis.access.keys import KeySet
from kis.api import examples
from kis.api.batch_answer import LineEstimated, LineRefused
from kis.api.batch_run import MAX_BOARDS, SILENT_S, BatchRun
from kis.api.body import media_type, unsupported_coding, unsupported_media_type
from kis.api.direct import DirectRoute
from kis.api.metrics import Metrics
from kis.api.openapi import Documented
from kis.errors import NO_HINT, DomainError, ErrorCode, Text, refusal
from kis.estimate.batch import BatchLine
from kis.estimate.batches import BatchService

NDJSON = "application/x-ndjson"
TAKEN = (NDJSON, "application/ndjson", "application/jsonl")
MAX_AT_ONCE = 4
"""Batches of all clients. Each holds some megabytes, and they share the same cores."""
MAX_OF_ONE = 2
"""Batches of one holder of keys, so that there is a place for another."""

DESCRIPTION = f"""여러 반을 한 번에 견적한다. Estimate many boards at once.

한 줄에 반 하나: `create`의 본문과, 있으면 `idempotencyKey`. 보낸 순서대로 한 줄에 하나씩, 본문이
끝나기 전에 답하기 시작한다. 줄마다 따로 저장되거나 거절된다. 빈 줄은 건너뛰되 줄 번호에는 들어간다.
한 줄은 MAX_BODY_BYTES까지, 한 요청은 {MAX_BOARDS:,}줄까지이다. 요청 한도에는 한 번으로 센다.
키 하나로 동시에 {MAX_OF_ONE}건까지이다. {SILENT_S:.0f}초 동안 아무것도 보내지 않으면
`REQUEST_TIMEOUT`, 키가 끝나면 `UNAUTHENTICATED` 줄로 끝나며, 그 줄부터는 저장되지 않는다.

A board a line: the body of `create`, and its own `idempotencyKey` where it has one. There is one
answer a line, in order, and they begin before the body has ended; each line is stored or refused on
its own. Empty lines are left out, but count in the line numbers. A line may have MAX_BODY_BYTES, a
request {MAX_BOARDS:,} lines. The rate limit counts one request. There may be {MAX_OF_ONE} batches
of one key at once. When nothing is sent for {SILENT_S:.0f} s, or the key ends, the last line says
so, `REQUEST_TIMEOUT` or `UNAUTHENTICATED`, and nothing is stored from that line on. Read the
answers while you send: who does not read them is not read either."""


def router(
    batches: BatchService,
    metrics: Metrics,
    keys: KeySet,
    documented: Documented,
    max_line_bytes: int,
) -> APIRouter:
    """Return the route. A line may have `max_line_bytes`, as much as a body of `create`.

    `keys` are asked again as a batch goes on: it ends with the key that it began with.
    """
    routes = APIRouter()
    gate = _Gate()

    async def estimate_batch(request: Request) -> Response:
        kind = media_type(request)
        if kind not in TAKEN:
            raise unsupported_media_type(kind, NDJSON)
        coding = request.headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            raise unsupported_coding(coding)
        context = request.state.context
        place = gate.place_of(context.caller.owner)
        run = BatchRun(batches, metrics, context, keys, max_line_bytes)
        return _BatchResponse(run, place)

    routes.add_api_route(
        "/v1/estimate/batch", estimate_batch, methods=["POST"], tags=["견적 Estimates"],
        route_class_override=DirectRoute, description=DESCRIPTION, **_docs(documented),
    )  # fmt: skip
    return routes


class _Gate:
    """Counts the batches that are under way, of each holder."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    def place_of(self, holder: str) -> AbstractContextManager[None]:
        """Return a place, taken when it is entered: at once, or others may have come first.

        Raises:
            DomainError: OVERLOADED.

        """
        if self._inside.total() >= MAX_AT_ONCE:
            raise _too_many(MAX_AT_ONCE)
        if self._inside[holder] >= MAX_OF_ONE:
            raise _too_many(MAX_OF_ONE, Text("이 키의 ", " of this key"))
        return self._hold(holder)

    @contextmanager
    def _hold(self, holder: str) -> Iterator[None]:
        self._inside[holder] += 1
        try:
            yield
        finally:
            self._inside[holder] -= 1


class _BatchResponse(Response):
    """Answers while it reads. Starlette's own streaming would take the body for itself."""

    def __init__(self, run: BatchRun, place: AbstractContextManager[None]) -> None:
        super().__init__(media_type=NDJSON)
        # How long it will be nobody knows.
        del self.headers["content-length"]
        self._run = run
        self._place = place

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            await self._run.answer(receive, send)
            await send({"type": "http.response.body", "body": b""})


def _too_many(count: int, whose: Text = NO_HINT) -> DomainError:
    return refusal(
        ErrorCode.OVERLOADED,
        Text(
            f"{whose.ko}일괄 견적 {count}건이 이미 진행 중입니다. 이 요청은 저장되지 않았습니다.",
            f"{count} batches{whose.en} are under way; nothing of this one was stored.",
        ),
        Text("잠시 후 다시 시도하십시오.", "Retry in a moment."),
    )


def _docs(documented: Documented) -> dict[str, Any]:
    """Return how the route is documented: schemas are of a line, examples of a body."""
    example = "".join(
        json.dumps({"idempotencyKey": key, **board}, ensure_ascii=False) + "\n"
        for key, board in (("2026-LP-1", examples.BOARD), ("2026-LP-2", examples.BOARD))
    )
    taken = {"schema": documented.model(BatchLine), "example": example}
    docs = documented.route(
        {"oneOf": [documented.struct(LineEstimated), documented.struct(LineRefused)]},
        errors=(ErrorCode.UNSUPPORTED_MEDIA_TYPE, ErrorCode.OVERLOADED, ErrorCode.REQUEST_TIMEOUT),
        extra={"requestBody": {"required": True, "content": {NDJSON: taken}}},
    )
    content = docs["responses"][200]["content"]
    content[NDJSON] = content.pop("application/json")
    return docs
