"""Worker processes: started when needed, replaced when they die, ended when idle."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kis.estimate.batch import Computed, compute
from kis.estimate.piping import Knowledge
from kis.estimate.workers import Workers, WorkersLost, usable_cores
from kis.evidence.envelope import Keyring
from kis.evidence.keys import LiveKeyring, Opener
from kis.knowledge.active import Active
from kis.knowledge.content import encode_tables
from kis.knowledge.snapshot import Snapshot
from tests.services import board
from tests.unit.estimate.test_batch import KEYRING, chunk

TIMEOUT_S = 30
OPENER = Opener("m" * 32, "s" * 32)
RING = LiveKeyring(OPENER, ())


@pytest.fixture(scope="module")
def active(seed_snapshot: Snapshot) -> Active:
    """The shipped knowledge with the digests that its documents have."""
    documents = encode_tables(seed_snapshot.tables)
    snapshot = Snapshot(seed_snapshot.tables, label="seed", digest=documents.digest, version_id=1)
    return Active(
        snapshot, enclosures_digest=documents.enclosures.digest,
        rules_digest=documents.rules.digest,
    )  # fmt: skip


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that were started."""
    found: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def note(*arguments: Any, **more: Any) -> subprocess.Popen[bytes]:
        found.append(start(*arguments, **more))
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", note)
    return found


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(RING, count=2)
    yield pool
    pool.close()


def run(pool: Workers, active: Active, *lines: Any) -> list[Computed]:
    return asyncio.run(asyncio.wait_for(pool.compute(active, chunk(*lines)), TIMEOUT_S))


def until_none_is_left(pool: Workers) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while pool._threads:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_computes_what_this_one_would(workers: Workers, active: Active) -> None:
    lines = (board(), {"idempotencyKey": "k", **board(main={"model": "T-1"})}, b"{")
    assert run(workers, active, *lines) == compute(chunk(*lines), active, KEYRING)


def test_none_is_started_before_it_is_needed(
    workers: Workers, active: Active, started: Any
) -> None:
    assert started == []
    run(workers, active, board())
    run(workers, active, board())
    assert len(started) == 1


def test_as_many_as_there_is_work_for(workers: Workers, active: Active, started: Any) -> None:
    async def many() -> list[list[Computed]]:
        return await asyncio.gather(
            *(workers.compute(active, chunk(board(label=f"{n}"))) for n in range(10))
        )

    found = asyncio.run(many())
    assert [c.record.estimate["label"] for (c,) in found if c.record] == [str(n) for n in range(10)]
    assert len(started) == 2


def test_one_that_was_killed_is_replaced(workers: Workers, active: Active, started: Any) -> None:
    run(workers, active, board())
    os.kill(started[0].pid, signal.SIGKILL)
    assert run(workers, active, board()) == compute(chunk(board()), active, KEYRING)
    assert len(started) == 2


def test_one_that_is_killed_at_work_is_replaced(
    workers: Workers, active: Active, started: Any
) -> None:
    run(workers, active, board())
    os.kill(started[0].pid, signal.SIGSTOP)

    async def kill_meanwhile() -> list[Computed]:
        computing = asyncio.create_task(workers.compute(active, chunk(board())))
        await asyncio.sleep(0.05)
        assert not computing.done()
        os.kill(started[0].pid, signal.SIGKILL)
        return await asyncio.wait_for(computing, TIMEOUT_S)

    assert asyncio.run(kill_meanwhile()) == compute(chunk(board()), active, KEYRING)


def test_signals_that_end_the_service_end_no_worker(
    workers: Workers, active: Active, started: Any
) -> None:
    run(workers, active, board())
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(started[0].pid, number)
    run(workers, active, board())
    assert len(started) == 1


def test_when_none_lives_it_is_said(
    workers: Workers, active: Active, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(WorkersLost):
        run(workers, active, board())
    monkeypatch.undo()
    assert run(workers, active, board())[0].record


def test_a_version_is_sent_once(
    workers: Workers, active: Active, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    of = Knowledge.of

    def note(active: Active) -> Knowledge:
        sent.append(active.snapshot.label)
        return of(active)

    monkeypatch.setattr(Knowledge, "of", note)
    other = Active(
        Snapshot(
            active.snapshot.tables, label="other", digest=active.snapshot.digest, version_id=2
        ),
        enclosures_digest=active.enclosures_digest,
        rules_digest=active.rules_digest,
    )
    for version in (active, active, other, other, active):
        (found,) = run(workers, version, board())
        assert found.record
        assert found.record.version_id == version.snapshot.version_id
        assert found.record.estimate["knowledge_version"] == version.snapshot.label
    assert sent == ["seed", "other", "seed"]


def test_rotated_key_seals_what_comes_next(active: Active, started: Any) -> None:
    """No process is started anew for it."""
    ring = LiveKeyring(OPENER, ())
    pool = Workers(ring, count=1)
    for secret in (b"s" * 32, b"t" * 32, b"u" * 32):
        ring.current = Keyring.of(secret)
        assert run(pool, active, board()) == compute(chunk(board()), active, Keyring.of(secret))
    assert len(started) == 1
    pool.close()


def test_idle_ones_end_and_others_are_started(active: Active, started: Any) -> None:
    pool = Workers(RING, count=1, idle_s=0.05)
    for count in (1, 2):
        run(pool, active, board())
        until_none_is_left(pool)
        assert started[-1].wait(TIMEOUT_S) is not None
        assert len(started) == count
    pool.close()


def test_closed_ones_are_gone_and_take_nothing(active: Active, started: Any) -> None:
    pool = Workers(RING, count=1)
    run(pool, active, board())
    pool.close()
    assert started[0].poll() is not None
    with pytest.raises(WorkersLost):
        run(pool, active, board())


def test_whoever_hangs_up_is_not_computed_for(
    workers: Workers, active: Active, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(workers, active, board())

    async def hang_up() -> None:
        tasks = [asyncio.create_task(workers.compute(active, chunk(board()))) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(hang_up())
    assert run(workers, active, board())[0].record


def test_cores() -> None:
    assert usable_cores() >= 1
