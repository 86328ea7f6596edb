"""The front view of a board and its side view, both to scale, with their dimensions."""

from collections.abc import Sequence

from kis.errors import Language
from kis.estimate.drawing import svg
from kis.estimate.drawing.bodies import draw_devices
from kis.estimate.drawing.clearances import (
    bands_of,
    draw_clearances,
    heights_of,
    widths_of,
)
from kis.estimate.drawing.devices import Device, door_inset
from kis.estimate.drawing.dimensions import across, chain_across, chain_down, down
from kis.estimate.drawing.feeding import draw_busbars
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import WORDS, Words
from kis.estimate.model import Busbar, Enclosure

CAPTION = 3.4
"""How far above a view its name stands, in sizes of text."""
PAPER = "#ffffff"
THIN, THICK = 0.06, 0.25
"""Lines, in sizes of text."""


def front_view(
    enclosure: Enclosure, devices: Sequence[Device], busbars: Sequence[Busbar], size: float,
    language: Language,
) -> str:  # fmt: skip
    """Return the front with everything in it, its dimensions outside."""
    words = WORDS[language]
    bands = bands_of(devices, busbars, enclosure)
    outline = Rect(0, 0, enclosure.W, enclosure.H)
    heights = heights_of(bands, enclosure, words)
    widths = widths_of(bands, enclosure, words)
    parts = (
        svg.rect(outline, "paper", fill=PAPER),
        draw_clearances(outline, bands, size, words),
        draw_busbars(devices, busbars, bands, size, words),
        *draw_devices(devices, size, language),
        _frame(enclosure, size),
        _ground(outline, enclosure, size),
        across(0, enclosure.W, enclosure.H, enclosure.H + 1.6 * size, f"W {enclosure.W}", size),
        down(0, enclosure.H, 0, -1.4 * size, f"H {enclosure.H}", size),
        chain_down(heights, enclosure.W, enclosure.W + 1.2 * size, size),
        chain_across(widths, 0, -size, size),
        svg.text(words.front_view, enclosure.W / 2, -CAPTION * size, size, "middle"),
    )
    return svg.group({"class": "kis-front-view"}, parts)


def chain_width(words: Words) -> float:
    """Return the room that the chain of heights takes beside the front, in sizes of text."""
    labels = (words.top, words.bottom, words.branches, words.accessories)
    return 2.4 + 0.9 * max(svg.width_of(f"{label} 0000.0") for label in labels)


def side_view(enclosure: Enclosure, x: float, size: float, words: Words) -> str:
    """Return the enclosure from its right, at `x`: the door on the left, the wall behind."""
    box = Rect(x, 0, enclosure.D, enclosure.H)
    door = box._replace(w=_door_thickness(box))
    parts = (
        svg.rect(box, "paper", fill=PAPER),
        svg.rect(box, "outline", stroke="currentColor", stroke_width=THICK * size),
        svg.rect(door, "door", stroke="currentColor", stroke_width=THIN * size),
        _wall(box, enclosure, size),
        _ground(box, enclosure, size),
        across(x, box.right, box.bottom, box.bottom + 1.6 * size, f"D {enclosure.D}", size),
        svg.text(words.side_view, box.middle[0], -CAPTION * size, size, "middle"),
    )
    return svg.group({"class": "kis-side-view"}, parts)


def _frame(enclosure: Enclosure, size: float) -> str:
    """Return the outline of the enclosure, the edge of its door, hinges and handle."""
    outline = Rect(0, 0, enclosure.W, enclosure.H)
    inset = door_inset(enclosure)
    door = Rect(inset, inset, outline.w - 2 * inset, outline.h - 2 * inset)
    long = min(0.08 * outline.h, 120)
    handle = Rect(door.right - inset / 4, (outline.h - long) / 2, inset / 2, long)
    hinges = "".join(
        svg.line(inset, y - long / 2, inset, y + long / 2)
        for y in (0.15 * outline.h, 0.85 * outline.h)
    )
    dashes = f"{svg.number(size)} {svg.number(0.35 * size)}"
    parts = (
        svg.rect(outline, "outline", stroke="currentColor", stroke_width=THICK * size),
        svg.rect(
            door, "door", stroke="currentColor", stroke_width=THIN * size, rx=inset / 4,
            stroke_dasharray=dashes,
        ),
        svg.path(hinges, "hinges", stroke="currentColor", stroke_width=0.35 * inset),
        svg.rect(handle, "handle", fill="currentColor", rx=inset / 4),
    )  # fmt: skip
    return svg.group({"class": "kis-enclosure"}, parts)


def _door_thickness(box: Rect) -> float:
    return min(0.1 * box.w, 15)


def _wall(box: Rect, enclosure: Enclosure, size: float) -> str:
    """Return the wall: behind the enclosure, or around one that is let into it."""
    thick, over = 0.8 * size, 0.5 * size
    walls: tuple[Rect, ...]
    if enclosure.mount == "STAND":
        return ""
    if enclosure.mount == "FLUSH":
        face = box.x + _door_thickness(box)
        width = box.right - face + thick
        walls = (
            Rect(face, box.y - thick, width, thick),
            Rect(box.right, box.y, thick, box.h),
            Rect(face, box.bottom, width, thick),
        )
        edge = svg.line(face, box.y - thick, face, box.y)
        edge += svg.line(face, box.bottom, face, box.bottom + thick)
    else:
        walls = (Rect(box.right, box.y - over, thick, box.h + 2 * over),)
        edge = svg.line(box.right, box.y - over, box.right, box.bottom + over)
    return _hatched(edge, walls, "wall", size)


def _ground(box: Rect, enclosure: Enclosure, size: float) -> str:
    """Return the floor under an enclosure that stands on it."""
    if enclosure.mount != "STAND":
        return ""
    floor = Rect(box.x - size, box.bottom, box.w + 2 * size, 0.6 * size)
    return _hatched(svg.line(floor.x, floor.y, floor.right, floor.y), (floor,), "floor", size)


def _hatched(edge: str, boxes: Sequence[Rect], name: str, size: float) -> str:
    hatching = "".join(svg.hatch(box, 0.55 * size) for box in boxes)
    parts = (
        svg.path(hatching, "hatch", stroke="currentColor", stroke_width=0.05 * size),
        svg.path(edge, "edge", stroke="currentColor", stroke_width=0.15 * size),
    )
    return svg.group({"class": f"kis-{name}"}, parts)
