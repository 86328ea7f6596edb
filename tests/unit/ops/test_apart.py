"""What is computed by a process of its own comes back as if it had been computed here."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kis import strict_json
from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.knowledge.content import encode_tables
from kis.knowledge.first import shipped_tables
from kis.knowledge.formats import parse_upload
from kis.knowledge.preparing import compare_sources
from kis.knowledge.progress import Progress
from kis.ops.apart import NICER_BY, Lost, run_apart, run_apart_once
from kis.strict_json import StrictJsonError
from tests.unit.knowledge.rows import breaker, write_csv
from tests.unit.knowledge.test_preparing import kept


def test_result_comes_back() -> None:
    assert asyncio.run(run_apart(strict_json.loads, b'{"a": [1, "\xed\x95\x9c"]}')) == {
        "a": [1, "한"]
    }


def test_another_process_computes_it_and_gives_way() -> None:
    assert asyncio.run(run_apart(os.getpid)) != os.getpid()
    assert asyncio.run(run_apart(os.nice, 0)) == os.nice(0) + NICER_BY


def test_findings_come_back() -> None:
    with pytest.raises(DomainError) as here:
        parse_upload("csv", "no header", brands=())
    with pytest.raises(DomainError) as apart:
        asyncio.run(run_apart(_parse_nonsense))
    assert apart.value.findings == here.value.findings
    assert str(apart.value) == str(here.value)


def _parse_nonsense() -> object:
    return parse_upload("csv", "no header", brands=())


def test_malformed_json_is_told_alike() -> None:
    with pytest.raises(StrictJsonError) as here:
        strict_json.loads(b"{")
    with pytest.raises(StrictJsonError) as apart:
        asyncio.run(run_apart(strict_json.loads, b"{"))
    assert apart.value.text == here.value.text


def test_question_in_a_finding_comes_back() -> None:
    finding = Finding(ErrorCode.NOT_FOUND, "$", Text("없음", "none"), data={"a": (1, 2)})
    with pytest.raises(DomainError) as apart:
        asyncio.run(run_apart(_refuse, finding))
    assert apart.value.findings == (finding,)


def _refuse(finding: Finding) -> None:
    raise DomainError(finding)


def test_lost_process_is_made_up_for_here(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(run_apart(_die_elsewhere, os.getpid())) == "here"
    assert "once more, here" in caplog.text


def _die_elsewhere(here: int) -> str:
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return "here"


def test_what_it_tells_is_told_here() -> None:
    told: list[Progress] = []
    base = encode_tables(shipped_tables())
    args = (base, base, kept(write_csv([breaker("NEW")])))
    found = asyncio.run(run_apart(compare_sources, *args, tell=told.append))
    assert found == compare_sources(*args)
    assert told == [
        Progress("load"),
        Progress("rows", 0, 1),
        Progress("rows", 1, 1),
        Progress("compare"),
    ]


def test_it_ends_with_who_waits_for_it() -> None:
    async def ask_and_leave() -> None:
        before = children()
        asking = asyncio.create_task(run_apart(time.sleep, 3_600))
        mine = await asyncio.to_thread(wait_for_more, before)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not mine & children()

    asyncio.run(ask_and_leave())


def wait_for_more(before: set[str]) -> set[str]:
    deadline = time.monotonic() + 60
    while not (more := children() - before):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return more


def children() -> set[str]:
    """Return the processes that this one has started, of whichever of its threads."""
    found = Path("/proc/self/task").glob("*/children")
    return {pid for path in found for pid in path.read_text().split()}


# --- what has effects: functions that the other process finds, as it does not find tests -----


def test_effects_are_had_once() -> None:
    assert asyncio.run(run_apart_once(os.getpid)) != os.getpid()
    with pytest.raises(StrictJsonError):
        asyncio.run(run_apart_once(strict_json.loads, b"{"))
    with pytest.raises(Lost):
        asyncio.run(run_apart_once(os._exit, 3))


def test_effects_are_had_though_nobody_waits(tmp_path: Path) -> None:
    begun, go, done = (tmp_path / name for name in ("begun", "go", "done"))
    script = f"touch {begun}; until [ -e {go} ]; do sleep 0.01; done; touch {done}"

    async def ask_and_leave() -> None:
        asking = asyncio.create_task(run_apart_once(subprocess.check_call, ["sh", "-c", script]))
        await asyncio.to_thread(wait_for, begun)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not done.exists()
        go.touch()

    asyncio.run(ask_and_leave())
    wait_for(done)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
