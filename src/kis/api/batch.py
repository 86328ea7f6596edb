"""POST /v1/estimate/batch: NDJSON in, NDJSON out in order, as it comes."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kis.api import examples
from kis.api.batch_answer import LineEstimated, LineRefused
from kis.api.batch_run import MAX_BOARDS, BatchRun
from kis.api.body import media_type, unsupported_coding, unsupported_media_type
from kis.api.direct import DirectRoute
from kis.api.errors import refusal
from kis.api.metrics import Metrics
from kis.api.openapi import Documented
from kis.errors import DomainError, ErrorCode, Text
from kis.estimate.batch import BatchLine
from kis.estimate.batches import BatchService

NDJSON = "application/x-ndjson"
TAKEN = (NDJSON, "application/ndjson", "application/jsonl")
MAX_AT_ONCE = 4
"""Batches of all clients. Each holds some megabytes, and they share the same cores."""

DESCRIPTION = f"""여러 반을 한 번에 견적한다. Estimate many boards at once.

한 줄에 반 하나: `create`의 본문과, 있으면 `idempotencyKey`. 보낸 순서대로 한 줄에 하나씩, 본문이
끝나기 전에 답하기 시작한다. 줄마다 따로 저장되거나 거절된다. 빈 줄은 건너뛰되 줄 번호에는 들어간다.
한 줄은 MAX_BODY_BYTES까지, 한 요청은 {MAX_BOARDS:,}줄까지이다. 요청 한도에는 한 번으로 센다.

A board a line: the body of `create`, and its own `idempotencyKey` where it has one. There is one
answer a line, in order, and they begin before the body has ended; each line is stored or refused on
its own. Empty lines are left out, but count in the line numbers. A line may have MAX_BODY_BYTES, a
request {MAX_BOARDS:,} lines. The rate limit counts one request. Read the answers while you send:
who does not read them is not read either."""


def router(
    batches: BatchService, metrics: Metrics, documented: Documented, max_line_bytes: int
) -> APIRouter:
    """Return the route. A line may have `max_line_bytes`, as much as a body of `create`."""
    routes = APIRouter()
    gate = _Gate()

    async def estimate_batch(request: Request) -> Response:
        kind = media_type(request)
        if kind not in TAKEN:
            raise unsupported_media_type(kind, NDJSON)
        coding = request.headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            raise unsupported_coding(coding)
        if gate.is_full:
            raise _too_many()
        run = BatchRun(batches, metrics, request.state.context, max_line_bytes)
        return _BatchResponse(run, gate)

    routes.add_api_route(
        "/v1/estimate/batch", estimate_batch, methods=["POST"], tags=["견적 Estimates"],
        route_class_override=DirectRoute, description=DESCRIPTION, **_docs(documented),
    )  # fmt: skip
    return routes


class _Gate:
    """Counts the batches that are under way."""

    def __init__(self) -> None:
        self._inside = 0

    @property
    def is_full(self) -> bool:
        return self._inside >= MAX_AT_ONCE

    def __enter__(self) -> None:
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1


class _BatchResponse(Response):
    """Answers while it reads. Starlette's own streaming would take the body for itself."""

    def __init__(self, run: BatchRun, gate: _Gate) -> None:
        super().__init__(media_type=NDJSON)
        # How long it will be nobody knows.
        del self.headers["content-length"]
        self._run = run
        self._gate = gate

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        with self._gate:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            await self._run.answer(receive, send)
            await send({"type": "http.response.body", "body": b""})


def _too_many() -> DomainError:
    return refusal(
        ErrorCode.OVERLOADED,
        Text(
            f"일괄 견적 {MAX_AT_ONCE}건이 이미 진행 중입니다. 이 요청은 저장되지 않았습니다.",
            f"{MAX_AT_ONCE} batches are under way; nothing of this one was stored.",
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
        errors=(ErrorCode.UNSUPPORTED_MEDIA_TYPE, ErrorCode.OVERLOADED),
        extra={"requestBody": {"required": True, "content": {NDJSON: taken}}},
    )
    content = docs["responses"][200]["content"]
    content[NDJSON] = content.pop("application/json")
    return docs
