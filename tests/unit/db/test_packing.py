"""Bytes that are kept packed: each comes back as it was, whatever stands there."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from zstandard import ZstdCompressor

from kis.db.bulk import BulkInsert
from kis.db.engine import Database
from kis.db.packing import DICTIONARY, FEW, MAGIC, MAX_BYTES, PackedBlob, pack, pack_all, unpack
from tests.backends import SQLITE_ONLY

ANSWER = b'{"enclosure":{"W":600,"H":700,"D":200,"source":"stock"},"warnings":[]}' * 20
SHIPPED = "55002387f38d80816593d0f899c9914944465434807f098a5f7779294ded5a27"

letter_table = Table(
    "letter", MetaData(), Column("id", Integer, primary_key=True), Column("raw", PackedBlob)
)


def test_the_dictionary_never_changes() -> None:
    """What was packed with another one could not be read: a new one gets a file of its own."""
    assert hashlib.sha256(DICTIONARY.read_bytes()).hexdigest() == SHIPPED


@given(st.binary())
def test_what_is_packed_comes_back(raw: bytes) -> None:
    assert unpack(pack(raw)) == raw


@given(st.lists(st.binary() | st.binary().map(pack), max_size=3 * FEW))
def test_many_are_packed_as_one_is(values: list[bytes]) -> None:
    assert pack_all(values) == [pack(raw) for raw in values]


def test_answers_shrink() -> None:
    assert len(pack(ANSWER)) < len(ANSWER) / 10


def test_what_is_packed_is_not_packed_again() -> None:
    assert pack(pack(ANSWER)) == pack(ANSWER)


@pytest.mark.parametrize(
    "stored",
    [
        b"", b"{}", MAGIC, MAGIC + b"\xff" * 50, pack(ANSWER)[:-1], pack(ANSWER) + b"x",
        ZstdCompressor(write_content_size=False).compress(ANSWER),
        MAGIC + b"\xe0" + (MAX_BYTES + 1).to_bytes(8, "little") + b"\x00" * 9,
    ],
    ids=["nothing", "JSON", "a beginning", "noise", "cut", "more", "without a size", "huge"],
)  # fmt: skip
def test_what_was_not_packed_here_stays_as_it_is(stored: bytes) -> None:
    assert unpack(stored) == stored


def test_threads_do_not_meet() -> None:
    values = [ANSWER + str(number).encode() for number in range(2_000)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda raw: unpack(pack(raw)), values)) == values


def test_stored_packed_and_read_as_it_was(database: Database) -> None:
    database.write_now(letter_table.create)
    values = [ANSWER, None, pack(ANSWER)]
    rows: list[dict[str, Any]] = [{"id": n, "raw": value} for n, value in enumerate(values)]
    database.write_now(lambda c: c.execute(insert(letter_table), rows[:2]))
    database.write_now(lambda c: BulkInsert(letter_table, ["id", "raw"]).run(c, rows[2:]))
    stored = database.read_now(lambda c: c.scalars(text("SELECT raw FROM letter")).all())
    read = database.read_now(lambda c: c.scalars(select(letter_table.c.raw)).all())
    assert stored == [pack(ANSWER), None, pack(ANSWER)]
    assert read == [ANSWER, None, ANSWER]


@SQLITE_ONLY  # another column keeps no text for bytes
def test_text_that_somebody_wrote_by_hand_is_read(database: Database) -> None:
    database.write_now(letter_table.create)
    database.write_now(lambda c: c.execute(text("INSERT INTO letter VALUES (1, '[600]')")))
    assert database.read_now(lambda c: c.scalar(select(letter_table.c.raw))) == b"[600]"
