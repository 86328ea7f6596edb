"""The log: how far it reaches, and when it begins anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from kis.db import wal as module
from kis.db.engine import Database, open_database
from kis.db.wal import (
    ANEW_FRAMES,
    MOST_FRAMES,
    PASS_FRAMES,
    PATIENCE_FRAMES,
    REST_FRAMES,
    Wal,
    WalState,
)

FRAME_BYTES = 24 + 4096
HEADER_BYTES = 32


class Watcher:
    """Follows a log, and says whether it has seen it."""

    def __init__(self, *, has_seen: bool = True) -> None:
        self.has_seen = has_seen
        self.hurried = 0
        self.asked: list[WalState] = []

    def hurry(self) -> None:
        self.hurried += 1

    def wait_for(self, state: WalState, seconds: float) -> bool:
        assert seconds > 0
        self.asked.append(state)
        return self.has_seen


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}", slow_query_ms=60_000)
    database.write_now(lambda c: c.execute(text("CREATE TABLE note (body BLOB)")))
    yield database
    database.close()


@pytest.fixture
def wal(database: Database) -> Wal:
    assert database.wal is not None
    return database.wal


def commit(database: Database, pages: int = 1) -> None:
    database.write_now(
        lambda c: c.execute(text(f"INSERT INTO note VALUES (zeroblob({pages * 4088}))"))
    )


def state_of(wal: Wal) -> WalState:
    assert wal.index is not None
    state = wal.index.state()
    assert state is not None
    return state


def test_the_index_tells_what_is_in_the_log(database: Database, wal: Wal, path: Path) -> None:
    wal.follow(Watcher(), lambda: 1)
    for _ in range(3):
        commit(database)
        state = state_of(wal)
        raw = Path(f"{path}-wal").read_bytes()
        assert state.salt == raw[16:24]
        assert state.page_bytes == int.from_bytes(raw[8:12]) == 4096
        assert len(raw) >= HEADER_BYTES + state.frames * FRAME_BYTES
        # The last frame of a commit tells the size of the database, others 0.
        last = HEADER_BYTES + (state.frames - 1) * FRAME_BYTES
        assert int.from_bytes(raw[last + 4 : last + 8]) > 0


def test_each_commit_is_noted_with_its_moment(database: Database, wal: Wal) -> None:
    moments = iter(range(10, 100, 10))
    before = wal.follow(Watcher(), lambda: next(moments))
    commit(database)
    commit(database)
    database.write_now(lambda c: c.execute(text("SELECT 1")))
    first, second = wal.marks
    assert (first.at_ns, second.at_ns) == (10, 20)
    assert before.frames < first.frame < second.frame == state_of(wal).frames


def test_what_is_rolled_back_is_not_noted(database: Database, wal: Wal) -> None:
    wal.follow(Watcher(), lambda: 1)
    with pytest.raises(OperationalError):
        database.write_now(insert_and_fail)
    assert not wal.marks


def insert_and_fail(connection: Connection) -> None:
    connection.execute(text("INSERT INTO note VALUES (1)"))
    connection.execute(text("INSERT INTO note SELECT * FROM missing"))


def test_without_a_follower_sqlite_checkpoints_by_itself(database: Database, wal: Wal) -> None:
    commit(database, 3_000)
    commit(database)
    database.tend()
    assert wal.index is None
    assert not wal.marks
    assert Path(f"{wal.database_file}-wal").stat().st_size < 4_000 * FRAME_BYTES


def test_a_follower_is_asked_before_a_checkpoint(database: Database, wal: Wal) -> None:
    watcher = Watcher()
    wal.follow(watcher, lambda: 1)
    commit(database, ANEW_FRAMES)
    wal.bring_over()
    old = state_of(wal)
    database.tend()
    assert watcher.asked == [old]
    watcher.hurried = 0
    commit(database)
    assert watcher.hurried == 1
    (turn,) = wal.turns
    assert turn == (old, state_of(wal).salt, True)
    assert state_of(wal).frames < 10
    assert wal.marks[-1].salt == turn.salt


def test_it_is_hurried_each_time_that_the_log_has_grown(database: Database, wal: Wal) -> None:
    watcher = Watcher()
    wal.follow(watcher, lambda: 1)
    for times in (1, 2):
        commit(database, PASS_FRAMES)
        database.tend()
        database.tend()
        assert watcher.hurried == times
    assert not watcher.asked


def test_the_writer_waits_for_little(database: Database, wal: Wal) -> None:
    """Where much is left to bring over, that is done beside it first."""
    watcher = Watcher()
    wal.follow(watcher, lambda: 1)
    commit(database, ANEW_FRAMES)
    database.tend()
    assert not watcher.asked
    wal.bring_over()
    commit(database, REST_FRAMES + 1)
    database.tend()
    assert not watcher.asked
    commit(database, PASS_FRAMES)
    wal.bring_over()
    database.tend()
    assert len(watcher.asked) == 1


def test_the_writer_waits_for_much_in_the_end(database: Database, wal: Wal) -> None:
    watcher = Watcher()
    wal.follow(watcher, lambda: 1)
    commit(database, PATIENCE_FRAMES + 50)
    database.tend()
    assert len(watcher.asked) == 1


def test_what_is_brought_over_stays_in_the_log(database: Database, wal: Wal) -> None:
    """Once all of it is in the file, SQLite would begin the log anew: not before it is followed."""
    wal.follow(Watcher(), lambda: 1)
    commit(database, PASS_FRAMES)
    before = state_of(wal)
    size = wal.database_file.stat().st_size
    wal.bring_over()
    assert wal.database_file.stat().st_size > size + (PASS_FRAMES - 10) * 4096
    commit(database)
    wal.bring_over()
    commit(database)
    assert state_of(wal).salt == before.salt
    assert not wal.turns


def test_while_a_pass_is_under_way_the_log_goes_on(database: Database, wal: Wal) -> None:
    watcher = Watcher()
    wal.follow(watcher, lambda: 1)
    commit(database, PATIENCE_FRAMES + 50)
    assert wal._backfill is not None
    with wal._backfill.paused():
        database.tend()
    assert not watcher.asked
    database.tend()
    assert len(watcher.asked) == 1


def test_who_has_not_seen_it_is_asked_again(database: Database, wal: Wal) -> None:
    watcher = Watcher(has_seen=False)
    wal.follow(watcher, lambda: 1)
    commit(database, ANEW_FRAMES)
    wal.bring_over()
    database.tend()
    database.tend()
    assert len(watcher.asked) == 1
    commit(database, PASS_FRAMES)
    wal.bring_over()
    database.tend()
    assert len(watcher.asked) == 2
    assert not wal.turns


def test_the_log_does_not_grow_for_ever(
    database: Database, wal: Wal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FRAMES", ANEW_FRAMES + 100)
    monkeypatch.setattr(module, "PATIENCE_FRAMES", ANEW_FRAMES)
    assert MOST_FRAMES > PATIENCE_FRAMES > ANEW_FRAMES
    wal.follow(Watcher(has_seen=False), lambda: 1)
    commit(database, ANEW_FRAMES + 200)
    database.tend()
    commit(database)
    (turn,) = wal.turns
    assert not turn.is_proven


def test_what_another_program_wrote_is_no_proven_turn(database: Database, wal: Wal) -> None:
    wal.follow(Watcher(), lambda: 1)
    commit(database, PATIENCE_FRAMES + 50)
    database.tend()
    with closing(sqlite3.connect(wal.database_file)) as other, other:
        other.execute("INSERT INTO note VALUES ('by hand')")
    commit(database)
    (turn,) = wal.turns
    assert not turn.is_proven


def test_what_another_program_wrote_into_the_same_log_is_no_turn(
    database: Database, wal: Wal
) -> None:
    wal.follow(Watcher(), lambda: 1)
    commit(database)
    with closing(sqlite3.connect(wal.database_file)) as other, other:
        other.execute("INSERT INTO note VALUES ('by hand')")
    commit(database)
    assert not wal.turns
    assert wal.marks[-1].frame == state_of(wal).frames


def test_a_log_that_nobody_opened_cannot_be_followed(path: Path) -> None:
    with pytest.raises(OSError, match="shm"):
        module.WalIndex(path)


def test_after_the_following_sqlite_closes_as_ever(database: Database, wal: Wal) -> None:
    wal.follow(Watcher(has_seen=False), lambda: 1)
    commit(database, ANEW_FRAMES)
    wal.bring_over()
    wal.stop_following()
    wal.bring_over()
    database.tend()
    database.close()
    assert wal.index is None
    assert not Path(f"{wal.database_file}-wal").exists()


def test_the_writer_closes_last_though_somebody_follows(database: Database, wal: Wal) -> None:
    wal.follow(Watcher(), lambda: 1)
    commit(database, PASS_FRAMES)
    wal.bring_over()
    database.close()
    assert not Path(f"{wal.database_file}-wal").exists()
