"""What one create costs, part by part, in microseconds of CPU: where to look first."""

import asyncio
import gc
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bench.boards import NUMBER, mix
from bench.service import API_KEY, SECRETS
from kis import clock, strict_json
from kis.app import Application, create_app
from kis.estimate.answer import Asked, Caller, compose_record
from kis.estimate.engine import Outcome, estimate
from kis.estimate.model import Board, BoardDraft
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.estimate.store import EstimateRecord, write_estimates
from kis.evidence.encoding import canonical, sha256_hex
from kis.evidence.envelope import Keyring
from kis.home import prepare_home
from kis.idempotency.model import RecordKey
from kis.settings import Settings, load_settings
from kis.telemetry import (
    close_logging,
    configure_logging,
    log_access,
    new_request_id,
)

BATCHES = (1, 64)
GOES = 5
CREATED = 201
WARM_UP = 200
Message = dict[str, Any]
Part = tuple[str, float]


def measure(home: Path, rounds: int) -> list[Part]:
    """Return each part of a create with its cost, then the whole without HTTP/1.1."""
    settings = _settings(home)
    configure_logging(settings)
    try:
        application = create_app(settings)
        try:
            return [*_pure(application, rounds), *_sql(application, rounds), *_rim(rounds)]
        finally:
            application.services.database.close()
    finally:
        close_logging()


def whole(home: Path, requests: int, at_once: int = 64) -> float:
    """Return the microseconds of CPU of a create from ASGI message to ASGI message."""
    settings = _settings(home)
    configure_logging(settings)
    application = create_app(settings)
    gc.collect()
    gc.freeze()
    try:
        return asyncio.run(_whole(application, requests, at_once))
    finally:
        gc.unfreeze()
        close_logging()


def _settings(home: Path) -> Settings:
    prepare_home(home)
    return load_settings({**SECRETS, "KIS_HOME": str(home), "RATE_LIMIT_PER_MINUTE": "0"})


def _each(
    name: str, call: Callable[..., object], arguments: Sequence[tuple[Any, ...]], rounds: int
) -> Part:
    """Return the mean CPU time of `call` over the `arguments`, the best of five goes."""
    times = max(1, rounds // len(arguments))
    return name, min(_once(call, arguments, times) for _ in range(GOES))


def _once(call: Callable[..., object], arguments: Sequence[tuple[Any, ...]], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        for each in arguments:
            call(*each)
    return (time.process_time() - began) * 1e6 / times / len(arguments)


def _bodies() -> list[bytes]:
    return [
        json.dumps(board, ensure_ascii=False).replace(NUMBER, NUMBER % 0).encode()
        for board in mix()
    ]


def _pure(application: Application, rounds: int) -> list[Part]:
    active = application.services.knowledge.current
    snapshot = active.snapshot
    bodies = _bodies()
    values = [strict_json.loads(body) for body in bodies]
    drafts = [parse_board(value) for value in values]
    admitted = [admit(draft, snapshot.rules, allow_mixed=False) for draft in drafts]
    outcomes = [estimate(board, snapshot, origins) for board, origins in admitted]
    ready = [(board, outcome) for (board, _), outcome in zip(admitted, outcomes, strict=True)]
    keyring = Keyring.of(SECRETS["EVIDENCE_SECRET"].encode())

    def gates(draft: BoardDraft) -> object:
        return admit(draft, snapshot.rules, allow_mixed=False)

    def compose(board: Board, outcome: Outcome) -> object:
        return compose_record(board, outcome, active, _asked(), keyring)

    return [
        _each("strict JSON", strict_json.loads, [(body,) for body in bodies], rounds),
        _each("request model", parse_board, [(value,) for value in values], rounds),
        _each("fingerprint", _fingerprint, [(draft,) for draft in drafts], rounds),
        _each("gates", gates, [(draft,) for draft in drafts], rounds),
        _each("engine", estimate, [(board, snapshot, at) for board, at in admitted], rounds),
        _each("answer, statement, seal", compose, ready, rounds),
    ]


def _fingerprint(draft: BoardDraft) -> str:
    return sha256_hex(canonical(draft))


_serial = itertools.count()


def _asked() -> Asked:
    number = next(_serial)
    key = RecordKey("api-bench", "estimate.create", f"parts-{number}")
    return Asked(
        clock.new_id(), clock.now(), Caller("api-bench", "api-bench", "127.0.0.1"), key, "0" * 64
    )


def _sql(application: Application, rounds: int) -> list[Part]:
    """Measure the writes of one record in batches, BEGIN and COMMIT included."""
    services = application.services
    active = services.knowledge.current
    keyring = Keyring.of(SECRETS["EVIDENCE_SECRET"].encode())
    draft = parse_board(strict_json.loads(_bodies()[0]))
    board, origins = admit(draft, active.snapshot.rules, allow_mixed=False)
    outcome = estimate(board, active.snapshot, origins)

    def records(batch: int) -> list[EstimateRecord]:
        return [compose_record(board, outcome, active, _asked(), keyring) for _ in range(batch)]

    def write(batch: list[EstimateRecord]) -> None:
        services.database.write_now(lambda c: write_estimates(c, batch))

    parts = []
    for size in BATCHES:
        write(records(size))  # the statements of this size are compiled now
        batches = [(records(size),) for _ in range(max(1, rounds // size // 4))]
        parts.append((f"SQL, {size} in a batch", _once(write, batches, 1) / size))
    return parts


def _rim(rounds: int) -> list[Part]:
    def log() -> None:
        log_access(
            "127.0.0.1", "POST", "/v1/estimate/create", 201, 4.2, "api-bcdfghjk",
            "bcdfghjkmnpqrstvbcdf", hit=True,
        )  # fmt: skip

    def identify() -> object:
        return new_request_id(), clock.new_id(), clock.now()

    return [
        _each("two log lines", log, [()], rounds),
        _each("ids and time", identify, [()], rounds),
    ]


async def _whole(application: Application, requests: int, at_once: int) -> float:
    application.services.start()
    try:
        bodies = itertools.cycle(_bodies())
        await _ask(application, bodies, WARM_UP, at_once)
        began = time.process_time()
        await _ask(application, bodies, requests, at_once)
        return (time.process_time() - began) * 1e6 / requests
    finally:
        await application.services.stop()


async def _ask(
    application: Application, bodies: "itertools.cycle[bytes]", requests: int, at_once: int
) -> None:
    left = itertools.repeat(None, requests)

    async def client() -> None:
        for _ in left:
            status = await _call(application, next(bodies))
            if status != CREATED:
                message = f"a create was answered with {status}"
                raise RuntimeError(message)

    await asyncio.gather(*(client() for _ in range(at_once)))


async def _call(application: Application, body: bytes) -> int:
    key = f"whole-{next(_serial)}".encode()
    headers = [
        (b"host", b"127.0.0.1"), (b"x-api-key", API_KEY.encode()),
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
        (b"idempotency-key", key),
    ]  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "server": ("127.0.0.1", 3000), "client": ("127.0.0.1", 1), "scheme": "http",
        "method": "POST", "root_path": "", "path": "/v1/estimate/create",
        "raw_path": b"/v1/estimate/create", "query_string": b"", "headers": headers, "state": {},
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    call: Callable[..., Awaitable[None]] = application.asgi
    await call(scope, receive, send)
    return statuses[0]
