"""/v1/estimate/{estimateId}/note: what people note on an estimate."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kis.api import examples
from kis.api.body import read_model
from kis.api.estimates import EstimateId
from kis.api.knowledge import answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.estimate.note_store import Note
from kis.estimate.notes import NoteRequest, NoteService
from kis.moments import moment_text

PATH = "/v1/estimate/{estimateId}/note"


class NoteAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A note on an estimate; `revision` 0: nobody wrote one. `updatedBy` is the id of a key."""

    note: str
    revision: int
    updated_at: str | None
    updated_by: str | None


def router(notes: NoteService, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["견적 Estimates"])

    @routes.get(PATH, **documented.route(NoteAnswer, errors=(ErrorCode.NOT_FOUND,)))
    async def get_note(estimate_id: EstimateId) -> Response:
        """견적의 메모. The note on an estimate."""
        return answer(_note(await notes.load(estimate_id)))

    docs = documented.route(
        NoteAnswer, body=NoteRequest, example=examples.NOTE,
        errors=(ErrorCode.NOT_FOUND, ErrorCode.NOTE_CHANGED),
    )  # fmt: skip

    @routes.put(PATH, **docs)
    async def put_note(request: Request, estimate_id: EstimateId) -> Response:
        """메모를 쓴다. 읽은 뒤 바뀌었으면 거절한다. Write a note, unless it changed since read."""
        wanted = await read_model(request, NoteRequest)
        return answer(_note(await notes.save(estimate_id, wanted, request.state.context.caller)))

    return routes


def _note(note: Note) -> NoteAnswer:
    at = note.updated_at
    shown_at = None if at is None else moment_text(at)
    return NoteAnswer(note.note, note.revision, shown_at, note.updated_by)
