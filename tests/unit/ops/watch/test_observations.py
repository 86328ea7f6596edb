"""What figures mean: tables of cases at the limits."""

from datetime import timedelta

import pytest

from kis.ops.watch.observations import (
    Answer,
    Copying,
    Counts,
    Observation,
    State,
    exit_code,
    judge_answer,
    judge_backup,
    judge_disk,
    judge_errors,
    judge_journal,
    judge_knowledge,
    judge_size,
    not_seen,
    size_text,
)

HEALTHY = {"status": "healthy", "knowledgeVersion": "v-a", "totalRows": 108}
DEGRADED = {**HEALTHY, "status": "degraded"}
MB = 1024 * 1024


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (Answer(200, HEALTHY, 3.2, 0.1), State.OK, "3 ms"),
        (Answer(200, HEALTHY, 3.2, 59.0), State.OK, "3 ms"),
        (Answer(200, HEALTHY, 3.2, -59.0), State.OK, "3 ms"),
        (Answer(200, HEALTHY, 3.2, 61.0), State.CRITICAL, "61 s old"),
        (Answer(200, HEALTHY, 3.2, -61.0), State.CRITICAL, "-61 s old"),
        (Answer(200, DEGRADED, 3.2, 0.0, "", ["full"]), State.WARNING, "stores nothing: full"),
        (Answer(200, None, 3.2), State.CRITICAL, "HTTP 200"),
        (Answer(503, HEALTHY, 3.2, 0.0, "", ["No knowledge"]), State.CRITICAL, "No knowledge"),
        (Answer(404, {}, 3.2), State.CRITICAL, "HTTP 404"),
        (Answer(trouble="refused"), State.CRITICAL, "refused"),
    ],
)
def test_answer(answer: Answer, state: State, told: str) -> None:
    found = judge_answer("http://kis", answer)
    assert (found.check, found.state) == ("api", state)
    assert told in found.en
    assert "http://kis" in found.ko


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (HEALTHY, State.OK),
        ({**HEALTHY, "knowledgeVersion": ""}, State.WARNING),
        ({**HEALTHY, "totalRows": 0}, State.WARNING),
        ({}, State.UNKNOWN),
        (None, State.UNKNOWN),
        ("text", State.UNKNOWN),
    ],
)
def test_knowledge(body: object, state: State) -> None:
    assert judge_knowledge(Answer(200, body)).state == state


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (judge_disk("/home", 85.0, 85), State.OK),
        (judge_disk("/home", 85.1, 85), State.WARNING),
        (judge_size(1024 * MB, 1024), State.OK),
        (judge_size(1024 * MB + 1, 1024), State.WARNING),
        (judge_backup(timedelta(hours=26), 26), State.OK),
        (judge_backup(timedelta(hours=26, seconds=1), 26), State.WARNING),
        (judge_backup(timedelta(hours=-1), 26), State.OK),
        (judge_backup(None, 26), State.WARNING),
        (judge_errors(Counts(0, 0)), State.OK),
        (judge_errors(Counts(100, 1)), State.OK),
        (judge_errors(Counts(99, 1)), State.WARNING),
        (judge_errors(Counts(0, 1)), State.WARNING),
        (not_seen("disk", "/home", OSError("gone")), State.WARNING),
    ],
)
def test_limits(found: Observation, state: State) -> None:
    assert found.state == state
    assert found.ko
    assert found.en


def test_a_backup_from_the_future_is_no_age_below_zero() -> None:
    assert judge_backup(timedelta(hours=-1), 26).value == 0


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], 0),
        ([State.OK, State.OK], 0),
        ([State.OK, State.UNKNOWN], 1),
        ([State.WARNING, State.OK], 1),
        ([State.WARNING, State.CRITICAL], 2),
    ],
)
def test_exit_code(states: list[State], code: int) -> None:
    assert exit_code(Observation("api", state, "", "") for state in states) == code


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 kB"), (640 * 1024, "640 kB"), (MB, "1.0 MB"), (3 * 1024 * MB, "3.0 GB")],
)
def test_size_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("copying", "state"),
    [
        (None, State.UNKNOWN),
        (Copying(True, 0.4), State.OK),
        (Copying(True, 10.1), State.WARNING),
        (Copying(False, 0.4), State.WARNING),
    ],
)
def test_journal(copying: Copying | None, state: State) -> None:
    assert (judge_journal(copying).check, judge_journal(copying).state) == ("journal", state)
