"""Below the views: the list of what is drawn, and the block that names the drawing."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from kis.errors import Language
from kis.estimate.drawing import svg
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import WORDS, Words, kind_in
from kis.estimate.tracing import Part

ROW_HEIGHT = 1.5
PADDING = 0.45
"""Of the size of text, on either side of a cell."""
MOST_NUMBER, MOST_MODEL, MOST_CIRCUIT = 15, 11, 12
"""How wide what people write may be shown."""

_NUMBERED = re.compile(r"([A-Z]+)(\d+)")


class Row(NamedTuple):
    """A row of the list as it is shown, and the path of its line in the request."""

    cells: tuple[str, ...]
    row: str


class Table(NamedTuple):
    """The list, set in columns of rows beside each other."""

    head: Row
    columns: tuple[tuple[Row, ...], ...]
    widths: tuple[float, ...]

    @property
    def width(self) -> float:
        """Return how wide it is over the size of text."""
        one = sum(self.widths)
        return one * len(self.columns) + len(self.columns) - 1

    def stretched(self, width: float) -> "Table":
        """Return it as wide as that: what is left over goes to all cells alike."""
        spare = (width - self.width) / (max(1, len(self.columns)) * len(self.widths))
        return self._replace(widths=tuple(each + max(0, spare) for each in self.widths))

    @property
    def height(self) -> float:
        """Return how tall it is over the size of text."""
        return ROW_HEIGHT * (1 + max((len(column) for column in self.columns), default=0))


def table_of(parts: Sequence[Part], language: Language, columns: int) -> Table:
    """Return the list of `parts` in so many columns of rows, or fewer."""
    words = WORDS[language]
    rows = [_row(part, language, words) for part in parts]
    head = Row((words.number, words.model, words.rating, words.quantity, words.circuit), "")
    if not any(row.cells[-1] for row in rows):
        head, *rows = (Row(row.cells[:-1], row.row) for row in (head, *rows))
    widths = tuple(
        2 * PADDING + max(svg.width_of(row.cells[place]) for row in (head, *rows))
        for place in range(len(head.cells))
    )
    tall = max(1, -(-len(rows) // columns))
    beside = tuple(tuple(rows[begin : begin + tall]) for begin in range(0, len(rows), tall))
    return Table(head, beside, widths)


def draw_table(table: Table, x: float, y: float, size: float) -> str:
    """Return the table with its top left corner there."""
    shown = []
    for index, column in enumerate(table.columns):
        left = x + index * (sum(table.widths) + 1) * size
        shown.append(_draw_column(table, column, left, y, size))
    return svg.group({"class": "kis-list"}, shown)


def _draw_column(table: Table, rows: Sequence[Row], x: float, y: float, size: float) -> str:
    width, step = sum(table.widths) * size, ROW_HEIGHT * size
    head = svg.rect(Rect(x, y, width, step), "head", fill="currentColor", fill_opacity=0.08)
    shown = [head, _draw_row(table.head, table.widths, x, y, size, is_head=True)]
    for index, row in enumerate(rows, start=1):
        shown.append(_draw_row(row, table.widths, x, y + index * step, size))
    rules = "".join(
        svg.line(x, y + i * step, x + width, y + i * step) for i in range(len(rows) + 2)
    )
    shown.append(svg.path(rules, "rule", stroke="currentColor", stroke_width=0.05 * size))
    return svg.group({"class": "kis-column"}, shown)


def _draw_row(
    row: Row, widths: Sequence[float], x: float, y: float, size: float, *, is_head: bool = False
) -> str:
    step = ROW_HEIGHT * size
    cells = [svg.rect(Rect(x, y, sum(widths) * size, step), "cells", fill="none")]
    for content, width in zip(row.cells, widths, strict=True):
        if content:
            cells.append(svg.text(content, x + PADDING * size, y + step / 2, size, is_bold=is_head))
        x += width * size
    attributes = {"class": "kis-row", "data-row": row.row or None}
    return svg.element("g", attributes, *cells)


def _row(part: Part, language: Language, words: Words) -> Row:
    item = part.item
    what = {
        "main": words.main, "accessory": kind_in(language, item.name), "busbar": words.busbar,
    }  # fmt: skip
    rating = f"{what.get(item.category, '')} {item.specification}".strip()
    cells = (
        svg.shortened(ranges_of(part.devices) or "–", MOST_NUMBER),
        svg.shortened(item.model or "–", MOST_MODEL),
        rating,
        str(item.quantity),
        svg.shortened(part.circuit, MOST_CIRCUIT),
    )
    return Row(cells, part.row)


def ranges_of(devices: Sequence[str]) -> str:
    """Return the numbers of devices with runs drawn together: `B1–B4, B9`."""
    runs: list[list[tuple[str, int]]] = []
    for device in devices:
        found = _NUMBERED.fullmatch(device)
        key = (found[1], int(found[2])) if found else (device, 0)
        if runs and found and runs[-1][-1] == (key[0], key[1] - 1):
            runs[-1].append(key)
        else:
            runs.append([key])
    return ", ".join(_run(run) for run in runs)


def _run(run: Sequence[tuple[str, int]]) -> str:
    names = [f"{letter}{count or ''}" for letter, count in run]
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
