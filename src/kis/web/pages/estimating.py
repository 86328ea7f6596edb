"""견적: the screen on which a board is typed, its front view beside it."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
from starlette.responses import JSONResponse, Response

from kis.api import examples
from kis.api.body import read_json
from kis.api.errors import MAX_FINDINGS, Problem, status_of
from kis.api.estimates import create
from kis.api.offers import find
from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.estimate.answer import CREATED
from kis.estimate.bom import rating_of
from kis.estimate.drawing.sheet import draw
from kis.estimate.model import BillItem, BoardDraft, DeviceDraft
from kis.estimate.preview import Preview
from kis.estimate.redrawing import request_of
from kis.estimate.request import parse_board
from kis.estimate.words import LOCATIONS, MOUNTS
from kis.knowledge.model_search import ModelQuery
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import OpenQuestion
from kis.web.fixes import Fix, field_of, fixes_of
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

MAX_TYPED, MAX_OFFERED = 100, 10
_BRANCH = re.compile(r"\$\.branches\[(\d+)\](.*)")
DRAWN_AT_ONCE = 2
"""Previews: one a core of a small server, whatever the number of those who type."""


class Objection(NamedTuple):
    """A finding as the screen shows it: at its field, with its remedies."""

    finding: Finding
    field: str
    fixes: tuple[Fix, ...]
    question: Question | None
    asked: OpenQuestion | None


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the screen and what it asks for."""
    desk = _Desk(parts)
    return (
        Page("GET", "/console/estimate", desk.show),
        Page("POST", "/console/estimate", desk.save),
        Page("POST", "/console/estimate/preview", desk.preview),
        Page("POST", "/console/estimate/questions", desk.ask),
        Page("GET", "/console/models", desk.find_models),
    )


class _Desk:
    """Answers what the estimating screen asks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turn = asyncio.Semaphore(DRAWN_AT_ONCE)

    @property
    def _brands(self) -> tuple[str, ...]:
        return self._parts.active.current.snapshot.rules.brands

    async def show(self, visit: Visit) -> Response:
        """Show the screen; `from` is the estimate whose board it begins with."""
        source = visit.request.query_params.get("from", "")
        board = await self._load_board(source) if source else None
        return visit.show(
            "estimating/screen.html",
            source=source, board=board, sample=examples.BOARD,
            choices=await self._parts.offers.load_choices(),
        )  # fmt: skip

    async def _load_board(self, estimate_id: str) -> Any:
        return request_of(await self._parts.estimates.load_answer(estimate_id))

    async def preview(self, visit: Visit) -> Response:
        """Show what an estimate would be, or what stands against it: for a script, 200 both."""
        draft, body = None, await read_json(visit.request)
        try:
            draft = parse_board(body)
            # Who still types is shown a board without accessories; saving asks for them.
            is_open = draft.accessories_enabled is None and not draft.accessories
            if is_open:
                draft = msgspec.structs.replace(draft, accessories_enabled=False)
            preview = self._parts.estimates.preview(draft)
        except DomainError as refusal:
            return await self._object(visit, refusal.findings, draft)

        def show() -> Response:
            drawing = draw(preview, visit.words.language, rows=preview.rows, views_only=True)
            return visit.show(
                "estimating/preview.html",
                preview=preview, lines=lines_of(preview), drawing=drawing, is_open=is_open,
            )  # fmt: skip

        # A board of a thousand devices is a megabyte, and as slow as hundreds of estimates.
        async with self._turn:
            return await asyncio.to_thread(show)

    async def save(self, visit: Visit) -> Response:
        """Store the estimate, and tell its id; one key of idempotency is one estimate."""
        parts = self._parts
        try:
            created = await create(visit.request, visit.caller, parts.estimates, parts.metrics)
        except DomainError as refusal:
            if not _is_of_board(refusal):
                raise
            draft = await _draft_in(visit)
            return await self._object(visit, refusal.findings, draft, status_of(refusal))
        if created.status != CREATED:
            findings, draft = _findings_of(created.body), await _draft_in(visit)
            return await self._object(visit, findings, draft, created.status)
        stored = msgspec.json.decode(created.body)
        return JSONResponse({"id": stored["id"]}, CREATED)

    async def ask(self, visit: Visit) -> Response:
        """Put to the owner what the board needs and nobody knows."""
        draft = parse_board(await read_json(visit.request))
        await self._parts.estimates.ask(draft, visit.caller)
        return await self._object(visit, self._parts.estimates.check(draft), draft)

    async def find_models(self, visit: Visit) -> Response:
        """Complete what was typed of a model."""
        asked = visit.request.query_params
        query = ModelQuery(
            asked.get("q", "")[:MAX_TYPED], asked.get("brand") or None, None, MAX_OFFERED
        )
        page = await find(self._parts.offers, query)
        return Response(msgspec.json.encode(page), media_type="application/json")

    async def _object(
        self,
        visit: Visit,
        findings: Sequence[Finding],
        draft: BoardDraft | None,
        status: int = 200,
    ) -> Response:
        told = at_each_line(findings, draft)
        shown = told[:MAX_FINDINGS]
        questions = [q for f in shown if isinstance(q := f.data.get("question"), Question)]
        asked = await self._parts.estimates.find_questions(questions)
        objections = [self._objection(finding, asked) for finding in shown]
        return visit.show(
            "estimating/objections.html", status, objections=objections,
            more=len(told) - len(shown), names=LOCATIONS | MOUNTS,
        )  # fmt: skip

    def _objection(self, finding: Finding, asked: dict[str, OpenQuestion]) -> Objection:
        question = finding.data.get("question")
        known = question if isinstance(question, Question) else None
        return Objection(
            finding, field_of(finding.path), fixes_of(finding, self._brands),
            known, asked.get(known.subject) if known else None,
        )  # fmt: skip


async def _draft_in(visit: Visit) -> BoardDraft | None:
    """Return the board that was sent; None where it cannot be read."""
    try:
        return parse_board(await read_json(visit.request))
    except DomainError:
        return None


def at_each_line(findings: Iterable[Finding], draft: BoardDraft | None) -> list[Finding]:
    """Return `findings`, with those of a branch told of each that is alike.

    The engine tells them of the first: it takes equal lines for one.
    """
    branches = draft.branches if draft and draft.branches else ()
    alike: dict[DeviceDraft, list[int]] = {}
    for index, line in enumerate(branches):
        alike.setdefault(msgspec.structs.replace(line, quantity=1), []).append(index)
    groups = {group[0]: group for group in alike.values()}
    told: dict[tuple[ErrorCode, str], Finding] = {}
    for finding in findings:
        found = _BRANCH.fullmatch(finding.path)
        others = groups.get(int(found[1]), []) if found else []
        paths = [f"$.branches[{number}]{found[2]}" for number in others] if found else []
        for path in paths or [finding.path]:
            told.setdefault((finding.code, path), replace(finding, path=path))
    return list(told.values())


def lines_of(preview: Preview) -> dict[str, dict[str, str]]:
    """Return by line what its breaker turned out to be: what the cells left open."""
    items = {(item.category, item.model): item for item in preview.bill_of_materials}
    found = {}
    for place in preview.layout.placements:
        path = preview.rows.get(place.device)
        if path is not None and path not in found:
            found[path] = _line(items.get((place.role, place.model)))
    return found


def _line(item: BillItem | None) -> dict[str, str]:
    rating = rating_of(item) if item else None
    if item is None or rating is None:
        return {}
    return {
        "model": item.model, "brand": item.brand, "type": rating.type,
        "poles": f"{rating.poles}P", "af": str(rating.frame_size_a),
    }  # fmt: skip


def _is_of_board(refusal: DomainError) -> bool:
    """Whether it is the board that was refused, whose fields can be pointed at."""
    return all(finding.path.startswith("$") for finding in refusal.findings)


def _findings_of(problem: bytes) -> list[Finding]:
    """Return the findings of a refusal that was kept as an answer."""
    kept = msgspec.json.decode(problem, type=Problem)
    return [
        Finding(
            ErrorCode(each.code), each.path, Text(each.detail, each.detail_en),
            Text(each.hint, each.hint_en), each.data,
        )
        for each in kept.findings
    ]  # fmt: skip
