"""What a measurement means: within its limit, past it, or that the service is down.

Pure: the figures come in, words come out. `looking` and `at_home` take them.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from kis.korean import with_particle

ERROR_PERCENT_LIMIT = 1.0
"""The runbook's target for the rate of errors in an hour."""

JOURNAL_LIMIT_S = 10.0
"""It copies twice a second; so far behind, something is wrong with it or its disk."""

DEGRADED = "degraded"
"""What /health says of a service that answers and stores nothing. No restart mends that."""

STALE_AFTER_S = 60.0
"""An answer whose moment is further from now is not the server's of now."""

_GIB, _MIB, _KIB = 2**30, 2**20, 2**10


class State(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    """The service does not serve."""
    UNKNOWN = "unknown"
    """Only a server that answers could tell: no trouble of its own."""


class Observation(NamedTuple):
    """One thing looked at; `value` and `limit` in the unit that the words name."""

    check: str
    state: State
    ko: str
    en: str
    value: float | None = None
    limit: float | None = None


class Answer(NamedTuple):
    """What came of GET /health: a status and a body, or the trouble that it met."""

    status: int = 0
    body: object = None
    ms: float = 0.0
    age_s: float = 0.0
    """How long ago, by this machine's clock, the answer says that it was made."""
    trouble: str = ""
    reasons: Sequence[str] = ()
    """Why it is not healthy, in its own words."""


class Copying(NamedTuple):
    """How the journal does, as the server tells."""

    is_working: bool
    lag_s: float


class Counts(NamedTuple):
    """Lines of the log within an hour."""

    requests: int
    faults: int


def exit_code(observations: Iterable[Observation]) -> int:
    """Return 0 where all is well, 1 where something is not, 2 where the service is down."""
    states = {each.state for each in observations}
    if State.CRITICAL in states:
        return 2
    return 0 if states <= {State.OK} else 1


def judge_answer(address: str, answer: Answer) -> Observation:
    """Say whether the service answers, and answers now."""
    if answer.trouble:
        return _down(
            f"{address} 응답 없음: {answer.trouble}",
            f"no answer at {address}: {answer.trouble}",
        )
    if answer.status != 200 or not isinstance(answer.body, dict):  # noqa: PLR2004 - HTTP's OK
        reasons = "; ".join(answer.reasons) or "no reason given"
        return _down(
            f"{address} 서비스할 수 없음: HTTP {answer.status}, {reasons}",
            f"{address} cannot serve: HTTP {answer.status}, {reasons}",
        )
    if abs(answer.age_s) > STALE_AFTER_S:
        return _down(
            f"{address} 응답이 {answer.age_s:.0f}초 전 것입니다"
            " (중간 프록시의 저장본이거나 시계가 다릅니다)",
            f"the answer at {address} is {answer.age_s:.0f} s old"
            " (a proxy keeps it, or the clocks differ)",
        )
    if answer.body.get("status") == DEGRADED:
        reasons = "; ".join(answer.reasons) or "no reason given"
        return Observation(
            "api",
            State.WARNING,
            f"{address} 저장할 수 없음: {reasons}",
            f"{address} stores nothing: {reasons}",
            round(answer.ms, 1),
        )
    return Observation(
        "api",
        State.OK,
        f"{address} {answer.ms:.0f} ms에 응답",
        f"answers in {answer.ms:.0f} ms",
        round(answer.ms, 1),
    )


def _down(korean: str, english: str) -> Observation:
    return Observation("api", State.CRITICAL, korean, english)


def judge_knowledge(answer: Answer) -> Observation:
    """Say whether a version is active and holds rows; only a server that answers knows."""
    body = answer.body
    if not isinstance(body, dict) or "knowledgeVersion" not in body:
        return _not_told("knowledge")
    label, rows = body["knowledgeVersion"], body.get("totalRows") or 0
    if not label or not rows:
        return Observation(
            "knowledge",
            State.WARNING,
            f"활성 지식이 없거나 비어 있습니다 ({label or '-'})",
            f"no knowledge is active, or it is empty ({label or '-'})",
            rows,
        )
    return Observation(
        "knowledge", State.OK, f"{label} 활성, {rows}행", f"{label} is active, {rows} rows", rows
    )


def judge_disk(path: str, used_percent: float, limit_percent: float) -> Observation:
    """Say whether the disk that holds `path` has room."""
    is_full = used_percent > limit_percent
    return Observation(
        "disk",
        State.WARNING if is_full else State.OK,
        f"{path} 디스크 {used_percent:.1f}% 사용 (한도 {limit_percent:g}%)",
        f"the disk of {path} is {used_percent:.1f}% used (limit {limit_percent:g}%)",
        round(used_percent, 1),
        limit_percent,
    )


def judge_size(size_bytes: int, limit_mb: int) -> Observation:
    """Say whether the database is larger than `limit_mb`, in MB of 1024 x 1024 bytes."""
    shown, size_mb = size_text(size_bytes), size_bytes / _MIB
    return Observation(
        "database",
        State.WARNING if size_mb > limit_mb else State.OK,
        f"데이터베이스 {shown} (한도 {limit_mb} MB)",
        f"the database takes {shown} (limit {limit_mb} MB)",
        round(size_mb, 1),
        limit_mb,
    )


def judge_journal(copying: Copying | None) -> Observation:
    """Say whether commits are copied as they come; `copying` is None where nobody tells."""
    if copying is None:
        return _not_told("journal")
    if not copying.is_working:
        return Observation(
            "journal",
            State.WARNING,
            "커밋이 복사되지 않습니다: kis-backend journal status",
            "commits are not copied: kis-backend journal status",
            round(copying.lag_s, 1),
            JOURNAL_LIMIT_S,
        )
    return Observation(
        "journal",
        State.WARNING if copying.lag_s > JOURNAL_LIMIT_S else State.OK,
        f"{copying.lag_s:.1f}초 전의 커밋까지 복사 (한도 {JOURNAL_LIMIT_S:g}초)",
        f"commits are copied up to {copying.lag_s:.1f} s ago (limit {JOURNAL_LIMIT_S:g} s)",
        round(copying.lag_s, 1),
        JOURNAL_LIMIT_S,
    )


def judge_backup(age: timedelta | None, limit_hours: int) -> Observation:
    """Say whether the last good backup is recent; `age` is None where there is none."""
    if age is None:
        return Observation(
            "backup",
            State.WARNING,
            "백업이 아직 없습니다",
            "there is no backup yet",
            None,
            limit_hours,
        )
    hours = max(0.0, age.total_seconds() / 3600)
    return Observation(
        "backup",
        State.WARNING if hours > limit_hours else State.OK,
        f"마지막 백업 {hours:.1f}시간 전 (한도 {limit_hours}시간)",
        f"the last backup is {hours:.1f} h old (limit {limit_hours} h)",
        round(hours, 1),
        limit_hours,
    )


def judge_errors(counts: Counts) -> Observation:
    """Say whether errors are rare among the requests of an hour.

    Where no request is logged (LOG_LEVEL above INFO, or nobody asked) one fault is too many.
    """
    requests, faults = counts
    percent = 100 * faults / requests if requests else 0.0
    is_bad = percent > ERROR_PERCENT_LIMIT or (faults > 0 and not requests)
    shown = f"{percent:.2f}%" if requests else "-"
    return Observation(
        "errors",
        State.WARNING if is_bad else State.OK,
        f"최근 1시간 오류율 {shown}: 요청 {requests}건, 오류 {faults}건"
        f" (한도 {ERROR_PERCENT_LIMIT:g}%)",
        f"error rate of the last hour {shown}: {requests} requests, {faults} errors"
        f" (limit {ERROR_PERCENT_LIMIT:g}%)",
        round(percent, 2) if requests else None,
        ERROR_PERCENT_LIMIT,
    )


def _not_told(check: str) -> Observation:
    return Observation(
        check,
        State.UNKNOWN,
        "서버가 답하지 않아 알 수 없습니다",
        "not known: the server does not tell",
    )


def not_seen(check: str, what: str, reason: object) -> Observation:
    """Say that something could not be looked at: what nobody watches is trouble too."""
    shown = " ".join(str(reason).split())
    return Observation(
        check,
        State.WARNING,
        f"{with_particle(what, '을/를')} 볼 수 없습니다: {shown}",
        f"cannot look at {what}: {shown}",
    )


def size_text(size_bytes: int) -> str:
    """Return a size for people: 3.2 GB, 12.0 MB, 640 kB."""
    if size_bytes >= _GIB:
        return f"{size_bytes / _GIB:.1f} GB"
    if size_bytes >= _MIB:
        return f"{size_bytes / _MIB:.1f} MB"
    return f"{size_bytes / _KIB:.0f} kB"
