"""The journal of a running service: whatever befalls it, commits go on."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kis.db.wal import WalState
from kis.ops.journal import service
from kis.ops.journal.folder import chains
from kis.ops.journal.service import Journal

from .made import SECOND_NS, Clock, Notes, opened

LONG_S = 20


@contextmanager
def running(notes: Notes, folder: Path) -> Iterator[Journal]:
    """Run the journal of `notes`, and end it well."""
    journal = Journal(notes.wal, folder, notes.clock)
    journal.start()
    try:
        yield journal
    finally:
        journal.stop()
        notes.close()
        journal.finish()


@pytest.fixture
def notes(file: Path, clock: Clock) -> Notes:
    return Notes(file, clock)


def until(is_met: Callable[[], object], journal: Journal) -> None:
    deadline = time.monotonic() + LONG_S
    while not is_met():
        journal.hurry()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_was_committed_is_copied(notes: Notes, folder: Path) -> None:
    with running(notes, folder) as journal:
        assert notes.wal.index is not None
        notes.commit()
        state = notes.wal.index.state()
        assert state is not None
        assert journal.wait_for(state, LONG_S)
        position = journal.position_after(notes.clock(), LONG_S)
        assert position is not None
        assert position.frames == state.frames
        assert journal.lag_s < 1
        assert journal.trouble == ""


def test_the_writer_does_not_wait_for_what_cannot_come(notes: Notes, folder: Path) -> None:
    with running(notes, folder) as journal:
        assert not journal.wait_for(WalState(b"elsewhat", 1, 4096), 0)
        journal.trouble = "the disk is full"
        assert not journal.wait_for(WalState(b"elsewhat", 1, 4096), LONG_S * 1000)
        journal.trouble = ""


def test_a_second_start_goes_on(file: Path, folder: Path, clock: Clock) -> None:
    for _ in range(2):
        notes = Notes(file, clock)
        with running(notes, folder):
            notes.commit()
    assert len(chains(folder)) == 1


def test_a_folder_that_cannot_be_made_is_told_once_and_tried_again(
    notes: Notes, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_S", 0.01)
    folder.write_text("in the way")
    with caplog.at_level(logging.INFO, "kis.journal"), running(notes, folder) as journal:
        for _ in range(3):
            notes.commit()
            notes.clock.ns += SECOND_NS
            journal.hurry()
        until(lambda: journal.trouble, journal)
        assert "NotADirectoryError" in journal.trouble or "FileExistsError" in journal.trouble
        assert journal.position() is None
        folder.unlink()
        until(lambda: not journal.trouble, journal)
        position = journal.position_after(notes.clock(), LONG_S)
        assert position is not None
    levels = [record.levelname for record in caplog.records if record.name == "kis.journal"]
    assert levels == ["ERROR", "WARNING"]


def test_a_folder_that_is_deleted_gets_a_new_chain(
    notes: Notes, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "kis.journal"), running(notes, folder) as journal:
        notes.commit()
        assert journal.position_after(notes.clock(), LONG_S)
        shutil.rmtree(folder)
        notes.commit()
        until(lambda: chains(folder) and journal.position(), journal)
        assert journal.trouble == ""
    assert len(chains(folder)) == 1
    assert "begins anew" in caplog.text


def test_a_log_that_cannot_be_followed_is_left_to_sqlite(
    notes: Notes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> WalState:
        message = "no index"
        raise OSError(message)

    monkeypatch.setattr(notes.wal, "follow", fail)
    with running(notes, folder) as journal:
        assert "no index" in journal.trouble
        notes.commit()
        notes.database.tend()
    assert not folder.exists()


def test_while_others_commit_it_follows(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        journal = Journal(notes.wal, folder, clock)
        journal.start()
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                notes.commit(20_000)
                notes.checkpoint()

        thread = threading.Thread(target=write)
        thread.start()
        for _ in range(20):
            assert journal.position_after(clock(), LONG_S)
        stop.set()
        thread.join()
        journal.stop()
    assert len(chains(folder)) == 1
