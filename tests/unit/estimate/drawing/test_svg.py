"""SVG as text: what may stand in it, and how wide and where things are."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.estimate.drawing import svg
from kis.estimate.drawing.svg import Rect

from .pictures import parsed


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0"), (12, "12"), (17.8, "17.8"), (1 / 3, "0.33"), (100.0, "100"), (-0.001, "0"),
     (-1.5, "-1.5"), (0.996, "1")],
)  # fmt: skip
def test_number(length: float, text: str) -> None:
    assert svg.number(length) == text


@given(st.text())
def test_any_text_comes_back_from_a_parser(text: str) -> None:
    """But for line ends, which XML makes one of, and what XML has no place for."""
    element = parsed(svg.element("text", {"data-row": text}, svg.escape(text)))
    allowed = "".join(char if ET_ALLOWS.fullmatch(char) else "\ufffd" for char in text)
    assert (element.text or "") == re.sub("\r\n?", "\n", allowed)
    assert element.attrib["data-row"] == re.sub("[\r\n\t]", " ", re.sub("\r\n", "\n", allowed))


ET_ALLOWS = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def test_attributes_that_are_none_are_left_out() -> None:
    assert svg.element("g", {"data-row": None, "x": 1.0}) == '<g x="1"/>'


def test_groups_leave_out_what_is_empty() -> None:
    assert svg.group({"class": "kis-a"}, ("<b/>", "", "<c/>")) == (
        '<g class="kis-a">\n<b/>\n<c/>\n</g>'
    )


def test_path_without_steps_is_nothing() -> None:
    assert svg.path("", "taps") == ""


def test_turned_text_reads_upwards() -> None:
    text = parsed(svg.text("H 600", 10, 20, 5, "middle", turned=True))
    assert text.attrib["transform"] == "translate(10 20) rotate(-90)"
    assert (text.attrib["x"], text.attrib["y"]) == ("0", "1.75")


@given(st.builds(Rect, *[st.floats(-500, 500)] * 2, *[st.floats(1, 500)] * 2), st.floats(2, 50))
def test_hatching_stays_inside(box: Rect, pitch: float) -> None:
    steps = svg.hatch(box, pitch)
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", steps)]
    for x in numbers[::2]:
        assert box.x - 0.01 <= x <= box.right + 0.01
    for y in numbers[1::2]:
        assert box.y - 0.01 <= y <= box.bottom + 0.01


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [("전등", 5, "전등"), ("옥상 실외기 동력반", 5, "옥상 실…"), ("SBS-54", 10, "SBS-54"),
     ("전 등반", 2.5, "전…"), ("전등", 0.5, "…"), ("", 0, "")],
)  # fmt: skip
def test_shortened(text: str, most: float, shown: str) -> None:
    assert svg.shortened(text, most) == shown


def test_hangul_is_wider_than_latin() -> None:
    assert svg.width_of("전등전등") == 4
    assert 2 < svg.width_of("SBS4") < 3


def test_parser_takes_what_is_written() -> None:
    assert isinstance(parsed(svg.rect(Rect(0, 0, 1, 2), "body", stroke_width=0.5)), ET.Element)
