"""A replay inside the service: bounded, and never in the way of requests."""

import asyncio
import threading
from pathlib import Path

import pytest

from kis.errors import DomainError, ErrorCode
from kis.estimate.replay_report import ReplayReport
from kis.estimate.verdict import judge_all
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.progress import Progress
from kis.ops.replay import ReplayOrder
from kis.ops.replay_service import AT_ONCE, ReplayService, size_gently
from tests.unit.estimate.stored import bare
from tests.unit.ops.stored import SHIPPED, WIDER, WITHOUT, filled_database, lights

BOARDS = (lights(6), WITHOUT, lights(40))


def test_report(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db", *BOARDS) as database:
        service = ReplayService(database=database)
        report = asyncio.run(service.replay(ReplayOrder(WIDER, last=3)))
        against = asyncio.run(service.replay(ReplayOrder(WIDER, FIRST_LABEL, last=3)))
    assert (report.version, report.against, report.total) == (WIDER, None, 3)
    assert report.changed > 0
    assert (against.against, against.changed) == (FIRST_LABEL, report.changed)


def test_one_at_a_time_and_all_answered(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db", *BOARDS) as database:
        service = ReplayService(database=database)

        async def ask() -> list[int]:
            orders = [ReplayOrder(WIDER, last=count) for count in (1, 2, 3)]
            return [r.total for r in await asyncio.gather(*map(service.replay, orders))]

        assert asyncio.run(ask()) == [1, 2, 3]


def test_unknown_version_leaves_the_turn_to_the_next(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db", *BOARDS) as database:
        service = ReplayService(database=database)

        async def ask() -> int:
            with pytest.raises(DomainError) as error:
                await service.replay(ReplayOrder("nowhere", last=1))
            assert error.value.main.code is ErrorCode.VERSION_NOT_FOUND
            return (await service.replay(ReplayOrder(WIDER, last=1))).total

        assert asyncio.run(ask()) == 1


def test_it_is_stopped_where_nobody_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with filled_database(tmp_path / "kis.db", *BOARDS) as database:
        service = ReplayService(database=database)

        async def ask_and_leave() -> int:
            asking: list[asyncio.Task[ReplayReport]] = []
            loop = asyncio.get_running_loop()
            is_left = threading.Event()

            def cancel() -> None:
                asking[0].cancel()
                loop.call_soon(is_left.set)  # behind the task, which is told in the next turn

            def leave(_: Progress) -> None:
                if not is_left.is_set() and threading.current_thread() is not loop_thread:
                    loop.call_soon_threadsafe(cancel)
                    is_left.wait()

            loop_thread = threading.current_thread()
            asking.append(loop.create_task(service.replay(ReplayOrder(WIDER, last=3), leave)))
            with pytest.raises(asyncio.CancelledError):
                await asking[0]
            return (await service.replay(ReplayOrder(WIDER, last=1))).total

        assert asyncio.run(ask_and_leave()) == 1
    assert f"replay under {WIDER} stopped at 0 of 3" in caplog.text


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1])
def test_gently_gives_the_same(count: int) -> None:
    requests = [bare(SHIPPED, **lights(number + 1)) for number in range(count)]
    assert size_gently(SHIPPED, SHIPPED)(requests)() == judge_all(requests, SHIPPED, SHIPPED)
