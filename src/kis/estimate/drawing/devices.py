"""What is drawn: each device with its row of the bill, its line, and the room beside it."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from kis.estimate.drawing.svg import Rect
from kis.estimate.model import Busbar, Enclosure, Layout, Placement
from kis.estimate.tracing import Part

Facing = Literal["up", "left", "right"]
"""Where a breaker has its line terminals: a main above, a branch towards its busbar."""


class Device(NamedTuple):
    """A body to draw.

    `row` is the path of its line in the request, "" for none. `reach` is where what is
    written beside a branch must end: the x of what comes next on its load side.
    """

    placement: Placement
    part: Part | None
    row: str
    facing: Facing
    reach: float

    @property
    def box(self) -> Rect:
        """Return where it is."""
        place = self.placement
        return Rect(place.x, place.y, place.w, place.h)

    @property
    def item(self) -> str:
        """Return the name of the device on a page: `main`, `branch-3`, `accessory-1`."""
        place = self.placement
        return "main" if place.role == "main" else f"{place.role}-{place.device[1:]}"


def devices_of(
    layout: Layout, enclosure: Enclosure, parts: Sequence[Part], rows: Mapping[str, str] | None
) -> list[Device]:
    """Return the devices of `layout`; `rows` leads from a device to its line as it was typed."""
    owners = {device: part for part in parts for device in part.devices}
    busbars = sorted(layout.busbars, key=lambda bar: bar.x)
    devices = []
    for place in layout.placements:
        part = owners.get(place.device)
        row = part.row if part else ""
        if rows is not None:
            row = rows.get(place.device, "")
        device = Device(place, part, row, "up", 0)
        if place.role == "branch" and busbars:
            bar = nearest(busbars, device.box)
            facing: Facing = "right" if device.box.middle[0] < bar.x else "left"
            reach = _reach(busbars.index(bar), facing, busbars, enclosure)
            device = device._replace(facing=facing, reach=reach)
        devices.append(device)
    return devices


def nearest(busbars: Sequence[Busbar], box: Rect) -> Busbar:
    """Return the busbar that a branch hangs on."""
    return min(busbars, key=lambda bar: abs(bar.x - box.middle[0]))


def door_inset(enclosure: Enclosure) -> float:
    """Return where the edge of the door is shown, from that of the enclosure: a symbol."""
    return min(max(0.025 * min(enclosure.W, enclosure.H), 8), 20)


def _reach(index: int, facing: Facing, busbars: Sequence[Busbar], enclosure: Enclosure) -> float:
    """Return the middle of the aisle to the next busbar, or the edge of the door."""
    following = index + (-1 if facing == "right" else 1)
    if 0 <= following < len(busbars):
        return (busbars[index].x + busbars[following].x) / 2
    edge = 1.5 * door_inset(enclosure)
    return edge if facing == "right" else enclosure.W - edge
