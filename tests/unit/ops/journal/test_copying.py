"""The log copied into a chain: where it goes on, and where it has to begin anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kis.ops.journal import copying, writing
from kis.ops.journal.copying import Broken, Copier
from kis.ops.journal.folder import chains
from kis.ops.journal.records import FRAME_HEADER_BYTES, WAL_HEADER_BYTES, Kind

from .made import Clock, Nobody, Notes, copier_of, last_chain, opened

STEP = FRAME_HEADER_BYTES + 4096


def copied(folder: Path) -> bytes:
    """Return the frames of the last epoch of the last chain."""
    frames = b""
    chain = last_chain(folder)
    for record in chain.records(chain.files()):
        if record.kind is Kind.EPOCH:
            frames = b""
        if record.kind is Kind.FRAMES:
            frames = frames[: (record.first - 1) * STEP] + record.body
    return frames


def in_log(notes: Notes) -> bytes:
    assert notes.wal.index is not None
    state = notes.wal.index.state()
    assert state is not None
    return notes.wal.file.read_bytes()[WAL_HEADER_BYTES:][: state.frames * STEP]


def test_the_copy_is_the_log(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        for size in (10, 10_000, 500_000):
            notes.commit(size)
            assert copier.poll()
            assert copied(folder) == in_log(notes)
        copier.close()


def test_a_large_commit_is_copied_in_pieces(
    file: Path, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK_BYTES", 5 * STEP)
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit(100_000)
        copier.poll()
        assert copied(folder) == in_log(notes)
        copier.close()


def test_each_commit_has_its_moment(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        for _ in range(3):
            notes.commit()
            notes.commit()
            copier.poll()
        chain = last_chain(folder)
        marks = [mark for record in chain.records(chain.files()) for mark in record.marks]
        assert [mark.at_ns for mark in marks][-6:] == [at for at, _ in notes.committed]
        copier.close()


def test_a_log_that_begins_anew_is_followed(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        for _ in range(3):
            notes.commit(50_000)
            assert copier.poll()
            notes.checkpoint()
            notes.commit()
        assert copier.poll()
        assert copied(folder) == in_log(notes)
        copier.close()
    assert len(chains(folder)) == 1


def test_what_was_missed_breaks_the_chain(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        notes.commit()
        notes.checkpoint()
        notes.commit()
        with pytest.raises(Broken, match=copying.MISSED):
            copier.poll()
        copier.begin_anew()
        assert copier.poll()
        assert copied(folder) == in_log(notes)
        copier.close()
    assert len(chains(folder)) == 2


def test_another_program_that_empties_the_log_breaks_the_chain(
    file: Path, folder: Path, clock: Clock
) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        by_hand(file, "PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO note VALUES (0, 'x')")
        assert not copier.poll()
        notes.commit()
        with pytest.raises(Broken, match=copying.FOREIGN):
            copier.poll()
        copier.close()


def test_another_program_without_a_commit_of_ours_breaks_it_after_a_while(
    file: Path, folder: Path, clock: Clock
) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        by_hand(file, "PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO note VALUES (0, 'x')")
        assert not copier.poll()
        clock.ns += copying.PROOF_NS
        with pytest.raises(Broken, match=copying.FOREIGN):
            copier.poll()
        copier.close()


def test_what_another_program_appends_is_copied_and_gets_a_moment(
    file: Path, folder: Path, clock: Clock
) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        by_hand(file, "INSERT INTO note VALUES (0, 'x')")
        copier.poll()
        copier.poll()
        assert copied(folder) == in_log(notes)
        tail = last_chain(folder).tail()
        assert tail is not None
        assert tail.marks[-1].frame == tail.frames
        copier.close()


def by_hand(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_full_file_is_followed_by_another(
    file: Path, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROLL_BYTES", 10_000)
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        for _ in range(3):
            notes.commit(50_000)
            copier.poll()
            notes.checkpoint()
        assert list(last_chain(folder).files()) == [1, 2, 3]
        copier.close()


def test_files_that_are_deleted_break_the_chain(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        last_chain(folder).remove()
        notes.commit()
        with pytest.raises(Broken, match=copying.DELETED):
            copier.poll()
        copier.close()


# --- another start -----------------------------------------------------------------------


def ended_well(file: Path, folder: Path, clock: Clock, *sizes: int) -> None:
    notes = Notes(file, clock)
    copier = copier_of(notes, folder)
    for size in sizes:
        notes.commit(size)
    copier.poll()
    notes.wal.stop_following()
    notes.close()
    copier.finish()
    copier.close()


def test_after_an_orderly_end_it_goes_on(file: Path, folder: Path, clock: Clock) -> None:
    for _ in range(3):
        ended_well(file, folder, clock, 10, 20_000)
    assert len(chains(folder)) == 1


def test_nothing_to_copy_is_no_reason_to_begin_anew(file: Path, folder: Path, clock: Clock) -> None:
    ended_well(file, folder, clock, 10)
    for _ in range(3):
        ended_well(file, folder, clock)
    assert len(chains(folder)) == 1


def test_after_a_kill_it_goes_on(file: Path, folder: Path, clock: Clock, tmp_path: Path) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        notes.commit()  # which the journal has not seen
        left = left_by_a_kill(notes, tmp_path / "left")
        copier.close()
    # Another file by its inode: as if somebody had put a copy in its place.
    with opened(left, clock) as notes:
        copier_of(notes, folder).close()
    assert len(chains(folder)) == 2


def left_by_a_kill(notes: Notes, to: Path) -> Path:
    """Copy the database as a kill would leave it."""
    to.mkdir()
    for name in (notes.file, notes.wal.file):
        (to / name.name).write_bytes(name.read_bytes())
    return to / notes.file.name


@pytest.mark.parametrize("change", ["INSERT INTO note VALUES (0, 'x')", "VACUUM"])
def test_a_database_that_was_written_to_meanwhile_begins_anew(
    file: Path, folder: Path, clock: Clock, change: str
) -> None:
    ended_well(file, folder, clock, 10, 20_000)
    by_hand(file, change)
    ended_well(file, folder, clock, 10)
    assert len(chains(folder)) == 2


def test_a_database_put_in_its_place_begins_anew(
    file: Path, folder: Path, clock: Clock, tmp_path: Path
) -> None:
    ended_well(file, folder, clock, 10)
    other = tmp_path / "other.db"
    other.write_bytes(file.read_bytes())
    other.replace(file)
    ended_well(file, folder, clock, 10)
    assert len(chains(folder)) == 2


def test_a_log_that_is_still_there_is_gone_on_with(file: Path, folder: Path, clock: Clock) -> None:
    """As after a kill: the log holds more than was copied."""
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        copier.close()  # without `finish`
        notes.commit(20_000)
        again = Copier(notes.wal, folder, clock)
        again.begin()
        assert again.poll()
        assert copied(folder) == in_log(notes)
        again.close()
    assert len(chains(folder)) == 1


def test_a_torn_end_is_written_again(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        copier = copier_of(notes, folder)
        notes.commit()
        copier.poll()
        whole = last_chain(folder).file(1).stat().st_size
        notes.commit(20_000)
        copier.poll()
        copier.close()
        with last_chain(folder).file(1).open("r+b") as torn:
            torn.truncate(whole + 5_000)
        again = Copier(notes.wal, folder, clock)
        again.begin()
        again.poll()
        assert copied(folder) == in_log(notes)
        again.close()
    assert len(chains(folder)) == 1


def test_following_begins_before_the_first_write(file: Path, folder: Path, clock: Clock) -> None:
    with opened(file, clock) as notes:
        state = notes.wal.follow(Nobody(), clock)
        assert state.frames > 0
        copier = Copier(notes.wal, folder, clock)
        copier.begin()
        assert copier.poll()
        assert copied(folder) == in_log(notes)
        copier.close()
