"""The bill of materials: enclosure, main, branches, accessories, busbars."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from kis.estimate.model import BillItem, Busbar, Enclosure, SelectedDevice, Selection
from kis.estimate.words import kind_of_accessory
from kis.knowledge.rules import AccessoryRules

_RATING = re.compile(r"(?P<type>\w+) (?P<poles>\d)P (?P<af>\d+)AF(?:/(?P<at>\d+)AT)?")


class Rating(NamedTuple):
    """What a breaker is, as its row of the bill says it; currents in ampere."""

    type: str
    poles: int
    frame_size_a: int
    rated_current_a: int | None


def bill(
    enclosure: Enclosure, selection: Selection, busbars: Iterable[Busbar], rules: AccessoryRules
) -> tuple[BillItem, ...]:
    """Return the rows in the order of a Korean quotation: branches by poles, then frame, down."""
    branches = sorted(
        selection.branches,
        key=lambda b: (-b.row.poles, -b.row.frame_size_a, b.row.model, b.line.name),
    )
    return (
        _enclosure_item(enclosure),
        _device_item(selection.main, "main", 1),
        *(_device_item(b, "branch", b.line.quantity) for b in branches),
        *_accessory_items(selection, rules),
        *_busbar_items(busbars),
    )


def _enclosure_item(enclosure: Enclosure) -> BillItem:
    size = f"{enclosure.W}x{enclosure.H}x{enclosure.D}"
    source = "기성함" if enclosure.source == "stock" else "제작함"
    return BillItem(
        category="enclosure",
        name=f"외함({source})",
        quantity=1,
        unit="면",
        model=enclosure.model or "",
        specification=f"{enclosure.material} {size}",
    )


def breaker_name(category: Literal["main", "branch"], circuit: str) -> str:
    """Return what the bill calls the breaker of `circuit`."""
    name = "메인 차단기" if category == "main" else "분기 차단기"
    return f"{name} {circuit}".rstrip()


def rating_of(item: BillItem) -> Rating | None:
    """Return what the breaker of `item` is; None where the bill does not say it."""
    found = _RATING.fullmatch(item.specification)
    if found is None:
        return None
    at = found["at"]
    return Rating(found["type"], int(found["poles"]), int(found["af"]), int(at) if at else None)


def _device_item(
    device: SelectedDevice, category: Literal["main", "branch"], quantity: int
) -> BillItem:
    row = device.row
    rating = f"/{device.line.at}AT" if device.line.at else ""
    return BillItem(
        category=category,
        name=breaker_name(category, device.line.name),
        quantity=quantity,
        unit="EA",
        model=row.model,
        brand=row.brand,
        specification=f"{row.type} {row.poles}P {row.frame_size_a}AF{rating}",
    )


def _accessory_items(selection: Selection, rules: AccessoryRules) -> list[BillItem]:
    """List what was asked for, then what each brings along, equal ones together."""
    counts: dict[tuple[str, str], int] = {}
    for item in selection.accessories:
        key = (item.row.kind, item.row.code)
        counts[key] = counts.get(key, 0) + item.quantity
    for item in selection.accessories:
        for companion in rules.companions.get(item.row.kind, ()):
            key = (companion.kind, companion.code)
            counts[key] = counts.get(key, 0) + companion.quantity * item.quantity
    return [
        BillItem(
            category="accessory",
            name=kind_of_accessory(kind).ko,
            quantity=quantity,
            unit="EA",
            model=code,
        )
        for (kind, code), quantity in counts.items()
    ]


def _busbar_items(busbars: Iterable[Busbar]) -> list[BillItem]:
    return [
        BillItem(
            category="busbar", name="분기 모선", quantity=1, unit="조", specification=f"L{bar.h} mm"
        )
        for bar in busbars
    ]
