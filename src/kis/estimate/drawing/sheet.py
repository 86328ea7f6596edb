"""The whole drawing: views, list and title block on one sheet, as SVG text."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from kis.errors import Language
from kis.estimate.drawing import svg
from kis.estimate.drawing.block import Cell, Reference, cells_of, draw_block, height_of
from kis.estimate.drawing.devices import devices_of
from kis.estimate.drawing.listing import Table, draw_table, table_of
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.views import PAPER, chain_width, front_view, side_view
from kis.estimate.drawing.words import WORDS, Words, kind_in
from kis.estimate.model import BillItem, Board, Enclosure, Layout
from kis.estimate.stored import decode_stored
from kis.estimate.tracing import Part, trace
from kis.units import Size

FONTS = "Noto Sans KR, Noto Sans CJK KR, Malgun Gothic, Apple SD Gothic Neo, sans-serif"
INK = "#1f2933"
PRINTED_TEXT_MM = 2.4
"""How tall text is when the sheet is printed on A4; less on devices where it must be."""
PAGE = (190 / PRINTED_TEXT_MM, 277 / PRINTED_TEXT_MM)
"""What A4 upright prints, and a screen shows of views alone: width and height in sizes of text."""
SCREEN = (65.0, 90.0)
LEAST_VIEWS = 0.3
"""Of the height of the paper, however long the list is."""
MOST_COLUMNS = 3
LISTED = 0.85
"""The list's text, over the sheet's."""

MARGIN = 1.0
LEFT, ABOVE, BELOW, BETWEEN, BEHIND = 3.2, 4.0, 3.2, 1.5, 1.5
"""Around the views: the height, their names, the widths, and the wall. In sizes of text."""
APART = 1.2
"""Between views, list, block and notes."""
NOTE = 0.8


class Drawn(msgspec.Struct, frozen=True, rename="camel"):
    """What of an answer is drawn."""

    enclosure: Enclosure
    required: Size
    layout: Layout
    bill_of_materials: tuple[BillItem, ...]
    request: Board


def draw(
    drawn: Drawn,
    language: Language = "ko",
    *,
    reference: Reference | None = None,
    rows: Mapping[str, str] | None = None,
    views_only: bool = False,
    width: str | None = None,
    height: str | None = None,
) -> str:
    """Return the drawing of an estimate: the same bytes for the same arguments.

    A unit of its `viewBox` is a millimetre, from the top left corner of the enclosure.
    `rows` gives by device the path of its line in a request as it was typed; without
    it paths are those of the answer's own request. `views_only` leaves out the list of
    devices and the title block, for a page that shows them itself. `width` and `height`
    are the attributes of the `svg` element (`"190mm"`, `"100%"`); without them it takes
    the room that there is.
    """
    words = WORDS[language]
    parts = trace(drawn.request, drawn.bill_of_materials, drawn.layout.placements)
    devices = devices_of(drawn.layout, drawn.enclosure, parts, rows)
    cells: tuple[Cell, ...] = ()
    listed: Sequence[Part] = ()
    if not views_only:
        found = reference or Reference()
        cells = cells_of(drawn.request, drawn.enclosure, drawn.required, found, words)
        listed = [_typed(part, rows) for part in parts]
    sheet = _arrange(drawn.enclosure, listed, cells, language)
    content = (
        svg.title(_name_of(drawn, words)),
        svg.element("desc", {}, svg.escape(_told(drawn, parts, language))),
        svg.rect(sheet.box, "sheet", fill=PAPER),
        front_view(drawn.enclosure, devices, drawn.layout.busbars, sheet.size, language),
        side_view(drawn.enclosure, sheet.side_x, sheet.size, words),
        *_below(sheet, cells, words),
    )
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "class": "kis-drawing",
        "role": "img",
        "lang": language,
        "viewBox": " ".join(map(svg.number, sheet.box)),
        "width": width,
        "height": height,
        "color": INK,
        "fill": "none",
        "font-family": FONTS,
    }
    return svg.element("svg", attributes, "\n", "".join(f"{part}\n" for part in content)) + "\n"


class _Stored(Drawn, frozen=True, rename="camel", kw_only=True):
    """What of a stored answer is drawn."""

    id: str
    created_at: str


def draw_answer(answer: bytes, language: Language) -> bytes:
    """Return the drawing of a stored answer.

    Raises:
        DomainError: as `decode_stored`.

    """
    stored = decode_stored(answer, _Stored)
    return draw(stored, language, reference=Reference(stored.id, stored.created_at)).encode()


class _Sheet(NamedTuple):
    """Where everything is, and how tall its text."""

    box: Rect
    size: float
    side_x: float
    table: Table | None
    below: float
    """Where the views end."""


def _arrange(
    enclosure: Enclosure, parts: Sequence[Part], cells: Sequence[Cell], language: Language
) -> _Sheet:
    """Return the sheet on which the views are largest while its text keeps its printed size."""
    words = WORDS[language]
    beside = LEFT + chain_width(words) + BETWEEN + BEHIND + 2 * MARGIN
    around = ABOVE + BELOW + 2 * MARGIN
    views = enclosure.W + enclosure.D
    wide, tall = PAGE if cells else SCREEN
    table = None
    if cells:
        inner = wide - 2 * MARGIN
        around += height_of(cells, inner) + 2 * APART + 2 * NOTE
        least = (wide - beside) * enclosure.H / views
        table = _table(parts, language, inner, max(tall - around - least, 0))
        around += table.height * LISTED
    # Sizes of text to a millimetre of the board.
    share = min((wide - beside) / views, max(tall - around, LEAST_VIEWS * tall) / enclosure.H)
    size = 1 / share
    width = beside * size + views
    if table is not None:
        width = max(width, (table.width * LISTED + 2 * MARGIN) * size)
        inner = width / size - 2 * MARGIN
        table = table.stretched(inner / LISTED)
        around += height_of(cells, inner) - height_of(cells, wide - 2 * MARGIN)
    # What is left over in width stands on both sides of the views.
    left = -(LEFT + MARGIN) * size - (width - beside * size - views) / 2
    box = Rect(left, -(ABOVE + MARGIN) * size, width, enclosure.H + around * size)
    side_x = enclosure.W + (chain_width(words) + BETWEEN) * size
    return _Sheet(box, size, side_x, table, enclosure.H + BELOW * size)


def _table(parts: Sequence[Part], language: Language, width: float, height: float) -> Table:
    """Return the list in one column, or in more where it is taller than `height` else."""
    tables = (table_of(parts, language, n + 1) for n in range(MOST_COLUMNS))
    fitting = [each for each in tables if each.width * LISTED <= width]
    low = (each for each in fitting if each.height * LISTED <= height)
    lowest = min(fitting, key=lambda each: each.height, default=None)
    return next(low, None) or lowest or table_of(parts, language, 1)


def _below(sheet: _Sheet, cells: Sequence[Cell], words: Words) -> list[str]:
    """Return the list, the title block and the notes."""
    if sheet.table is None:
        return []
    size, margin = sheet.size, MARGIN * sheet.size
    x, width = sheet.box.x + margin, sheet.box.w - 2 * margin
    y = sheet.below + APART * size
    listed = draw_table(sheet.table, x, y, LISTED * size)
    y += (sheet.table.height * LISTED + APART) * size
    tall = height_of(cells, width / size) * size
    block = draw_block(cells, Rect(x, y, width, tall), size)
    note = f"{words.to_scale} {words.symbols}"
    y += tall + NOTE * size
    return [listed, block, svg.text(note, x, y, NOTE * size, name="note")]


def _typed(part: Part, rows: Mapping[str, str] | None) -> Part:
    """Return `part` with its line as typed: none where several lines were merged."""
    if rows is None:
        return part
    paths = {rows.get(device, "") for device in part.devices}
    return part._replace(row=paths.pop() if len(paths) == 1 else "")


def _name_of(drawn: Drawn, words: Words) -> str:
    size = drawn.enclosure
    return f"{drawn.request.label} {words.front_view}, {size.W}×{size.H}×{size.D} mm".lstrip()


def _told(drawn: Drawn, parts: Sequence[Part], language: Language) -> str:
    """Return in words what the drawing shows."""
    words, enclosure = WORDS[language], drawn.enclosure
    source = words.stock if enclosure.source == "stock" else words.made_to_order
    made_of = (enclosure.material, enclosure.location, enclosure.mount)
    sentences = [
        f"{words.enclosure}: {source} {enclosure.model or ''}".rstrip()
        + f", {enclosure.W}×{enclosure.H}×{enclosure.D} mm, "
        + ", ".join(words.values[name] for name in made_of)
    ]
    kinds = {"main": words.main, "branch": words.branch, "accessory": words.accessory}
    for part in parts:
        item = part.item
        kind = words.busbar if item.category == "busbar" else kinds.get(item.category, "")
        named = kind_in(language, item.name) if item.category == "accessory" else ""
        what = " ".join(filter(None, (item.model, named, item.specification, part.circuit)))
        sentences.append(f"{kind}: {what} × {item.quantity}")
    return ". ".join(sentences) + "."
