"""Records: what was written is read, and nothing that was not."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from kis.ops.journal.records import (
    FRAME_HEADER_BYTES,
    At,
    EpochStart,
    Kind,
    Record,
    all_of,
    encode,
    epoch_start,
    read_records,
)

MARKS = st.lists(st.builds(At, st.integers(0, 2**32 - 1), st.integers(0, 2**63)), max_size=5)
RECORDS = st.builds(
    Record, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.integers(0, 2**63),
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
    MARKS.map(tuple), st.binary(max_size=300),
)  # fmt: skip


def written(records: list[Record]) -> bytes:
    return b"".join(part for record in records for part in encode(record))


@given(st.lists(RECORDS, max_size=5))
def test_what_was_written_is_read(records: list[Record]) -> None:
    assert list(read_records(BytesIO(written(records)))) == records


@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_file_that_is_cut_gives_what_is_before_the_cut(
    records: list[Record], data: st.DataObject
) -> None:
    raw = written(records)
    cut = data.draw(st.integers(0, len(raw) - 1))
    found = list(read_records(BytesIO(raw[:cut])))
    assert found == records[: len(found)]
    assert len(written(records[: len(found) + 1])) > cut


@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_changed_byte_ends_the_reading(records: list[Record], data: st.DataObject) -> None:
    raw = bytearray(written(records))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    found = list(read_records(BytesIO(bytes(raw))))
    assert found == records[: len(found)]
    assert len(written(found)) <= at


def test_a_beginning_of_the_log() -> None:
    start = EpochStart(bytes(8) + (4096).to_bytes(4) + bytes(4) + b"saltsalt" + bytes(8), 7, 1, 2)
    assert epoch_start(Record(Kind.EPOCH, 1, 0, body=start.encoded())) == start
    assert (start.salt, start.page_bytes) == (b"saltsalt", 4096)


def test_frames_of_another_log_are_told() -> None:
    frame = bytes(8) + b"saltsalt" + bytes(FRAME_HEADER_BYTES - 16) + bytes(512)
    other = frame.replace(b"saltsalt", b"saltsalu")
    assert all_of(b"saltsalt", frame * 3, 512, 3)
    assert not all_of(b"saltsalt", frame + other + frame, 512, 3)
    assert not all_of(b"saltsalt", frame * 3, 512, 2)
    assert not all_of(b"saltsalt", (frame * 3)[:-1], 512, 3)
