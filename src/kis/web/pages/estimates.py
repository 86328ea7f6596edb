"""견적함: estimates that are stored: found, read, noted on, compared, printed."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.responses import Response

from kis.api.direct import ID
from kis.errors import DomainError, ErrorCode, Finding, Text, refusal
from kis.estimate.answer import Answer
from kis.estimate.drawing.sheet import Drawn, draw
from kis.estimate.model import BillItem
from kis.estimate.notes import NoteRequest
from kis.estimate.request import parse_body
from kis.estimate.store import EstimateFilter
from kis.estimate.stored import decode_stored
from kis.ops.report import midnight
from kis.web.forms import number_or_text, read_form
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

A_PAGE = 50
MAX_TEXT = 200
PAIR = 2
SIZE = re.compile(r"\s*(\d{2,5}|\*)?\s*[xX×*]\s*(\d{2,5})?\s*(?:[xX×*]\s*(\d{2,5})?)?\s*")
"""600x700, 600×700×200, x700: what is left out may be anything."""


class Line(NamedTuple):
    """A line of two bills of materials side by side; a quantity is 0 where there is none."""

    item: BillItem
    first: int
    second: int


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    shelf = _Shelf(parts)
    return (
        Page("GET", "/console/estimates", shelf.show_list),
        Page("GET", "/console/estimates/compare", shelf.compare),
        Page("GET", "/console/estimates/{estimate_id}", shelf.show),
        Page("GET", "/console/estimates/{estimate_id}/drawing.svg", shelf.drawing),
        Page("PUT", "/console/estimates/{estimate_id}/note", shelf.save_note),
    )


class _Shelf:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show_list(self, visit: Visit) -> Response:
        asked = visit.request.query_params
        found = await self._parts.estimates.list_estimates(filter_of(asked))
        following = found[A_PAGE - 1].id if len(found) > A_PAGE else None
        kept = {name: value for name, value in asked.items() if name != "before" and value}
        return visit.show(
            "estimates/list.html", estimates=found[:A_PAGE], asked=asked, following=following,
            kept=kept, is_filtered=bool(kept),
        )  # fmt: skip

    async def show(self, visit: Visit) -> Response:
        answer = await self._load(visit.named("estimate_id"))
        note = await self._parts.notes.load(answer.id)
        return visit.show(
            "estimates/one.html", answer=answer, note=note, drawing=await _drawn(answer, visit)
        )

    async def compare(self, visit: Visit) -> Response:
        ids = visit.request.query_params.getlist("id")
        if len(ids) != PAIR:
            raise _not_two(len(ids))
        answers = [await self._load(estimate_id) for estimate_id in ids]
        return visit.show(
            "estimates/compare.html", answers=answers,
            drawings=[await _drawn(answer, visit) for answer in answers],
            lines=list(side_by_side(*(answer.bill_of_materials for answer in answers))),
        )  # fmt: skip

    async def drawing(self, visit: Visit) -> Response:
        estimate_id = visit.named("estimate_id")
        drawing = await self._parts.estimates.load_drawing(estimate_id, visit.words.language)
        return Response(drawing, media_type="image/svg+xml")

    async def save_note(self, visit: Visit) -> Response:
        form = await read_form(visit.request)
        asked = {"note": form.get("note", ""), "revision": number_or_text(form.get("revision", ""))}
        wanted = parse_body(NoteRequest, asked)
        estimate_id = visit.named("estimate_id")
        note = await self._parts.notes.save(estimate_id, wanted, visit.caller)
        return visit.show("estimates/note.html", note=note, estimate_id=estimate_id, is_saved=True)

    async def _load(self, estimate_id: str) -> Answer:
        return decode_stored(await self._parts.estimates.load_answer(estimate_id), Answer)


def filter_of(asked: QueryParams) -> EstimateFilter:
    """Return which estimates the fields of the search ask for.

    Raises:
        DomainError: INVALID_REQUEST, with a finding for each field that cannot be read.

    """
    problems: list[Finding] = []

    def read_day(name: str, *, after: bool) -> datetime | None:
        text = asked.get(name, "").strip()
        try:
            return midnight(date.fromisoformat(text) + timedelta(days=after)) if text else None
        except (ValueError, OverflowError):
            problems.append(_no_day(name, text))
            return None

    cursor, size = asked.get("before", ""), asked.get("size", "").strip()
    sizes = SIZE.fullmatch(size)
    if size and sizes is None:
        problems.append(_no_size(size))
    width, height, depth = sizes.groups() if size and sizes else (None, None, None)
    since, until = read_day("since", after=False), read_day("until", after=True)
    if problems:
        raise DomainError(*problems)
    return EstimateFilter(
        A_PAGE + 1, before=cursor if ID.fullmatch(cursor) else None,
        text=asked.get("q", "")[:MAX_TEXT] or None,
        brand=asked.get("brand") or None, since=since, until=until, width_mm=_mm(width),
        height_mm=_mm(height), depth_mm=_mm(depth),
    )  # fmt: skip


def side_by_side(first: Iterable[BillItem], second: Iterable[BillItem]) -> Iterator[Line]:
    """Yield the lines of two bills, each article once, in the order of the first."""
    bills = [{_article(item): item for item in bill} for bill in (first, second)]
    for article in {**bills[0], **bills[1]}:
        one, other = bills[0].get(article), bills[1].get(article)
        item = one or other
        assert item is not None  # noqa: S101 - it is in one of them
        yield Line(item, one.quantity if one else 0, other.quantity if other else 0)


def _article(item: BillItem) -> tuple[str, ...]:
    return item.category, item.name, item.model, item.brand, item.specification


async def _drawn(answer: Answer, visit: Visit) -> str:
    drawn = Drawn(
        answer.enclosure, answer.required, answer.layout, answer.bill_of_materials, answer.request
    )
    # As at /v1: a board of a thousand devices takes as long as hundreds of estimates.
    return await asyncio.to_thread(draw, drawn, visit.words.language, views_only=True)


def _mm(text: str | None) -> float | None:
    return float(text) if text and text != "*" else None


def _no_day(name: str, text: str) -> Finding:
    return Finding(
        ErrorCode.INVALID_REQUEST,
        name,
        Text(f"날짜가 아닙니다: {text[:40]}", f"That is no date: {text[:40]}"),
        Text("2026-01-31처럼 쓰십시오.", "Write it as 2026-01-31."),
    )


def _no_size(text: str) -> Finding:
    return Finding(
        ErrorCode.INVALID_REQUEST,
        "size",
        Text(f"크기를 읽을 수 없습니다: {text[:40]}", f"That is no size: {text[:40]}"),
        Text("600x700x200이나 600x700처럼 쓰십시오.", "Write it as 600x700x200 or 600x700."),
    )


def _not_two(count: int) -> DomainError:
    return refusal(
        ErrorCode.INVALID_REQUEST,
        Text(f"견적 {count}건을 골랐습니다.", f"{count} estimates were chosen."),
        Text("비교할 견적 두 건을 고르십시오.", "Choose two estimates to compare."),
        "id",
    )
