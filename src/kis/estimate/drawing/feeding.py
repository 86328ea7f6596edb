"""From the main to the branches: busbars where the layout has them; what joins them is a symbol."""

from collections.abc import Iterator, Sequence

from kis.estimate.bom import rating_of
from kis.estimate.drawing import svg
from kis.estimate.drawing.bodies import spread
from kis.estimate.drawing.clearances import Bands
from kis.estimate.drawing.devices import Device, nearest
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import Words
from kis.estimate.model import Busbar

COPPER = "#c98a4b"
BAR_WIDTH, WIDEST_BAR_MM = 0.24, 30
"""How wide a busbar is shown: of the gap between its columns, and at most."""
FEED_MM, TAP_MM = 8, 3
READABLE = 0.5
"""Of the size of text: a label that would be smaller is left out."""


def draw_busbars(
    devices: Sequence[Device], busbars: Sequence[Busbar], bands: Bands, size: float, words: Words
) -> str:
    """Return the busbars, the feed to them from the main, and the taps to the branches."""
    if not busbars:
        return ""
    own: dict[Busbar, list[Device]] = {bar: [] for bar in busbars}
    for device in devices:
        if device.placement.role == "branch":
            own[nearest(busbars, device.box)].append(device)
    taps = "".join(tap for bar, found in own.items() for d in found for tap in _taps(d, bar.x))
    copper = {"stroke": COPPER, "stroke_linecap": "square"}
    parts = (
        svg.path(taps, "taps", stroke=COPPER, stroke_width=min(0.25 * size, TAP_MM)),
        svg.path(
            _feed(devices, busbars, bands), "feed", stroke_width=min(0.5 * size, FEED_MM), **copper
        ),
        *(_bar(bar, found, size, words) for bar, found in own.items()),
    )
    return svg.group({"class": "kis-busbars"}, parts)


def _feed(devices: Sequence[Device], busbars: Sequence[Busbar], bands: Bands) -> str:
    """Return the steps from the main to each busbar, through the gap above the rows."""
    main = next(device.box for device in devices if device.placement.role == "main")
    above = max(d.box.bottom for d in devices if d.box.bottom <= bands.rows)
    x, turn = main.middle[0], (above + bands.rows) / 2
    feed = svg.line(x, main.bottom, x, turn)
    for bar in busbars:
        feed += svg.line(x, turn, bar.x, turn) + svg.line(bar.x, turn, bar.x, bar.y)
    return feed


def _taps(device: Device, bar_x: float) -> Iterator[str]:
    """Yield a step from the busbar to each line terminal of a branch."""
    rating = rating_of(device.part.item) if device.part else None
    box = device.box
    x = box.right if device.facing == "right" else box.x
    for place in spread(box.h, rating.poles if rating else 0):
        yield svg.line(bar_x, box.y + place, x, box.y + place)


def _bar(bar: Busbar, own: Sequence[Device], size: float, words: Words) -> str:
    label = f"{words.busbar} L{bar.h}"
    half_gap = min((max(d.box.x - bar.x, bar.x - d.box.right) for d in own), default=0)
    width = min(BAR_WIDTH * 2 * half_gap, WIDEST_BAR_MM) or size
    box = Rect(bar.x - width / 2, bar.y, width, bar.h)
    room = min(size, 0.85 * width, 0.95 * bar.h / svg.width_of(label))
    shown = ""
    if room >= READABLE * size:
        shown = svg.text(label, *box.middle, room, "middle", turned=True)
    body = svg.rect(box, "busbar", fill=COPPER, stroke="currentColor", stroke_width=0.06 * size)
    return svg.group({"class": "kis-bar"}, (svg.title(label), body, shown))
