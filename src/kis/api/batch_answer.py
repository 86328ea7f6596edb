"""The lines that a batch answers, and what the log and the metrics are told of them."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from kis.api.errors import Problem, log_refusal, problem_body
from kis.api.metrics import Metrics
from kis.errors import DomainError, ErrorCode
from kis.estimate.answer import CREATED, Answer
from kis.telemetry import Refused, log_lookups, log_refusals


class LineEstimated(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a line that was estimated: `estimate` is what `create` answers."""

    line: int
    idempotency_key: str | None
    replayed: bool
    status: int
    estimate: Answer


class LineRefused(Problem, frozen=True, rename="camel"):
    """The answer to a line that was not: a problem, with the line's number."""

    line: int
    idempotency_key: str | None
    replayed: bool


class Reply(NamedTuple):
    """What a line is answered: `body`, an estimate or a problem as it is kept, or `refusal`."""

    number: int
    key: str | None
    status: int = 0
    body: bytes = b""
    replayed: bool = False
    refusal: DomainError | None = None


def write_line(reply: Reply, request_id: str) -> bytes:
    """Return `reply` as a line. The bytes of an estimate are those that `create` would send."""
    head = b'{"line":%d,"idempotencyKey":%b,"replayed":%b,' % (
        reply.number,
        b"null" if reply.key is None else msgspec.json.encode(reply.key),
        b"true" if reply.replayed else b"false",
    )
    if reply.refusal is not None:
        return head + problem_body(reply.refusal, request_id)[1:] + b"\n"
    if reply.status != CREATED:
        return head + reply.body[1:] + b"\n"
    return b'%b"status":%d,"estimate":%b}\n' % (head, reply.status, reply.body)


def tell(replies: Iterable[Reply], request_id: str, metrics: Metrics) -> None:
    """Log and count `replies` as creates are: the runbook's pipelines count lines of the log."""
    outcomes: Counter[str] = Counter()
    hits = misses = 0
    for reply in replies:
        if reply.refusal is not None:
            metrics.count_refusal(reply.refusal)
            codes = {finding.code for finding in reply.refusal.findings}
            misses += ErrorCode.NEED_KNOWLEDGE_UPDATE in codes
            log_refusal(reply.refusal, request_id)
            continue
        outcomes["replayed" if reply.replayed else "created"] += 1
        if reply.status == CREATED:
            hits += 1
        else:
            # A refusal that was kept is one again, each time that it is given.
            kept = msgspec.json.decode(reply.body, type=Problem)
            log_refusals((Refused(f.code, f.path) for f in kept.findings), request_id)
    log_lookups(hits, misses, request_id)
    for outcome, count in outcomes.items():
        metrics.count_estimates(outcome, count)
    metrics.count_hits(hits)
