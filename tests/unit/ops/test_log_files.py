"""Which files are logs, and how their lines are read."""

import gzip
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops import log_files
from kis.ops.log_files import (
    clean,
    files_since,
    is_rotated,
    lines_of,
    read_file,
    rotated_files,
)

LOG = "kis-backend.log"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (LOG, False),
        (f"{LOG}.1", True),
        (f"{LOG}.2.gz", True),
        (f"{LOG}-20261122", True),
        (f"{LOG}-20261122.gz", True),
        (f"{LOG}-20261122-030000.gz", True),
        (f"{LOG}.old", False),
        (f"{LOG}.", False),
        (f"{LOG}1", False),
        ("another.log.1", False),
    ],
)
def test_rotated_files_are_told_by_their_names(name: str, expected: bool) -> None:
    assert is_rotated(name, LOG) is expected


def make(folder: Path, name: str, mtime_s: float, content: bytes = b"a\n") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    os.utime(path, (mtime_s, mtime_s))
    return path


def test_files_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    log = make(tmp_path, LOG, 100)
    make(tmp_path, f"{LOG}.1", 90)
    make(tmp_path, f"{LOG}.10.gz", 20)
    make(tmp_path, f"{LOG}.2.gz", 80)
    make(tmp_path, f"{LOG}.bak", 95)
    (tmp_path / f"{LOG}.3").mkdir()
    names = [path.name for path in rotated_files(log)]
    assert names == [f"{LOG}.10.gz", f"{LOG}.2.gz", f"{LOG}.1"]
    assert [path.name for path in files_since(log, 81)] == [f"{LOG}.1", LOG]


def test_without_a_log_there_are_no_files(tmp_path: Path) -> None:
    assert files_since(tmp_path / "logs" / LOG, 0) == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_old_rotated_files_go_and_nothing_else(tmp_path: Path, dry_run: bool) -> None:
    log = make(tmp_path, LOG, 1)
    for name, mtime_s in (
        (f"{LOG}.1", 100),
        (f"{LOG}.2.gz", 99),
        (f"{LOG}.bak", 1),
        ("a.log.1", 1),
    ):
        make(tmp_path, name, mtime_s)
    (tmp_path / f"{LOG}.9").symlink_to(log)
    before = sorted(tmp_path.iterdir())
    assert [aged.name for aged in clean(log, 100, dry_run=dry_run)] == [f"{LOG}.2.gz"]
    gone = [] if dry_run else [tmp_path / f"{LOG}.2.gz"]
    assert sorted(tmp_path.iterdir()) == [path for path in before if path not in gone]


def test_compressed_and_plain_files_have_the_same_lines(tmp_path: Path) -> None:
    for name in (f"{LOG}.1", f"{LOG}.2.gz"):
        lines: list[bytes] = []
        read = read_file(make(tmp_path, name, 1, b"one\ntwo\nthree"), lines.append)
        assert lines == [b"one", b"two", b"three"]
        assert read == (name, 3, "")


def test_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = make(tmp_path, f"{LOG}.2.gz", 1, b"a line\n" * 100_000)
    path.write_bytes(path.read_bytes()[:-20])
    lines: list[bytes] = []
    read = read_file(path, lines.append)
    assert read.trouble
    assert read.lines == len(lines)


def test_file_that_is_not_compressed_at_all(tmp_path: Path) -> None:
    path = make(tmp_path, f"{LOG}.1", 1).rename(tmp_path / f"{LOG}.2.gz")
    lines: list[bytes] = []
    assert "gzip" in read_file(path, lines.append).trouble


@given(
    st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))), st.integers(1, 50)
)
def test_blocks_do_not_show(lines: list[bytes], block: int) -> None:
    before = log_files.BLOCK_BYTES
    log_files.BLOCK_BYTES = block
    try:
        found = list(lines_of(io.BytesIO(b"".join(line + b"\n" for line in lines))))
    finally:
        log_files.BLOCK_BYTES = before
    assert found == lines


def test_what_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "BLOCK_BYTES", 10)
    monkeypatch.setattr(log_files, "LONGEST_LINE", 100)
    file = io.BytesIO(b"x" * 1_000 + b"\nlast\n")
    assert max(map(len, lines_of(file))) <= 120
