"""Dimension lines: outside the views, in mm, with arrows at both ends."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kis.estimate.drawing import svg
from kis.estimate.model import Number

ARROW_LENGTH, ARROW_HALF = 0.7, 0.17
LEAST_WITH_ARROWS = 2.4 * ARROW_LENGTH
"""Of the size of text."""


class Span(NamedTuple):
    """A stretch of a chain of dimensions: from, to, and what it is."""

    begin: float
    end: float
    label: str


def across(begin: float, end: float, edge: float, y: float, label: str, size: float) -> str:
    """Return a dimension of a width, below an `edge`, with the label under its line."""
    steps = (
        svg.line(begin, edge + 0.3 * size, begin, y + 0.5 * size)
        + svg.line(end, edge + 0.3 * size, end, y + 0.5 * size)
        + svg.line(begin, y, end, y)
    )
    heads = _head(begin, y, 1, 0, size) + _head(end, y, -1, 0, size)
    words = svg.text(label, (begin + end) / 2, y + 0.9 * size, size, "middle", is_bold=True)
    return _group(steps, heads, (words,), size)


def down(begin: float, end: float, edge: float, x: float, label: str, size: float) -> str:
    """Return a dimension of a height, left of an `edge`, with the label beside its line."""
    steps = (
        svg.line(edge - 0.3 * size, begin, x - 0.5 * size, begin)
        + svg.line(edge - 0.3 * size, end, x - 0.5 * size, end)
        + svg.line(x, begin, x, end)
    )
    heads = _head(x, begin, 0, 1, size) + _head(x, end, 0, -1, size)
    words = svg.text(
        label, x - 0.8 * size, (begin + end) / 2, size, "middle", is_bold=True, turned=True
    )
    return _group(steps, heads, (words,), size)


def chain_across(spans: Sequence[Span], edge: float, y: float, size: float) -> str:
    """Return the widths that a width is made of, above an `edge`, each with its label."""
    marks = sorted({mark for span in spans for mark in (span.begin, span.end)})
    steps = "".join(svg.line(mark, edge - 0.3 * size, mark, y - 0.5 * size) for mark in marks)
    heads = ""
    words = []
    for index, span in enumerate(spans):
        steps += svg.line(span.begin, y, span.end, y)
        if span.end - span.begin > LEAST_WITH_ARROWS * size:
            heads += _head(span.begin, y, 1, 0, size) + _head(span.end, y, -1, 0, size)
        x, anchor = (span.begin + span.end) / 2, "middle"
        if 0.9 * svg.width_of(span.label) * size > span.end - span.begin:
            # Too long for its span: it stands out to the side on which there is nothing.
            x, anchor = (span.end, "end") if index == 0 else (span.begin, "start")
        words.append(svg.text(span.label, x, y - 0.8 * size, 0.9 * size, anchor))
    return _group(steps, heads, words, size)


def chain_down(spans: Sequence[Span], edge: float, x: float, size: float) -> str:
    """Return the heights that a height is made of, right of an `edge`, each with its label."""
    marks = sorted({mark for span in spans for mark in (span.begin, span.end)})
    steps = "".join(svg.line(edge + 0.3 * size, mark, x + 0.5 * size, mark) for mark in marks)
    heads = ""
    for span in spans:
        steps += svg.line(x, span.begin, x, span.end)
        # Arrows that would meet are left out: the ticks say as much.
        if span.end - span.begin > LEAST_WITH_ARROWS * size:
            heads += _head(x, span.begin, 0, 1, size) + _head(x, span.end, 0, -1, size)
    words = [
        svg.text(span.label, x + 0.9 * size, y, 0.9 * size)
        for span, y in zip(spans, _apart(spans, 1.15 * size), strict=True)
    ]
    return _group(steps, heads, words, size)


def in_mm(length: float) -> Number:
    """Return a difference of lengths as it is shown: to a tenth, whole where whole."""
    rounded = round(length, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def _apart(spans: Sequence[Span], least: float) -> Iterator[float]:
    """Yield where labels stand: in the middle of their spans, moved so that they keep apart."""
    places = [(span.begin + span.end) / 2 for span in spans]
    for _ in places:
        for index in range(1, len(places)):
            lacking = least - (places[index] - places[index - 1])
            if lacking > 0:
                places[index - 1] -= lacking / 2
                places[index] += lacking / 2
    yield from places


def _head(x: float, y: float, dx: int, dy: int, size: float) -> str:
    """Return an arrowhead whose tip is there; its base lies in the direction that is given."""
    length, half = ARROW_LENGTH * size, ARROW_HALF * size
    n = svg.number
    one = f"{n(x + dx * length + dy * half)} {n(y + dy * length + dx * half)}"
    other = f"{n(x + dx * length - dy * half)} {n(y + dy * length - dx * half)}"
    return f"M{n(x)} {n(y)}L{one}L{other}Z"


def _group(steps: str, heads: str, words: Sequence[str], size: float) -> str:
    lines = svg.path(steps, "dimension", stroke="currentColor", stroke_width=0.06 * size)
    arrows = svg.path(heads, "arrow", fill="currentColor")
    return svg.group({"class": "kis-dimensions"}, (lines, arrows, *words))
