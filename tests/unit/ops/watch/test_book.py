"""What is remembered survives: cuts at every byte, kills, a full disk, two at once."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops.watch.book import MAX_UNSENT, SLOT_BYTES, Book, Busy, Unsent, opened
from kis.ops.watch.incidents import MAX_CHARACTERS, Incident, Kind, Notice
from kis.ops.watch.observations import State

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KILLS = 20
COUNTING = """
import sys
from pathlib import Path
from kis.ops.watch.book import Book, opened
while True:
    with opened(Path(sys.argv[1])) as file:
        file.save(Book(file.book.number + 1))
        print(file.book.number, flush=True)
"""


def numbered(number: int) -> Book:
    return Book(number, (Incident(number=number, check="api", state=State.CRITICAL, since=NOON),))


def saved(path: Path, *books: Book) -> None:
    for book in books:
        with opened(path) as file:
            file.save(book)


def read(path: Path) -> Book:
    with opened(path) as file:
        return file.book


def test_new_book_is_empty(tmp_path: Path) -> None:
    with opened(tmp_path / "book") as file:
        assert file.book == Book()
        assert not file.is_damaged


def test_what_was_saved_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "book"
    for number in range(1, 6):
        saved(path, numbered(number))
        assert read(path) == numbered(number)
    assert path.stat().st_size == 2 * SLOT_BYTES


def test_fullest_book_fits_its_slot(tmp_path: Path) -> None:
    notice = Notice(
        number=10**9, check="knowledge", kind=Kind.ESCALATED, state=State.CRITICAL, level=3,
        since=NOON, at=NOON, ko="가" * MAX_CHARACTERS, en='"' * MAX_CHARACTERS, restarts=3,
        restart="x" * 500,
    )  # fmt: skip
    book = Book(1, numbered(1).incidents * 10, (Unsent(notice, ("mail", "webhook")),) * MAX_UNSENT)
    saved(tmp_path / "book", book)
    assert read(tmp_path / "book") == book


@given(cut=st.integers(0, SLOT_BYTES), junk=st.binary(min_size=1, max_size=8))
def test_torn_write_leaves_the_state_before(cut: int, junk: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book"
        saved(path, numbered(1), numbered(2))
        before = path.read_bytes()
        saved(path, numbered(3))
        after = path.read_bytes()
        # The third state went to the second slot: a part of it arrived.
        torn = after[: SLOT_BYTES + cut] + before[SLOT_BYTES + cut :]
        path.write_bytes(torn)
        assert read(path) in [numbered(2), numbered(3)]
        saved(path, numbered(4))
        assert read(path) == numbered(4)
        path.write_bytes(junk + path.read_bytes()[len(junk) :])
        assert read(path).number in {2, 3, 4}


@pytest.mark.parametrize("content", [b"x" * SLOT_BYTES, b"\0" * SLOT_BYTES + b"1 2 {}\n", b"{}"])
def test_damaged_book_is_told_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "book"
    path.write_bytes(content)
    with opened(path) as file:
        assert file.is_damaged
        assert file.book == Book()
        file.save(numbered(1))
    assert read(path) == numbered(1)


def test_book_of_a_start_that_was_cut_is_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "book"
    path.write_bytes(bytes(SLOT_BYTES + 7))
    with opened(path) as file:
        assert not file.is_damaged


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """What a process said that it saved is there, or what it saved next."""
    path = tmp_path / "book"
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        last = max(int(line) for line in said if line.endswith(b"\n"))
        assert read(path).number in {last, last + 1}


def test_two_at_once_do_it_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "book"

    def count() -> None:
        for _ in range(20):
            with opened(path) as file:
                file.save(Book(file.book.number + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(path).number == 81


def test_locked_for_too_long(tmp_path: Path) -> None:
    path = tmp_path / "book"
    with opened(path), pytest.raises(Busy), opened(path, wait_s=0):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)], check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        saved(disk / "book", numbered(1))
        with pytest.raises(OSError, match="No space"):
            (disk / "filler").write_bytes(bytes(1_000_000))
        saved(disk / "book", numbered(2), numbered(3))
        assert read(disk / "book") == numbered(3)
        # One that never was saved cannot be.
        with opened(disk / "new") as file, pytest.raises(OSError, match="No space"):
            file.save(numbered(1))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
