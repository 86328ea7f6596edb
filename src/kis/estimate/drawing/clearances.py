"""Where devices stand on the front, and what is kept clear around them."""

from collections.abc import Sequence
from typing import NamedTuple

from kis.estimate.drawing import svg
from kis.estimate.drawing.devices import Device
from kis.estimate.drawing.dimensions import Span, in_mm
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import Words
from kis.estimate.model import Busbar, Enclosure

TINT = "#7b8794"
READABLE = 0.5
"""Of the size of text: a label that would be smaller is left out."""


class Bands(NamedTuple):
    """Heights of the front, from its top: where the main, rows and shelves begin and end.

    What there is none of is empty, at the end of what is above it. `side` is what is
    clear on the left and on the right, `main_left` where the main begins.
    """

    main: float
    main_end: float
    rows: float
    rows_end: float
    shelves_end: float
    side: float
    main_left: float


def bands_of(devices: Sequence[Device], busbars: Sequence[Busbar], enclosure: Enclosure) -> Bands:
    """Return the bands in which `devices` stand."""
    main = next(device.box for device in devices if device.placement.role == "main")
    branches = [device.box for device in devices if device.placement.role == "branch"]
    rows = min([bar.y for bar in busbars], default=main.bottom)
    rows_end = max([*(bar.y + bar.h for bar in busbars), *(box.bottom for box in branches), rows])
    shelves_end = max([rows_end, *(device.box.bottom for device in devices)])
    left = min(device.box.x for device in devices)
    right = max(device.box.right for device in devices)
    side = min(left, enclosure.W - right)
    return Bands(main.y, main.bottom, rows, rows_end, shelves_end, side, main.x)


def widths_of(bands: Bands, enclosure: Enclosure, words: Words) -> list[Span]:
    """Return what the width of the enclosure is made of, from the left."""
    left, right = bands.side, enclosure.W - bands.side
    side = f"{words.side} {in_mm(bands.side)}"
    return [
        Span(0, left, side), Span(left, right, f"{in_mm(right - left)}"),
        Span(right, enclosure.W, side),
    ]  # fmt: skip


def heights_of(bands: Bands, enclosure: Enclosure, words: Words) -> list[Span]:
    """Return what the height of the enclosure is made of, from the top."""
    spans = (
        (0, bands.main, words.top),
        (bands.main, bands.main_end, words.main),
        (bands.main_end, bands.rows, words.gap),
        (bands.rows, bands.rows_end, words.branches),
        (bands.rows_end, bands.shelves_end, words.accessories),
        (bands.shelves_end, enclosure.H, words.bottom),
    )
    return [
        Span(begin, end, f"{label} {in_mm(end - begin)}")
        for begin, end, label in spans
        if end > begin
    ]


def draw_clearances(outline: Rect, bands: Bands, size: float, words: Words) -> str:
    """Return the area of the devices, and around it what is clear: tinted, hatched, named."""
    side, height = bands.side, bands.shelves_end - bands.main
    top = Rect(0, 0, outline.w, bands.main)
    bottom = Rect(0, bands.shelves_end, outline.w, outline.h - bands.shelves_end)
    left = Rect(0, bands.main, side, height)
    right = Rect(outline.w - side, bands.main, side, height)
    zones = [zone for zone in (top, bottom, left, right) if zone.w > 0 and zone.h > 0]
    tints = [svg.rect(zone, "zone", fill=TINT, fill_opacity=0.12) for zone in zones]
    hatching = svg.path(
        "".join(svg.hatch(zone, 1.5 * size) for zone in zones), "hatch",
        stroke=TINT, stroke_width=0.05 * size, stroke_opacity=0.6,
    )  # fmt: skip
    labels = [
        svg.text(name, *zone.middle, size, "middle")
        for zone, name in ((top, words.top), (bottom, words.bottom))
        if zone.h > 1.3 * size
    ]
    area = Rect(side, bands.main, outline.w - 2 * side, height)
    parts = *tints, hatching, _area(area, bands, size, words), *labels
    return svg.group({"class": "kis-clearances"}, parts)


def _area(area: Rect, bands: Bands, size: float, words: Words) -> str:
    edge = svg.rect(
        area, "area", stroke="currentColor", stroke_width=0.07 * size, stroke_opacity=0.5,
        stroke_dasharray=f"{svg.number(0.5 * size)} {svg.number(0.3 * size)}",
    )  # fmt: skip
    name = f"{words.device_area} {in_mm(area.w)}×{in_mm(area.h)}"
    # Beside the main, on its left, stands nothing.
    room = min(0.75 * size, (bands.main_left - area.x - size) / svg.width_of(name))
    label = ""
    if room >= READABLE * size:
        label = svg.text(name, area.x + 0.5 * size, area.y + 0.8 * size, room)
    return svg.group({"class": "kis-device-area"}, (svg.title(name), edge, label))
