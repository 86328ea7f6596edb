"""Compression in a process of its own."""

import hashlib
from pathlib import Path

import pytest
from zstandard import ZstdDecompressor

from kis.ops.journal import packing


def test_what_is_packed_can_be_unpacked(tmp_path: Path) -> None:
    content = b"breaker" * 500_000
    source, target = tmp_path / "a", tmp_path / "a.zst"
    source.write_bytes(content)
    packed = packing.finish(packing.start(source, target))
    assert packed == (len(content), hashlib.sha256(content).hexdigest())
    assert ZstdDecompressor().decompress(target.read_bytes(), len(content)) == content


def test_equal_files_are_equal_packed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 1000)
        packing.pack(tmp_path / name, tmp_path / f"{name}.zst")
    assert (tmp_path / "a.zst").read_bytes() == (tmp_path / "b.zst").read_bytes()


def test_why_it_failed_is_told(tmp_path: Path) -> None:
    process = packing.start(tmp_path / "missing", tmp_path / "a.zst")
    with pytest.raises(OSError, match=r"FileNotFoundError.*missing"):
        packing.finish(process)


def test_one_that_is_killed_failed(tmp_path: Path) -> None:
    process = packing.start(Path("/dev/zero"), tmp_path / "a.zst")
    process.kill()
    with pytest.raises(OSError, match="ended with -9"):
        packing.finish(process)
