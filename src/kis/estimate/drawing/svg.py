"""SVG as text: escaping, numbers, and the few elements that a drawing is made of.

Only presentation attributes and classes: no style, so that it stands in a page whose
policy forbids inline styles, and a page's own rules win over what is set here. No ids:
a page may have several drawings.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape as escape_html
from typing import NamedTuple

TEXT_DROP = 0.35
"""How far below its middle a line of text has its baseline, over its size."""
BOLD = 1.1
"""How much wider bold text is."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile("[ \\w.,:;#()/·×–…-]*")
"""Nearly all that is ever written: it needs no escaping."""
_WIDTHS = {
    **dict.fromkeys(" .,:;'|!iljI", 0.32),
    **dict.fromkeys("-/()·", 0.4),
    **dict.fromkeys("MWmw@%", 0.92),
}
_CAPITAL, _DIGIT, _SMALL, _WIDE = 0.68, 0.58, 0.58, 1.0


class Rect(NamedTuple):
    """A rectangle on the sheet: top left corner and size."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Return the x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Return the y of the lower edge."""
        return self.y + self.h

    @property
    def middle(self) -> tuple[float, float]:
        """Return the centre."""
        return self.x + self.w / 2, self.y + self.h / 2


def number(length: float) -> str:
    """Return `length` to a hundredth, without zeros that say nothing."""
    text = f"{length:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def escape(text: str) -> str:
    """Return `text` as it may stand between tags and in attributes, whatever it holds."""
    if _PLAIN.fullmatch(text):
        return text
    return escape_html(_NOT_XML.sub("\ufffd", text))


def element(name: str, attributes: Mapping[str, object], *content: str) -> str:
    """Return an element; `content` is markup already. Attributes that are None are left out."""
    told = ""
    for key, value in attributes.items():
        if isinstance(value, int | float):
            told += f' {key}="{number(value)}"'
        elif value is not None:
            told += f' {key}="{escape(str(value))}"'
    return f"<{name}{told}>{''.join(content)}</{name}>" if content else f"<{name}{told}/>"


def group(attributes: Mapping[str, object], content: Iterable[str]) -> str:
    """Return a group with a line for each part of it."""
    return element("g", attributes, "\n", "".join(f"{part}\n" for part in content if part))


def title(text: str) -> str:
    """Return what a reader is told of the element around it: a tooltip, or a spoken name."""
    return f"<title>{escape(text)}</title>"


def rect(box: Rect, name: str, **more: object) -> str:
    """Return a rectangle of the class `kis-name`."""
    place = {"x": box.x, "y": box.y, "width": box.w, "height": box.h}
    return element("rect", {"class": f"kis-{name}", **place, **_named(more)})


def path(steps: str, name: str, **more: object) -> str:
    """Return a path of the class `kis-name`; nothing where there are no steps."""
    return element("path", {"class": f"kis-{name}", "d": steps, **_named(more)}) if steps else ""


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return the steps of a path along a straight line."""
    return f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"


def text(
    content: str, x: float, y: float, size: float, anchor: str = "start", *,
    is_bold: bool = False, turned: bool = False, name: str = "text",
) -> str:  # fmt: skip
    """Return a line of text of that height with its middle at `y`; turned: it reads upwards."""
    attributes: dict[str, object] = {
        "class": f"kis-{name}",
        "x": x,
        "y": y + TEXT_DROP * size,
        "font-size": size,
        "text-anchor": None if anchor == "start" else anchor,
        "font-weight": "bold" if is_bold else None,
        "fill": "currentColor",
    }
    if turned:
        attributes["x"], attributes["y"] = 0, TEXT_DROP * size
        attributes["transform"] = f"translate({number(x)} {number(y)}) rotate(-90)"
    return element("text", attributes, escape(content))


def hatch(box: Rect, pitch: float) -> str:
    """Return the steps of lines that cross `box` upwards to the right, evenly apart."""
    # On a grid of its own, so that the lines of neighbours meet.
    steps = []
    offset = (box.x + box.y) // pitch * pitch + pitch
    while offset < box.right + box.bottom:
        left = max(box.x, offset - box.bottom)
        right = min(box.right, offset - box.y)
        if right > left:
            steps.append(line(left, offset - left, right, offset - right))
        offset += pitch
    return "".join(steps)


@lru_cache(maxsize=4_096)
def width_of(content: str) -> float:
    """Return about how wide `content` is over its size, rather too wide than too narrow."""
    return sum(map(_width_of, content))


def shortened(content: str, most: float) -> str:
    """Return `content`, or as much of it as is `most` times its size wide, with an ellipsis."""
    if width_of(content) <= most:
        return content
    kept = content
    while kept and width_of(kept) + 1 > most:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _width_of(char: str) -> float:
    if char in _WIDTHS:
        return _WIDTHS[char]
    if char.isdecimal():
        return _DIGIT
    if unicodedata.east_asian_width(char) in "WF" or not char.isascii():
        return _WIDE
    return _CAPITAL if char.isupper() else _SMALL


def _named(attributes: Mapping[str, object]) -> dict[str, object]:
    return {key.replace("_", "-"): value for key, value in attributes.items()}
