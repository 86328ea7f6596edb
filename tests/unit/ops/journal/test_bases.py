"""Bases, compression, and what is deleted, while commits go on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kis.ops.journal import bases, packing, writing
from kis.ops.journal.bases import DAY_NS, HOUR_NS, BaseKeeper
from kis.ops.journal.folder import new_chain
from kis.ops.journal.service import Journal

from .made import Clock, Notes, last_chain, rebuilt_at

LONG_S = 20


class Kept:
    """Notes with a journal, and its keeper of bases, which looks when it is told."""

    def __init__(self, file: Path, folder: Path, clock: Clock) -> None:
        """Begin."""
        self.folder = folder
        self.clock = clock
        self.notes = Notes(file, clock)
        self.journal = Journal(self.notes.wal, folder, clock)
        self.keeper = BaseKeeper(self.journal, file, 7, clock)
        self.journal.start()

    def look(self) -> None:
        """Have the keeper do what is due, once all is copied."""
        assert self.journal.position_after(self.clock(), LONG_S)
        self.keeper._look()

    @property
    def names(self) -> list[str]:
        """The names of what is in the last chain."""
        return sorted(path.name for path in last_chain(self.folder).folder.iterdir())

    def close(self) -> None:
        """End well."""
        self.journal.stop()
        self.notes.close()
        self.journal.finish()


@pytest.fixture
def kept(file: Path, folder: Path, clock: Clock) -> Iterator[Kept]:
    kept = Kept(file, folder, clock)
    yield kept
    kept.close()


def until(is_met: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG_S
    while not is_met():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_first_base_is_made_at_once_and_others_daily(kept: Kept) -> None:
    for hours in (0, 1, 22, 2, 1, 23, 1):
        kept.clock.ns += hours * HOUR_NS
        kept.look()
    assert len(last_chain(kept.folder).bases()) == 3


def test_files_that_are_complete_are_compressed(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROLL_BYTES", 10_000)
    kept.look()
    for _ in range(3):
        kept.notes.commit(30_000)
        kept.look()
        kept.notes.checkpoint()
    kept.notes.commit()
    kept.look()
    files = last_chain(kept.folder).files()
    assert len(files) > 2
    assert [path.suffix for path in files.values()] == [".zst"] * (len(files) - 1) + [".log"]
    at, held = kept.notes.committed[1]
    assert rebuilt_at(kept.folder, at, tmp_path / "then.db") == held


def test_what_is_no_longer_needed_is_deleted(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROLL_BYTES", 10_000)
    old = new_chain(kept.folder, 1)
    for _ in range(10):
        kept.look()
        kept.notes.commit(30_000)
        kept.look()
        kept.notes.checkpoint()
        kept.clock.ns += DAY_NS + HOUR_NS
    assert not old.folder.exists()
    chain = last_chain(kept.folder)
    assert 7 <= len(chain.bases()) <= 9
    assert min(chain.files()) == chain.bases()[0].file
    horizon = kept.clock.ns - 7 * DAY_NS
    assert rebuilt_at(kept.folder, horizon, tmp_path / "then.db") == kept.notes.by(horizon)


def test_a_copy_that_was_never_completed_is_swept(kept: Kept) -> None:
    kept.look()
    (last_chain(kept.folder).folder / "000001-deadbeef.base.zst").write_bytes(b"half")
    kept.clock.ns += DAY_NS * 2
    kept.look()
    assert "000001-deadbeef.base.zst" not in kept.names
    assert len(kept.names) == 5  # two bases of two files, and the log


def test_a_base_that_fails_is_told_once_and_leaves_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bases, "FIRST_AFTER_S", 0.01)
    monkeypatch.setattr(bases, "RETRY_S", 0.01)
    start = packing.start
    monkeypatch.setattr(
        packing, "start", lambda source, target: start(source, target / "missing" / "folder")
    )
    kept.keeper.start()
    until(lambda: kept.keeper.trouble)
    time.sleep(0.1)
    monkeypatch.setattr(packing, "start", start)
    until(lambda: not kept.keeper.trouble)
    kept.keeper.stop()
    assert len(last_chain(kept.folder).bases()) == 1
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_one_that_is_under_way_is_given_up_at_the_end(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "FIRST_AFTER_S", 0.01)
    start = packing.start
    monkeypatch.setattr(packing, "start", lambda _, target: start(Path("/dev/zero"), target))
    kept.keeper.start()
    until(lambda: kept.folder.exists() and list(kept.folder.rglob("*.base.zst")))
    kept.keeper.stop()
    assert last_chain(kept.folder).bases() == []
    assert not list(kept.folder.rglob("*.base.zst"))
