"""Dimension lines, and the labels of a chain."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kis.estimate.drawing.dimensions import Span, chain_across, chain_down, in_mm

from .pictures import parsed

SIZE = 10.0


@given(st.lists(st.integers(1, 400), min_size=1, max_size=7))
def test_labels_of_heights_keep_apart(heights: list[int]) -> None:
    spans, y = [], 0
    for height in heights:
        spans.append(Span(y, y + height, str(height)))
        y += height
    chain = parsed(chain_down(spans, 0, 20, SIZE))
    places = [float(text.attrib["y"]) for text in chain.iter("text")]
    assert len(places) == len(heights)
    assert all(after - before > SIZE for before, after in pairwise(places))


def test_label_that_is_too_long_for_its_span_stands_outside() -> None:
    spans = [Span(0, 20, "측면 20"), Span(20, 580, "560"), Span(580, 600, "측면 20")]
    chain = parsed(chain_across(spans, 0, -SIZE, SIZE))
    places = [(text.get("text-anchor"), text.attrib["x"]) for text in chain.iter("text")]
    assert places == [("end", "20"), ("middle", "300"), (None, "580")]


def test_differences_are_shown_to_a_tenth() -> None:
    assert in_mm(562.0) == 562
    assert isinstance(in_mm(562.0), int)
    assert in_mm(0.1 + 0.2) == 0.3
