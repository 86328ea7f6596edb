"""The title block: what the drawing is of, for whom, and when it was estimated."""

from collections.abc import Sequence
from typing import NamedTuple

from kis.estimate.drawing import svg
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import Words
from kis.estimate.model import Board, Enclosure
from kis.units import Size

ROW_HEIGHT = 2.9
"""Of the size of text: a small label, and the value under it."""
LEAST_WIDTH = 17
MOST_COLUMNS = 4
LABEL = 0.75


class Cell(NamedTuple):
    """A label and what it says; `room` counts columns."""

    label: str
    value: str


class Reference(NamedTuple):
    """Which estimate is drawn, and when it was made; both empty for one that is not stored."""

    number: str = ""
    made_at: str = ""


def cells_of(
    board: Board, enclosure: Enclosure, required: Size, reference: Reference, words: Words
) -> tuple[Cell, ...]:
    """Return what the block says; what nobody stated is left out."""
    values = words.values
    source = words.stock if enclosure.source == "stock" else words.made_to_order
    made_of = (board.form, enclosure.material, enclosure.location, enclosure.mount)
    cells = (
        Cell(words.board, board.label),
        Cell(words.customer, board.customer),
        Cell(words.estimate, reference.number),
        Cell(words.made_at, _minutes(reference.made_at)),
        Cell(words.enclosure, f"{source} {enclosure.model or ''}".rstrip()),
        Cell(words.size, f"{enclosure.W}×{enclosure.H}×{enclosure.D} mm"),
        Cell(words.required, f"{required.W}×{required.H}×{required.D} mm"),
        Cell(words.make, " · ".join(values[name] for name in made_of)),
    )
    return tuple(cell for cell in cells if cell.value)


def columns_in(width: float) -> int:
    """Return how many cells stand beside each other; `width` in sizes of text."""
    return max(1, min(MOST_COLUMNS, int(width // LEAST_WIDTH)))


def height_of(cells: Sequence[Cell], width: float) -> float:
    """Return how tall the block is; both in sizes of text."""
    return ROW_HEIGHT * -(-len(cells) // columns_in(width))


def draw_block(cells: Sequence[Cell], box: Rect, size: float) -> str:
    """Return the block in `box`; a value that is too long is written smaller, then cut."""
    count = columns_in(box.w / size)
    step, width = ROW_HEIGHT * size, box.w / count
    shown = []
    for index, cell in enumerate(cells):
        row, column = divmod(index, count)
        # The last cell takes what is left of its row.
        spans = count - column if index == len(cells) - 1 else 1
        at = Rect(box.x + column * width, box.y + row * step, width * spans, step)
        shown.append(_draw_cell(cell, at, size))
    return svg.group({"class": "kis-block"}, shown)


def _draw_cell(cell: Cell, box: Rect, size: float) -> str:
    room = (box.w - size) / svg.BOLD
    fitting = min(size, max(0.7 * size, room / svg.width_of(cell.value)))
    x = box.x + 0.5 * size
    return "".join(
        (
            svg.rect(box, "cell", stroke="currentColor", stroke_width=0.06 * size),
            svg.text(cell.label, x, box.y + 0.8 * size, LABEL * size, name="label"),
            svg.text(
                svg.shortened(cell.value, room / fitting), x, box.y + 1.95 * size, fitting,
                is_bold=True,
            ),
        )
    )  # fmt: skip


def _minutes(moment: str) -> str:
    """Return a moment as the answer has it, in whole minutes: `2025-09-24 08:00 UTC`."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else ""
