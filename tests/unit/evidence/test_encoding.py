"""The fast encoder is RFC 8785 for what KIS makes; the table of where it is not."""

import hashlib
import json
import math

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.model import Layout, Placement
from kis.evidence.encoding import (
    LARGE_BYTES,
    PIECE_BYTES,
    NotCanonicalError,
    canonical,
    canonical_strict,
    sha256_hex,
)
from kis.units import Size, to_mm

from .packages import make_statement

EXACT = 2**53 - 1

text = st.text(max_size=20)
field_names = st.text(st.characters(max_codepoint=0xD7FF), max_size=8)
whole = st.integers(-EXACT, EXACT)
fractions = st.floats(1e-5, 1e15).filter(lambda number: number % 1)
numbers = whole | fractions | fractions.map(lambda number: -number)
ours = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(field_names, inner, max_size=4),
    max_leaves=12,
)
lengths = st.integers(0, 100_000).map(to_mm)
layouts = st.builds(
    Layout,
    placements=st.lists(
        st.builds(
            Placement,
            device=text, role=st.just("branch"), model=text,
            x=lengths, y=lengths, w=lengths, h=lengths, rotated=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    busbars=st.just(()),
    utilisation=st.integers(1, 10_000).map(lambda n: n / 10_000 if n % 10_000 else 1),
)  # fmt: skip


@settings(max_examples=60)
@given(ours)
def test_fast_and_strict_agree_on_what_we_put_in_evidence(value: object) -> None:
    assert canonical(value) == canonical_strict(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(layouts)
def test_fast_and_strict_agree_on_what_the_engine_answers(layout: Layout) -> None:
    assert canonical(layout) == rfc8785.dumps(msgspec.to_builtins(layout))


def test_they_agree_on_every_length() -> None:
    millimetres = [to_mm(dmm) for dmm in range(100_001)]
    assert canonical(millimetres) == rfc8785.dumps(millimetres)


def test_they_agree_on_every_character() -> None:
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    assert canonical(everything) == rfc8785.dumps(everything)


def test_they_agree_on_the_order_of_renamed_fields() -> None:
    size = Size(W=600, H=700.5, D=150)
    assert canonical(size) == canonical_strict(size) == b'{"D":150,"H":700.5,"W":600}'


def test_they_agree_on_a_whole_statement() -> None:
    statement_bytes = canonical(make_statement())
    assert statement_bytes == rfc8785.dumps(json.loads(statement_bytes))


@pytest.mark.parametrize(
    ("value", "fast", "rfc"),
    [
        (1.0, b"1.0", b"1"),
        (0.0, b"0.0", b"0"),
        (-0.0, b"-0.0", b"0"),
        (1e15, b"1000000000000000.0", b"1000000000000000"),
        (1e16, b"1e16", b"10000000000000000"),
        (1.5e300, b"1.5e300", b"1.5e+300"),
        (1e-6, b"1e-6", b"0.000001"),
        (9.9e-6, b"9.9e-6", b"0.0000099"),
        (
            {"\U0001f600": 1, "\uffee": 2},
            '{"\uffee":2,"\U0001f600":1}'.encode(),
            '{"\U0001f600":1,"\uffee":2}'.encode(),
        ),
    ],
)
def test_where_fast_differs_strict_is_right(value: object, fast: bytes, rfc: bytes) -> None:
    assert canonical(value) == fast
    assert canonical_strict(value) == rfc


@pytest.mark.parametrize("value", [1e-5, 1.5e-5, 0.0001, 9.9e-7, 1e-7, 5e-324, EXACT, -EXACT])
def test_the_other_side_of_each_border_is_alike(value: float) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        EXACT + 1,
        -EXACT - 1,
        10**5000,
        "\ud800",
        {"\udfff": 1},
        {1: 1},
        nested(100_000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_strict_refuses_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical_strict({"inside": value})


def test_digests_are_lower_case_hex() -> None:
    assert sha256_hex(b"KIS") == hashlib.sha256(b"KIS").hexdigest()


@pytest.mark.parametrize("border", [0, PIECE_BYTES, 2 * PIECE_BYTES, LARGE_BYTES])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_digests_are_of_all_that_there_is(border: int, beside: int) -> None:
    data = b"KIS" * (border // 3 + 1)
    data = data[: max(0, border + beside)]
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()
