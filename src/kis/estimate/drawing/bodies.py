"""Devices as an estimator knows them: a body with terminals, toggle, and what is written on it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kis.errors import Language
from kis.estimate.bom import rating_of
from kis.estimate.drawing import svg
from kis.estimate.drawing.devices import Device, Facing
from kis.estimate.drawing.lettering import Surface, Writing, write, writing_for
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import kind_in
from kis.estimate.model import Number, Role

FILLS: dict[Role, str] = {"main": "#d6e6f5", "branch": "#f3f7fb", "accessory": "#eef4ea"}
LEAKAGE_FILL, TEST_BUTTON = "#fdf3df", "#e0a100"
LEAKAGE = ("ELCB", "RCBO")

STRIP = 0.1
"""Of a body's length: the terminals at either end."""
WINDOW = (0.12, 0.22)
"""Of a body's length: where the opening of the toggle begins and ends."""
TEXT_FROM = 0.24


class _Axis(NamedTuple):
    """A body seen from its line terminals: a length along it, a breadth across."""

    box: Rect
    facing: Facing

    @property
    def length(self) -> float:
        return self.box.h if self.facing == "up" else self.box.w

    @property
    def breadth(self) -> float:
        return self.box.w if self.facing == "up" else self.box.h

    def part(self, begin: float, end: float, left: float = 0, right: float = 1) -> Rect:
        """Return a part of the body; all four are shares of its length and breadth."""
        x, y, w, h = self.box
        if self.facing == "up":
            return Rect(x + left * w, y + begin * h, (right - left) * w, (end - begin) * h)
        if self.facing == "right":
            begin, end = 1 - end, 1 - begin
        return Rect(x + begin * w, y + left * h, (end - begin) * w, (right - left) * h)


def draw_devices(devices: Sequence[Device], size: float, language: Language) -> Iterator[str]:
    """Yield each device as a group that a page can link with its row of the request.

    Bodies of one size are written on alike: as much, and as large, as fits on all of them.
    """
    alike: dict[tuple[Role, Number, Number], list[Surface]] = {}
    surfaces = [Surface(device, _inside(device, size)) for device in devices]
    for surface in surfaces:
        place = surface.device.placement
        alike.setdefault((place.role, place.w, place.h), []).append(surface)
    writing = {key: writing_for(found, size, language) for key, found in alike.items()}
    for surface in surfaces:
        place = surface.device.placement
        yield _draw(surface, writing[place.role, place.w, place.h], size, language)


def told(device: Device, language: Language) -> str:
    """Return what the device is, where it stands and how large it is, in a line."""
    place, part = device.placement, device.part
    words = [f"{place.device} {place.model}"]
    if part is not None:
        kind = kind_in(language, part.item.name) if place.role == "accessory" else ""
        words += [kind, part.item.specification, part.circuit]
    words += [f"{place.w}×{place.h} mm (x {place.x}, y {place.y})"]
    return " · ".join(filter(None, words))


def spread(length: float, poles: int) -> list[float]:
    """Return where the poles are along a side of that length: evenly."""
    return [length * (2 * pole + 1) / (2 * poles) for pole in range(poles)]


def _draw(surface: Surface, writing: Writing, size: float, language: Language) -> str:
    device = surface.device
    place = device.placement
    rating = rating_of(device.part.item) if device.part else None
    leaks = rating is not None and rating.type in LEAKAGE
    attributes = {
        "class": f"kis-device kis-{place.role}" + (" kis-leakage" if leaks else ""),
        "data-item": device.item,
        "data-device": place.device,
        "data-row": device.row or None,
    }
    body = svg.rect(
        device.box, "body",
        fill=LEAKAGE_FILL if leaks and place.role == "branch" else FILLS[place.role],
        stroke="currentColor", stroke_width=0.1 * size, rx=min(2, 0.04 * min(place.w, place.h)),
    )  # fmt: skip
    parts = [svg.title(told(device, language)), body]
    if place.role != "accessory":
        axis = _Axis(device.box, device.facing)
        parts += _details(axis, rating.poles if rating else 0, size, has_test_button=leaks)
    return svg.group(attributes, (*parts, *write(surface, writing, size, language)))


def _details(axis: _Axis, poles: int, size: float, *, has_test_button: bool) -> Iterator[str]:
    """Yield terminals with their screws, the toggle, and the test button of a leakage breaker."""
    thin = {"stroke": "currentColor", "stroke_width": 0.05 * size}
    strips = axis.part(0, STRIP), axis.part(1 - STRIP, 1)
    yield "".join(svg.rect(strip, "strip", **thin) for strip in strips)
    dots = []
    for strip in strips:
        x, y = strip.middle
        for place in spread(axis.breadth, poles):
            at = (strip.x + place, y) if axis.facing == "up" else (x, strip.y + place)
            dots.append(svg.line(*at, *at))
    wide = min(STRIP * axis.length, axis.breadth / max(poles, 1))
    yield svg.path(
        "".join(dots), "screws", stroke="currentColor", stroke_width=0.5 * wide,
        stroke_linecap="round", opacity=0.55,
    )  # fmt: skip
    begin, end = WINDOW
    left, right = (0.1, 0.56) if has_test_button else (0.27, 0.73)
    yield svg.rect(axis.part(begin, end, left, right), "window", **thin)
    margin = (right - left) / 6
    handle = axis.part(begin, (begin + end) / 2, left + margin, right - margin)
    yield svg.rect(handle, "toggle", fill="currentColor", opacity=0.7)
    if has_test_button:
        x, y = axis.part(begin, end, 0.62, 0.9).middle
        radius = min(0.05 * axis.length, 0.12 * axis.breadth)
        circle = {"class": "kis-test", "cx": x, "cy": y, "r": radius, "fill": TEST_BUTTON}
        yield svg.element("circle", circle)


def _inside(device: Device, size: float) -> Rect:
    """Return where the device can be written on."""
    if device.placement.role == "accessory":
        return _inset(device.box, 0.15 * size)
    return _inset(_Axis(device.box, device.facing).part(TEXT_FROM, 1 - STRIP), 0.1 * size)


def _inset(box: Rect, margin: float) -> Rect:
    margin = min(margin, box.w / 10, box.h / 10)
    return Rect(box.x + margin, box.y + margin, box.w - 2 * margin, box.h - 2 * margin)
