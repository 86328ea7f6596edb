"""A version as canonical bytes: the same tables always give the same digest.

Breakers are NDJSON, one row a line in key order; enclosures, accessories and
rules are one JSON text each. Every line and text is in RFC 8785 form.
"""

import hashlib
import sys
import zlib
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TypeVar

import msgspec
from msgspec.structs import force_setattr

from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.knowledge.pace import GiveWay, go_on, paced
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Tables

Decoded = TypeVar("Decoded")

# With sorted keys this equals RFC 8785 for what an upload may hold: integers,
# plain fractions, and keys in the basic plane. A test compares the two.
_encode: Callable[[object], bytes] = msgspec.json.Encoder(order="sorted").encode
_breaker = msgspec.json.Decoder(Breaker)
_enclosures = msgspec.json.Decoder(tuple[StockEnclosure, ...])
_accessories = msgspec.json.Decoder(tuple[Accessory, ...])
_rules = msgspec.json.Decoder(RuleSet)


COMPRESSION_LEVEL = 6


class ContentError(ValueError):
    """Stored content that is not what was stored: not decodable, or another digest."""


class Document(msgspec.Struct, frozen=True):
    """One part of a version in canonical bytes, with their hex SHA-256."""

    content: bytes
    digest: str


class Documents(msgspec.Struct, frozen=True):
    """The four parts of a version."""

    breakers: Document
    enclosures: Document
    accessories: Document
    rules: Document

    @property
    def size(self) -> int:
        """The bytes of the largest part, uncompressed."""
        return max(len(part.content) for part in (self.breakers, self.enclosures, self.accessories))

    @property
    def digest(self) -> str:
        """The digest of the version, hex SHA-256."""
        return version_digest(
            breakers=self.breakers.digest,
            enclosures=self.enclosures.digest,
            accessories=self.accessories.digest,
            rules=self.rules.digest,
        )


class Packed(msgspec.Struct, frozen=True):
    """A version as it is stored: its digest, and its parts by name, each compressed."""

    digest: str
    parts: dict[str, Document]


def pack(documents: Documents) -> Packed:
    """Return `documents` compressed; takes 0.2 s for 100,000 rows."""
    parts = {name: getattr(documents, name) for name in documents.__struct_fields__}
    return Packed(
        documents.digest,
        {
            name: Document(zlib.compress(part.content, COMPRESSION_LEVEL), part.digest)
            for name, part in parts.items()
        },
    )


def encode_breakers(rows: Iterable[Breaker]) -> bytes:
    """Return the rows as NDJSON by key, each line ended by a line feed."""
    # Into one buffer: joining would hold every line a second time.
    lines = BytesIO()
    for row in sorted(rows, key=lambda row: row.key):
        lines.write(_encode(row))
        lines.write(b"\n")
    return lines.getvalue()


def encode_enclosures(rows: Iterable[StockEnclosure]) -> bytes:
    """Return the rows as a JSON array by model."""
    return _encode(sorted(rows, key=lambda row: row.model))


def encode_accessories(rows: Iterable[Accessory]) -> bytes:
    """Return the rows as a JSON array by code."""
    return _encode(sorted(rows, key=lambda row: row.code))


def encode_rules(rules: RuleSet) -> bytes:
    """Return the rule set as a JSON object."""
    return _encode(rules)


def decode_breakers(content: bytes, give_way: GiveWay = go_on) -> tuple[Breaker, ...]:
    """Return the rows of `encode_breakers`, in its order.

    `give_way` is called now and then, so that a long table can be read beside other work.

    Raises:
        ContentError: a line is not a breaker row.

    """
    rows: list[Breaker] = []
    known: dict[object, object] = {}
    # Line by line, not in one call: a call into C holds up every other thread.
    for number, line in enumerate(paced(BytesIO(content), give_way), start=1):
        row = _decode(_breaker.decode, line, f"breakers, line {number}")
        _share(row, known)
        rows.append(row)
    return tuple(rows)


def decode_enclosures(content: bytes) -> tuple[StockEnclosure, ...]:
    """Return the rows of `encode_enclosures`.

    Raises:
        ContentError: it is not an array of enclosure rows.

    """
    return _decode(_enclosures.decode, content, "enclosures")


def decode_accessories(content: bytes) -> tuple[Accessory, ...]:
    """Return the rows of `encode_accessories`.

    Raises:
        ContentError: it is not an array of accessory rows.

    """
    return _decode(_accessories.decode, content, "accessories")


def decode_rules(content: bytes) -> RuleSet:
    """Return the rule set of `encode_rules`.

    Raises:
        ContentError: it is not a rule set.

    """
    return _decode(_rules.decode, content, "rules")


def encode_tables(tables: Tables) -> Documents:
    """Return the four parts of `tables` in canonical bytes, with digests."""
    return Documents(
        breakers=_document(encode_breakers(tables.breakers)),
        enclosures=_document(encode_enclosures(tables.enclosures)),
        accessories=_document(encode_accessories(tables.accessories)),
        rules=_document(encode_rules(tables.rules)),
    )


def decode_tables(documents: Documents, give_way: GiveWay = go_on) -> Tables:
    """Return the tables of `encode_tables`; `give_way` as in `decode_breakers`.

    Raises:
        ContentError: a part does not have its digest, or cannot be decoded.

    """
    return Tables(
        breakers=decode_breakers(_intact(documents.breakers, "breakers"), give_way),
        enclosures=decode_enclosures(_intact(documents.enclosures, "enclosures")),
        accessories=decode_accessories(_intact(documents.accessories, "accessories")),
        rules=decode_rules(_intact(documents.rules, "rules")),
    )


def row_digest(row: Breaker | StockEnclosure | Accessory) -> str:
    """Return the hex SHA-256 of the row in canonical form, without line feed."""
    return _digest(_encode(row))


def version_digest(*, breakers: str, enclosures: str, accessories: str, rules: str) -> str:
    """Return the hex SHA-256 of a version from the digests of its four parts."""
    parts = {
        "accessories": accessories,
        "breakers": breakers,
        "enclosures": enclosures,
        "rules": rules,
    }
    return _digest(_encode(parts))


def _document(content: bytes) -> Document:
    return Document(content, _digest(content))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _intact(document: Document, part: str) -> bytes:
    found = _digest(document.content)
    if found != document.digest:
        message = f"{part}: the digest is {found}, not {document.digest}"
        raise ContentError(message)
    return document.content


def _decode(decode: Callable[[bytes], Decoded], content: bytes, part: str) -> Decoded:
    try:
        return decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"{part}: {error}"
        raise ContentError(message) from error


def _share(row: Breaker, known: dict[object, object]) -> None:
    """Let `row` hold one object for what most rows repeat: 130 bytes less a row.

    The row is frozen, but nobody else has seen it yet; building it a second
    time would double the cost of loading a version.
    """
    for name in ("brand", "series", "breaking_capacity_basis", "warning"):
        force_setattr(row, name, sys.intern(getattr(row, name)))
    for name in ("frame_size_a", "width_dmm", "height_dmm", "depth_dmm", "rated_currents_a"):
        value = getattr(row, name)
        force_setattr(row, name, known.setdefault(value, value))
