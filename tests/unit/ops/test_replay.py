"""Replaying what is stored: which estimates, under which version, interrupted and gone on with."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.estimate.causes import UNKNOWN, Cause
from kis.estimate.replay import Tally
from kis.estimate.tables import estimate_table
from kis.knowledge import store
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.snapshot import Snapshot
from kis.ops.replay import (
    Memory,
    Progress,
    Replay,
    ReplayOrder,
    latest_sizes,
    prepare,
    regress,
)
from kis.ops.replay_pool import sizing
from tests.unit.ops.stored import (
    NOON,
    SHIPPED,
    WIDER,
    WITHOUT,
    add_version,
    filled_database,
    lights,
    name,
    store_boards,
    wider,
)

BOARDS = (lights(6), WITHOUT, lights(20), lights(6), lights(30), WITHOUT, lights(40), lights(6))
SIE_32 = Cause("breakers", "changed", ("SANGDO", "SIE-32", 2))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with filled_database(tmp_path / "kis.db", *BOARDS) as database:
        yield database


def replay(
    database: Database, order: ReplayOrder, *, folder: Path | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> tuple[bool, Tally, bool]:  # fmt: skip
    """Return whether it ended, what was counted, and whether it went on from a checkpoint."""
    prepared = database.read_now(lambda c: prepare(c, order))
    found = Replay(database, prepared, folder)
    with sizing(prepared.versions, 1) as sizer:
        ended = found.run(sizer, is_stopped=is_stopped, tell=lambda _: None)
    return ended, found.tally, found.resumed


def tally_of(database: Database, **order: Any) -> Tally:
    ended, tally, _ = replay(database, ReplayOrder(**{"version": WIDER, **order}))
    assert ended
    return tally


def test_against_what_was_answered(database: Database) -> None:
    tally = tally_of(database)
    assert tally.total == len(BOARDS)
    assert tally.changed > 0
    assert tally.passed + tally.changed + tally.failed == tally.total
    assert [count.cause for count in tally.causes] == [SIE_32]
    assert tally.causes[0].changed == tally.changed
    assert tally.figures["front"].grown == tally.changed


def test_version_that_was_active_changes_nothing(database: Database) -> None:
    tally = tally_of(database, version=FIRST_LABEL)
    assert (tally.total, tally.passed) == (len(BOARDS), len(BOARDS))


def test_against_another_version(database: Database) -> None:
    """Both are estimated anew: the same versions exchanged give the opposite."""
    forth = tally_of(database, against=FIRST_LABEL)
    back = tally_of(database, version=FIRST_LABEL, against=WIDER)
    assert (forth.changed, forth.passed) == (back.changed, back.passed)
    assert forth.figures["front"].change == -back.figures["front"].change
    assert forth == tally_of(database)
    assert tally_of(database, against=WIDER).passed == len(BOARDS)


def test_failures(database: Database) -> None:
    kept = tuple(row for row in SHIPPED.tables.breakers if row.model != "SIE-32")
    tables = msgspec.structs.replace(SHIPPED.tables, breakers=kept)
    database.write_now(lambda c: add_version(c, "v-without", tables))
    tally = tally_of(database, version="v-without")
    assert (tally.failed, tally.passed) == (6, 2)
    assert tally.refusals["NEED_KNOWLEDGE_UPDATE"].first == name(0)
    assert tally.causes[0].cause == SIE_32._replace(change="removed")


def test_latest_ones(database: Database) -> None:
    assert tally_of(database, last=3).total == 3
    assert tally_of(database, last=3).changed_cases[0].id == name(6)
    assert tally_of(database, last=1_000).total == len(BOARDS)


def test_from_a_moment_on(database: Database) -> None:
    assert tally_of(database, since=NOON + timedelta(minutes=6)).total == 2
    assert tally_of(database, since=NOON).total == len(BOARDS)
    assert tally_of(database, since=NOON + timedelta(days=1)).total == 0


def test_nothing_stored(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db") as database:
        assert tally_of(database) == Tally()


@pytest.mark.parametrize(
    ("order", "code", "path"),
    [
        (ReplayOrder("nowhere"), ErrorCode.VERSION_NOT_FOUND, "$.versionLabel"),
        (ReplayOrder(WIDER, "nowhere"), ErrorCode.VERSION_NOT_FOUND, "$.against"),
        (ReplayOrder("v-staged"), ErrorCode.VERSION_NOT_VALIDATED, "$.versionLabel"),
        (ReplayOrder(WIDER, "v-staged"), ErrorCode.VERSION_NOT_VALIDATED, "$.against"),
    ],
)
def test_version_that_cannot_be_used(
    database: Database, order: ReplayOrder, code: ErrorCode, path: str
) -> None:
    columns = {"mode": "add", "upload_digest": "", "created_by": "test", "change_set": b""}
    database.write_now(
        lambda c: store.insert_version(c, label="v-staged", created_at=NOON, **columns)
    )
    with pytest.raises(DomainError) as error:
        database.read_now(lambda c: prepare(c, order))
    assert (error.value.main.code, error.value.main.path) == (code, path)


def test_version_of_the_estimate_is_deleted(database: Database) -> None:
    gone = update(estimate_table).values(knowledge_version="gone")
    database.write_now(lambda c: c.execute(gone))
    tally = tally_of(database)
    assert tally.changed > 0
    assert [count.cause for count in tally.causes] == [UNKNOWN]


# --- interrupted --------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kis.ops.replay.PAGE", 2)


def after(pages: int) -> Callable[[], bool]:
    """Return what stops a replay before page number `pages`."""
    calls = itertools.count()
    return lambda: next(calls) >= pages


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4])
def test_interrupted_replay_goes_on(database: Database, tmp_path: Path, pages: int) -> None:
    order = ReplayOrder(WIDER)
    ended, tally, resumed = replay(database, order, folder=tmp_path, is_stopped=after(pages))
    assert (ended, resumed, tally.total) == (False, False, 2 * pages)
    assert len(list(tmp_path.glob("replay-*.json"))) == 1
    ended, tally, resumed = replay(database, order, folder=tmp_path)
    assert (ended, resumed) == (True, True)
    assert tally == tally_of(database)
    assert list(tmp_path.glob("*replay-*")) == []


@pytest.mark.usefixtures("small_pages")
def test_what_came_in_meanwhile_is_for_the_next_replay(database: Database, tmp_path: Path) -> None:
    whole = tally_of(database, last=4)
    order = ReplayOrder(WIDER, last=4)
    replay(database, order, folder=tmp_path, is_stopped=after(1))
    database.write_now(lambda c: store_boards(c, [lights(50)], first=len(BOARDS)))
    ended, tally, _ = replay(database, order, folder=tmp_path)
    assert ended
    assert tally == whole


@pytest.mark.usefixtures("small_pages")
def test_another_replay_has_another_checkpoint(database: Database, tmp_path: Path) -> None:
    replay(database, ReplayOrder(WIDER), folder=tmp_path, is_stopped=after(1))
    for other in (
        ReplayOrder(WIDER, last=8),
        ReplayOrder(WIDER, since=NOON),
        ReplayOrder(WIDER, against=FIRST_LABEL),
        ReplayOrder(FIRST_LABEL),
    ):
        _, tally, resumed = replay(database, other, folder=tmp_path)
        assert (resumed, tally.total) == (False, len(BOARDS))
    assert len(list(tmp_path.glob("replay-*.json"))) == 1


@pytest.mark.usefixtures("small_pages")
def test_fault_leaves_a_checkpoint(database: Database, tmp_path: Path) -> None:
    prepared = database.read_now(lambda c: prepare(c, ReplayOrder(WIDER)))
    found = Replay(database, prepared, tmp_path)
    calls = itertools.count()

    def is_stopped() -> bool:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return False

    with sizing(prepared.versions, 1) as sizer, pytest.raises(KeyboardInterrupt):
        found.run(sizer, is_stopped=is_stopped, tell=lambda _: None)
    ended, tally, resumed = replay(database, ReplayOrder(WIDER), folder=tmp_path)
    assert (ended, resumed, tally) == (True, True, tally_of(database))


def test_progress_is_told(database: Database) -> None:
    prepared = database.read_now(lambda c: prepare(c, ReplayOrder(WIDER)))
    told: list[Progress] = []
    with sizing(prepared.versions, 1) as sizer:
        Replay(database, prepared).run(sizer, is_stopped=lambda: False, tell=told.append)
    assert told[-1] == Progress(len(BOARDS), len(BOARDS), resumed=False)


# --- each request once --------------------------------------------------------------------


def test_equal_requests_are_sized_once(database: Database) -> None:
    prepared = database.read_now(lambda c: prepare(c, ReplayOrder(WIDER)))
    asked: list[bytes] = []
    with sizing(prepared.versions, 1) as sizer:

        def watching(requests: Any) -> Any:
            asked.extend(requests)
            return sizer(requests)

        Replay(database, prepared).run(watching, is_stopped=lambda: False, tell=lambda _: None)
    assert len(asked) == len(set(asked)) == 5


def test_memory_is_bounded() -> None:
    memory = Memory(limit=10)
    slots = [memory.slot(b"%d" % number) for number in range(100)]
    assert all(is_new for _, is_new in slots)
    assert not any(memory.slot(b"%d" % number)[1] for number in range(90, 100))
    assert memory.slot(b"0")[1]


def test_rows_that_are_asked_for_again_stay_in_memory() -> None:
    memory = Memory(limit=10)
    memory.slot(b"popular")
    for number in range(100):
        memory.slot(b"%d" % number)
        assert memory.slot(b"popular")[1] is False


# --- the latest ones, for an activation ---------------------------------------------------


def test_regression_of_the_latest(database: Database) -> None:
    rows = database.read_now(lambda c: latest_sizes(c, 3))
    assert [row.id for row in rows] == [name(5), name(6), name(7)]
    candidate = Snapshot(wider(SHIPPED.tables), label=WIDER)
    report = regress(rows, candidate)
    assert (report.total, report.failed) == (3, 0)
    assert report.changed == tally_of(database, last=3).changed > 0
    assert report.cases[0].before is not None
    assert regress([], candidate).total == 0
