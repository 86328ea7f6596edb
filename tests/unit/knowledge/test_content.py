"""Canonical bytes: one encoding for one content, and back."""

import hashlib
from random import Random

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.knowledge import content
from kis.knowledge.content import (
    ContentError,
    decode_accessories,
    decode_breakers,
    decode_enclosures,
    decode_rules,
    decode_tables,
    encode_accessories,
    encode_breakers,
    encode_enclosures,
    encode_rules,
    encode_tables,
    row_digest,
    version_digest,
)
from kis.knowledge.model import Accessory, Breaker, StockEnclosure

from .rows import breaker, breakers, seed_tables, tables_of, tables_rows

SEED = seed_tables()


@settings(max_examples=100)
@given(breakers)
def test_a_row_is_encoded_as_rfc_8785_says(row: Breaker) -> None:
    canonical = rfc8785.dumps(msgspec.to_builtins(row))
    assert encode_breakers([row]) == canonical + b"\n"
    assert row_digest(row) == hashlib.sha256(canonical).hexdigest()


@settings(max_examples=50)
@given(tables_rows, st.randoms(use_true_random=False))
def test_any_rows_come_back_in_key_order(rows: list[Breaker], random: Random) -> None:
    encoded = encode_breakers(rows)
    random.shuffle(rows)
    assert encode_breakers(rows) == encoded
    assert decode_breakers(encoded) == tuple(sorted(rows, key=lambda row: row.key))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        (encode_enclosures(SEED.enclosures), SEED.enclosures),
        (encode_accessories(SEED.accessories), SEED.accessories),
        (encode_rules(SEED.rules), SEED.rules),
    ],
)
def test_the_other_parts_are_encoded_as_rfc_8785_says(encoded: bytes, value: object) -> None:
    assert encoded == rfc8785.dumps(msgspec.to_builtins(value))


def test_rows_are_sorted() -> None:
    big = StockEnclosure("B", "S", "STEEL", "INDOOR", "SURFACE", 4000, 5000, 1500)
    small = msgspec.structs.replace(big, model="A")
    assert decode_enclosures(encode_enclosures([big, small])) == (small, big)
    rows = (Accessory("B", "timer"), Accessory("A", "timer"))
    assert decode_accessories(encode_accessories(rows)) == rows[::-1]


def test_the_shipped_tables_come_back() -> None:
    documents = encode_tables(SEED)
    assert decode_tables(documents) == SEED
    assert decode_rules(documents.rules.content) == SEED.rules
    assert documents.breakers.content.count(b"\n") == 108
    assert encode_tables(decode_tables(documents)) == documents


def test_the_version_digest_depends_on_every_part() -> None:
    documents = encode_tables(SEED)
    parts = {
        "breakers": documents.breakers.digest,
        "enclosures": documents.enclosures.digest,
        "accessories": documents.accessories.digest,
        "rules": documents.rules.digest,
    }
    assert documents.digest == version_digest(**parts)
    assert documents.digest == hashlib.sha256(rfc8785.dumps(dict(parts))).hexdigest()
    for part in parts:
        assert version_digest(**(parts | {part: "0" * 64})) != documents.digest


def test_no_rows_are_no_bytes() -> None:
    assert encode_breakers([]) == b""
    assert decode_breakers(b"") == ()
    assert decode_tables(encode_tables(tables_of())).breakers == ()


def test_decoded_rows_share_what_they_repeat() -> None:
    rows = decode_breakers(encode_breakers(SEED.breakers))
    metasol = [row for row in rows if row.series == "METASOL"]
    assert len({id(row.series) for row in metasol}) == 1
    assert len({id(row.breaking_capacity_basis) for row in metasol}) == 2
    currents = [row.rated_currents_a for row in metasol]
    assert len({id(each) for each in currents}) == len(set(currents))
    for name in ("frame_size_a", "width_dmm", "height_dmm", "depth_dmm"):
        numbers = [getattr(row, name) for row in rows]
        assert len({id(each) for each in numbers}) == len(set(numbers))


@pytest.mark.parametrize("decode", ["breakers", "enclosures", "accessories", "rules"])
@pytest.mark.parametrize(
    "garbage",
    [b"\xff", b"{", b"7", b"[1]", b"{}", b'"\\ud800"', b"\n\n", b"[" * 100_000, b'[{"a":1}]'],
)
def test_garbage_is_refused(decode: str, garbage: bytes) -> None:
    with pytest.raises(ContentError, match=decode):
        getattr(content, f"decode_{decode}")(garbage)


@given(st.binary(max_size=60))
def test_any_bytes_decode_or_are_refused(garbage: bytes) -> None:
    for decode in (decode_breakers, decode_enclosures, decode_accessories, decode_rules):
        try:
            decode(garbage)
        except ContentError:
            continue


def test_the_faulty_line_is_named() -> None:
    encoded = encode_breakers([breaker("A"), breaker("B")])
    with pytest.raises(ContentError, match="breakers, line 2"):
        decode_breakers(encoded[:-20])


def test_a_part_that_was_changed_is_refused() -> None:
    documents = encode_tables(SEED)
    for part in ("breakers", "enclosures", "accessories", "rules"):
        document = getattr(documents, part)
        broken = msgspec.structs.replace(document, content=document.content.replace(b"1", b"2", 1))
        changed = msgspec.structs.replace(documents, **{part: broken})
        with pytest.raises(ContentError, match=f"{part}: the digest"):
            decode_tables(changed)


def test_content_errors_are_value_errors() -> None:
    assert issubclass(ContentError, ValueError)
