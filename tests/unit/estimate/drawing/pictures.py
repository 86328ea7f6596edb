"""Drawings to test: of boards by hand or drawn by hypothesis, and read back from their SVG."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from kis.estimate.drawing.sheet import draw
from kis.estimate.drawing.svg import BOLD, width_of
from kis.estimate.model import BoardDraft
from kis.estimate.preview import Preview, preview_board
from kis.knowledge.snapshot import Snapshot

SVG = "{http://www.w3.org/2000/svg}"


def preview_of(board: BoardDraft, snapshot: Snapshot) -> Preview:
    return preview_board(board, snapshot, allow_mixed=True)


def picture(board: BoardDraft, snapshot: Snapshot, *arguments: Any, **more: Any) -> ET.Element:
    """Return the drawing of `board`, as an XML parser reads it."""
    return parsed(draw(preview_of(board, snapshot), *arguments, **more))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in root.iter() if name in each.get("class", "").split()]


def titles(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}title")]


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def box_of(rect: ET.Element) -> tuple[float, float, float, float]:
    x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, w, h


def extent_of(text: ET.Element) -> tuple[float, float, float, float]:
    """Return about where a line of text is: left, top, right, bottom."""
    size = float(text.attrib["font-size"])
    width = width_of(text.text or "") * size
    width *= BOLD if text.get("font-weight") else 1
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")] * width
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    turned = re.match(r"translate\((\S+) (\S+)\) rotate\(-90\)", text.get("transform", ""))
    if turned:
        left, middle = float(turned[1]), float(turned[2])
        return left - size / 2, middle - width + before, left + size / 2, middle + before
    return x - before, y - 0.85 * size, x - before + width, y + 0.2 * size
