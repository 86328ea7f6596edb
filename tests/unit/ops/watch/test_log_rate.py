"""The hour of the log: found by halving, counted by the marks of its lines."""

import json
import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis import clock
from kis.ops.watch import log_rate
from kis.ops.watch.log_rate import count_since
from kis.ops.watch.observations import Counts
from kis.telemetry import log_access, log_lookup

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KINDS = {
    "request": ('10.0.0.1 {} "POST /v1/estimate/create" 201 4.2ms key=b request=f\n', (1, 0)),
    "read": ('- {} "GET /health" 200 0.1ms key=- request=f\n', (1, 0)),
    "delete": ('- {} "DELETE /v1/x" 200 0.1ms key=- request=f\n', (0, 0)),
    "lookup": ("1 cache_hit {} request=f\n", (0, 0)),
    "warning": ("{} WARNING NEED_KNOWLEDGE_UPDATE $.main request=f\n", (0, 0)),
    "fault": ("{} ERROR could not store\n\tTraceback\n\t  File 'x'\n", (0, 1)),
    "json request": (
        '{{"at":"{}","level":"INFO","event":"access","client":"-","method":"POST"}}\n',
        (1, 0),
    ),
    "json fault": ('{{"at":"{}","level":"ERROR","event":"message","message":"x"}}\n', (0, 1)),
}


def line(kind: str, at: datetime) -> str:
    return KINDS[kind][0].format(at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def sum_of(kinds: list[str]) -> Counts:
    counted = [KINDS[kind][1] for kind in kinds]
    return Counts(sum(r for r, _ in counted), sum(f for _, f in counted))


@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 90)), max_size=60),
    hour=st.integers(-100, 4_000),
    block=st.sampled_from([1, 7, 64, 1_048_576]),
)
def test_as_many_as_one_counts_line_by_line(
    steps: list[tuple[str, int]], hour: int, block: int
) -> None:
    since = NOON + timedelta(seconds=hour)
    at, text, expected = NOON, "", []
    for kind, seconds in steps:
        at += timedelta(seconds=seconds)
        text += line(kind, at)
        if at >= since:
            expected.append(kind)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_rate, "BLOCK_BYTES", block)
        log = Path(folder) / "log"
        log.write_text(text)
        assert count_since(log, since) == sum_of(expected)


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_as_the_service_writes_them(
    open_log: Callable[..., Path], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(LOG_FORMAT=form)
    for minutes in (0, 30, 90):
        now = NOON + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        log_access("127.0.0.1", "POST", "/v1/estimate/create", 201, 4.2, "bcd", "fgh", hit=True)
        log_access("", "GET", '/x" 1Z "POST /Z ERROR ', 404, 4.2, "", "fgh")
        log_lookup(hit=False, request_id="fgh")
    # A record of logging has a clock of its own, so it is of now.
    logging.getLogger("kis").error("could not store 2026-11-22T12:00:00Z")
    logging.getLogger("kis").warning('Z "POST and Z ERROR')
    assert count_since(log, NOON + timedelta(minutes=30)) == Counts(4, 1)
    assert count_since(log, NOON) == Counts(6, 1)


def test_hour_that_began_before_the_log_was_rotated(tmp_path: Path) -> None:
    log = tmp_path / "kis-backend.log"
    log.with_name("kis-backend.log.1").write_text(
        line("request", NOON) + line("fault", NOON + timedelta(minutes=50))
    )
    assert count_since(log, NOON + timedelta(minutes=10)) == Counts(0, 1)
    log.write_text(line("request", NOON + timedelta(minutes=60)))
    assert count_since(log, NOON + timedelta(minutes=10)) == Counts(1, 1)
    # The whole hour is in the new file: the old one is not read.
    assert count_since(log, NOON + timedelta(minutes=70)) == Counts(0, 0)


def test_no_log_no_lines(tmp_path: Path) -> None:
    assert count_since(tmp_path / "log", NOON) == Counts(0, 0)


def test_log_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(OSError, match="directory"):
        count_since(tmp_path / "log", NOON)


def test_last_line_that_is_still_being_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line("request", NOON) + json.dumps("half a line"))
    assert count_since(log, NOON) == Counts(1, 0)
