"""What is written on a device, and beside one that is too small: as much as is readable."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kis.errors import Language
from kis.estimate.bom import rating_of
from kis.estimate.drawing import svg
from kis.estimate.drawing.devices import Device
from kis.estimate.drawing.svg import Rect
from kis.estimate.drawing.words import kind_in
from kis.estimate.tracing import Part

LEADING = 1.2
COMFORTABLE = (0.65, 0.6, 0.65, 0.6, 0.6, 0)
LEAST = (0.5, 0.45, 0.5, 0.42, 0.42, 0)
"""Of the sheet's size of text, for each level of what is written on a device: rather than
smaller, the next level is. The second where nothing can stand beside the device."""
WITHOUT_CIRCUIT, WITHOUT_RATING, WITHOUT_MODEL = 2, 4, 5
"""The first levels that leave out so much."""
LEAST_BESIDE, MOST_BESIDE = 0.55, 0.85
MOST_CIRCUIT = 12
GAP = 0.35
"""Between a body and what stands beside it. In sizes of text."""

_Lines = tuple[str, ...]


class Writing(NamedTuple):
    """How bodies are written on: how much (a level of `LEAST`), how large, which way.

    `beside` is the level and the size of what stands beside them; its size is 0 where
    there is nothing.
    """

    level: int
    size: float
    turned: bool
    beside: int = 0
    beside_size: float = 0


class Surface(NamedTuple):
    """A device, and where it can be written on."""

    device: Device
    box: Rect


def writing_for(alike: Sequence[Surface], size: float, language: Language) -> Writing:
    """Return how to write on bodies of one size: the most that is readable on each of them.

    What would be small on them stands beside them where there is room.
    """
    levels = [_on(each.device, language) for each in alike]
    easy = _on_all(alike, levels, size, COMFORTABLE)
    if easy.level < WITHOUT_RATING:
        return _with_beside(easy, alike, size)
    beside = _with_beside(easy, alike, size)
    return beside if beside.beside_size else _on_all(alike, levels, size, LEAST)


def _on_all(
    alike: Sequence[Surface], levels: Sequence[Sequence[_Lines]], size: float,
    least: Sequence[float],
) -> Writing:  # fmt: skip
    """Return the first level that is as large as `least` on each of the bodies."""
    may_turn = alike[0].device.placement.role == "accessory"
    box = alike[0].box
    found = Writing(0, 0, turned=False)
    for level, share in enumerate(least):
        upright = min(_largest(lines[level], box.w, box.h) for lines in levels)
        lying = min(_largest(lines[level], box.h, box.w) for lines in levels) if may_turn else 0
        turned = upright < min(size, 0.9 * lying)
        found = Writing(level, min(size, lying if turned else upright), turned)
        if found.size >= share * size:
            break
    return found


def _with_beside(writing: Writing, alike: Sequence[Surface], size: float) -> Writing:
    """Return `writing` with what is readable, beside the bodies, of all that is not on them."""
    choices = [_beside(each.device, writing.level) for each in alike]
    height = alike[0].device.box.h
    for choice in range(len(choices[0])):
        if not any(lines[choice] for lines in choices):
            continue
        room = MOST_BESIDE * size
        for each, lines in zip(alike, choices, strict=True):
            shown = lines[choice]
            if shown:
                free = _free(each.device) - 2 * GAP * size
                room = min(room, height / (LEADING * len(shown)), free / _widest(shown))
        if room >= LEAST_BESIDE * size:
            return writing._replace(beside=choice, beside_size=room)
    return writing


def write(surface: Surface, writing: Writing, size: float, language: Language) -> Iterator[str]:
    """Yield the lines on a device, then the one beside it."""
    device, (x, y) = surface.device, surface.box.middle
    lines = _on(device, language)[writing.level]
    for index, content in enumerate(lines):
        offset = (index - (len(lines) - 1) / 2) * LEADING * writing.size
        at = (x + offset, y) if writing.turned else (x, y + offset)
        bold = index == 0
        yield svg.text(content, *at, writing.size, "middle", is_bold=bold, turned=writing.turned)
    if writing.beside_size:
        yield from _write_beside(device, writing, size)


def _write_beside(device: Device, writing: Writing, size: float) -> Iterator[str]:
    box, step = device.box, LEADING * writing.beside_size
    x, anchor = box.right + GAP * size, "start"
    if device.facing == "right":
        x, anchor = box.x - GAP * size, "end"
    lines = _beside(device, writing.level)[writing.beside]
    for index, content in enumerate(lines):
        y = box.middle[1] + (index - (len(lines) - 1) / 2) * step
        yield svg.text(content, x, y, writing.beside_size, anchor)


def _free(device: Device) -> float:
    """Return how much room there is beside a device, on its load side."""
    box = device.box
    return box.x - device.reach if device.facing == "right" else device.reach - box.right


def _on(device: Device, language: Language) -> tuple[_Lines, ...]:
    """Return what can be written on the device: as many levels as `LEAST`, the most first."""
    place, part = device.placement, device.part
    name = f"{place.device} {place.model}"
    least = (name,), (place.device,)
    if part is None:
        return (least[0],) * 4 + least
    if place.role == "accessory":
        return ((name, kind_in(language, part.item.name)),) * 4 + least
    full, short = ((name, rating) for rating in _ratings(part))
    return _with_circuit(full, part), _with_circuit(short, part), full, short, *least


def _beside(device: Device, level: int) -> tuple[_Lines, ...]:
    """Return what can be written beside a branch that has that level on it, the most first."""
    part = device.part
    if part is None or device.facing == "up" or level < WITHOUT_CIRCUIT:
        return ((),)
    model = device.placement.model if level == WITHOUT_MODEL else ""
    full, short = _ratings(part) if level >= WITHOUT_RATING else ("", "")
    circuit = svg.shortened(part.circuit, MOST_CIRCUIT)
    choices = (
        ((model, full, circuit),), ((model, full), (circuit,)), ((model, short, circuit),),
        ((model, short), (circuit,)), ((model,), (short,), (circuit,)), ((model, short),),
        ((model,), (short,)), ((circuit,),),
    )  # fmt: skip
    joined = ([" ".join(filter(None, words)) for words in lines] for lines in choices)
    return tuple(tuple(filter(None, lines)) for lines in joined)


def _with_circuit(lines: _Lines, part: Part) -> _Lines:
    """Add the name of the circuit, no wider than what stands above it."""
    most = svg.BOLD * _widest(lines)
    return (*lines, svg.shortened(part.circuit, most)) if part.circuit else lines


def _ratings(part: Part) -> tuple[str, str]:
    """Return poles and currents, in full and as estimators cut them short: `3P 100/75`."""
    rating = rating_of(part.item)
    if rating is None:
        return part.item.specification, part.item.specification
    frame, rated = rating.frame_size_a, rating.rated_current_a
    if rated is None:
        return f"{rating.poles}P {frame}AF", f"{rating.poles}P {frame}AF"
    return f"{rating.poles}P {frame}AF/{rated}AT", f"{rating.poles}P {frame}/{rated}"


def _widest(lines: _Lines) -> float:
    return max(map(svg.width_of, lines))


def _largest(lines: _Lines, width: float, height: float) -> float:
    """Return the size in which `lines`, the first of them bold, just fit."""
    widest = max(svg.BOLD * svg.width_of(lines[0]), _widest(lines))
    return min(height / (LEADING * len(lines) + 0.2), width / widest)
