"""The manifest is read as it was written, also by another program."""

import json
from datetime import UTC, datetime

import pytest

from kis.ops.backup.manifest import Contents, EvidenceCount, Manifest, Packed, decode, encode

MANIFEST = Manifest(
    kind="sqlite", file="kis-backup-20261122_020005.db.gz",
    taken_at=datetime(2026, 11, 21, 17, 0, 5, 120_000, tzinfo=UTC), utc_offset="+09:00",
    seconds=1.5, program="0.1.0", database="SQLite 3.40.1",
    packed=Packed(10, "aa", 100, "bb"),
    contents=Contents({"Estimate": 3}, "0001", "v1", "f00", EvidenceCount(3, 0)),
)  # fmt: skip


def test_round_trip() -> None:
    assert decode(encode(MANIFEST)) == MANIFEST


def test_legible() -> None:
    text = encode(MANIFEST).decode()
    assert '"takenAt": "2026-11-21T17:00:05.120000Z"' in text
    assert len(text.splitlines()) > 10


def test_fields_of_a_newer_program_are_passed_over() -> None:
    fields = json.loads(encode(MANIFEST))
    assert decode(json.dumps({**fields, "new": 1}).encode()) == MANIFEST


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"kind": "other"}', b"\xff"])
def test_no_manifest(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        decode(raw)
