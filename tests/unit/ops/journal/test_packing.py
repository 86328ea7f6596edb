"""Compression in a process of its own."""

import gzip
import hashlib
from pathlib import Path

import pytest

from kis.ops.journal import packing


def test_what_is_packed_can_be_unpacked(tmp_path: Path) -> None:
    content = b"breaker" * 500_000
    source, target = tmp_path / "a", tmp_path / "a.gz"
    source.write_bytes(content)
    packed = packing.finish(packing.start(source, target))
    assert packed.content_size == len(content)
    assert packed.content_sha256 == hashlib.sha256(content).hexdigest()
    assert packed.size == target.stat().st_size
    assert gzip.decompress(target.read_bytes()) == content


def test_half_a_file_that_was_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"breaker")
    (tmp_path / "a.gz").write_bytes(b"half")
    packing.finish(packing.start(tmp_path / "a", tmp_path / "a.gz"))
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"breaker"


def test_why_it_failed_is_told(tmp_path: Path) -> None:
    process = packing.start(tmp_path / "missing", tmp_path / "a.gz")
    with pytest.raises(OSError, match=r"FileNotFoundError.*missing"):
        packing.finish(process)


def test_one_that_is_killed_failed(tmp_path: Path) -> None:
    process = packing.start(Path("/dev/zero"), tmp_path / "a.gz")
    process.kill()
    with pytest.raises(OSError, match="ended with -9"):
        packing.finish(process)
