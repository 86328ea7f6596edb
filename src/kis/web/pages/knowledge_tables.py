"""The tables of a version, of any length: rows come from the server as one scrolls."""

from collections.abc import Callable
from typing import cast, get_args

import msgspec
from starlette.responses import Response

from kis.access.keys import Scope
from kis.knowledge.finding import Row
from kis.knowledge.model import Accessory, Breaker, Part, StockEnclosure
from kis.units import to_mm
from kis.web.parts import KnowledgeParts, Parts
from kis.web.visit import Page, Visit

ONE = "/console/knowledge/{label}"
A_PAGE = 200
MAX_TEXT = 100
COLUMNS: dict[Part, tuple[str, ...]] = {
    "breakers": (
        "brand", "series", "model", "frameSizeA", "poles", "type", "widthMm", "heightMm",
        "depthMm", "grade", "ratedCurrentsA", "breakingCapacityKa", "confidence", "warning",
    ),
    "enclosures": (
        "model", "series", "material", "location", "mount", "widthMm", "heightMm", "depthMm",
        "thicknessMm", "grade",
    ),
    "accessories": ("code", "kind", "widthMm", "heightMm", "depthMm"),
}  # fmt: skip
NUMBERS = frozenset(
    {"frameSizeA", "widthMm", "heightMm", "depthMm", "thicknessMm", "breakingCapacityKa"}
)


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts.knowledge)
    return (
        Page("GET", f"{ONE}/tables", about.show, Scope.ADMIN),
        Page("GET", f"{ONE}/rows", about.rows, Scope.ADMIN),
    )


class _Pages:
    def __init__(self, parts: KnowledgeParts) -> None:
        self._parts = parts

    async def show(self, visit: Visit) -> Response:
        """Show a table, which asks for its rows."""
        label, part = visit.named("label"), _part(visit)
        snapshot = await self._parts.reader.open(label)
        counts = {name: len(getattr(snapshot.tables, name)) for name in COLUMNS}
        return visit.show(
            "knowledge/tables.html", label=label, part=part, columns=COLUMNS[part],
            numbers=NUMBERS, counts=counts, text=_text(visit), a_page=A_PAGE,
        )  # fmt: skip

    async def rows(self, visit: Visit) -> Response:
        """Answer with a page of rows, each an array in the order of the columns."""
        label, part = visit.named("label"), _part(visit)
        page = visit.count_asked("page")
        found = await self._parts.reader.find(label, part, _text(visit), page * A_PAGE, A_PAGE)
        rows = [CELLS_OF[part](row) for row in found.rows]
        body = msgspec.json.encode({"total": found.total, "rows": rows})
        return Response(body, media_type="application/json")


def _part(visit: Visit) -> Part:
    asked = visit.request.query_params.get("part")
    return cast("Part", asked) if asked in get_args(Part) else "breakers"


def _text(visit: Visit) -> str:
    return visit.request.query_params.get("text", "")[:MAX_TEXT]


def _mm(dmm: int | None) -> int | float | None:
    return None if dmm is None else to_mm(dmm)


def _breaker(row: Row) -> list[object]:
    breaker = cast("Breaker", row)
    return [
        breaker.brand, breaker.series, breaker.model, breaker.frame_size_a, f"{breaker.poles}P",
        breaker.type, _mm(breaker.width_dmm), _mm(breaker.height_dmm), _mm(breaker.depth_dmm),
        breaker.grade, ", ".join(map(str, breaker.rated_currents_a)),
        breaker.breaking_capacity_ka, breaker.confidence, breaker.warning,
    ]  # fmt: skip


def _enclosure(row: Row) -> list[object]:
    stock = cast("StockEnclosure", row)
    return [
        stock.model, stock.series, stock.material, stock.location, stock.mount,
        _mm(stock.width_dmm), _mm(stock.height_dmm), _mm(stock.depth_dmm),
        _mm(stock.thickness_dmm), stock.grade,
    ]  # fmt: skip


def _accessory(row: Row) -> list[object]:
    item = cast("Accessory", row)
    sides = (item.width_dmm, item.height_dmm, item.depth_dmm)
    return [item.code, item.kind, *map(_mm, sides)]


CELLS_OF: dict[Part, Callable[[Row], list[object]]] = {
    "breakers": _breaker, "enclosures": _enclosure, "accessories": _accessory,
}  # fmt: skip
