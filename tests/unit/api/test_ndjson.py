"""Lines of a body, however it is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from kis.api.ndjson import Line, LineSplitter

LIMIT = 10


def split(*pieces: bytes, limit: int = LIMIT) -> list[Line]:
    splitter = LineSplitter(limit)
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()


def test_lines_end_in_lf_or_crlf_and_the_last_needs_none() -> None:
    assert split(b"a\nb\r\nc") == [Line(1, b"a"), Line(2, b"b"), Line(3, b"c")]


def test_empty_lines_are_left_out_but_counted() -> None:
    assert split(b"\n \t\r\na\n\n") == [Line(3, b"a")]
    assert split(b"") == []


def test_a_line_is_given_as_soon_as_it_ends() -> None:
    splitter = LineSplitter(LIMIT)
    assert splitter.feed(b"a\nb") == [Line(1, b"a")]
    assert splitter.feed(b"c\n") == [Line(2, b"bc")]


def test_what_is_too_long_is_said_and_not_kept() -> None:
    splitter = LineSplitter(LIMIT)
    for _ in range(100):
        assert splitter.feed(b"x" * 1_000) == []
        assert len(splitter._begun) <= LIMIT + 1
    assert splitter.feed(b"\nab\n") == [Line(1, None), Line(2, b"ab")]


def test_limit_is_without_the_end_of_the_line() -> None:
    longest = b"x" * LIMIT
    assert split(longest + b"\r\n", longest) == [Line(1, longest), Line(2, longest)]
    assert split(longest, b"\r", b"\n") == [Line(1, longest)]
    assert split(longest + b"x\n", longest + b"x") == [Line(1, None), Line(2, None)]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b" ", b"x" * 6])).map(b"".join), st.data())
def test_where_a_body_is_cut_does_not_matter(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)))))
    edges = zip([0, *cuts], [*cuts, len(body)], strict=True)
    assert split(*(body[begin:end] for begin, end in edges)) == split(body)
