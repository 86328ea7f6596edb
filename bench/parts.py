"""What one create costs, part by part, in microseconds of CPU: where to look first."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.boards import NUMBER, mix
from bench.service import API_KEY, SECRETS
from kis import clock, strict_json
from kis.app import Application, create_app
from kis.estimate import store
from kis.estimate.answer import Asked, compose_record
from kis.estimate.engine import estimate
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.evidence.encoding import canonical, sha256_hex
from kis.evidence.envelope import Keyring
from kis.home import prepare_home
from kis.idempotency.model import RecordKey
from kis.settings import Settings, load_settings
from kis.telemetry import (
    close_logging,
    configure_logging,
    log_access,
    log_lookup,
    new_request_id,
)

BATCHES = (1, 64)
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
    try:
        return asyncio.run(_whole(create_app(settings), requests, at_once))
    finally:
        close_logging()


def _settings(home: Path) -> Settings:
    prepare_home(home)
    return load_settings({**SECRETS, "KIS_HOME": str(home), "RATE_LIMIT_PER_MINUTE": "0"})


def _each(name: str, calls: Sequence[Callable[[], object]], rounds: int) -> Part:
    """Return the mean CPU time of `calls`, the best of five goes."""
    best = min(_once(calls, max(1, rounds // len(calls))) for _ in range(5))
    return name, best


def _once(calls: Sequence[Callable[[], object]], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        for call in calls:
            call()
    return (time.process_time() - began) * 1e6 / times / len(calls)


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
    return [
        _each("strict JSON", [lambda b=b: strict_json.loads(b) for b in bodies], rounds),
        _each("request model", [lambda v=v: parse_board(v) for v in values], rounds),
        _each("fingerprint", [lambda d=d: sha256_hex(canonical(d)) for d in drafts], rounds),
        _each(
            "gates",
            [lambda d=d: admit(d, snapshot.rules, allow_mixed=False) for d in drafts],
            rounds,
        ),
        _each("engine", [lambda a=a: estimate(a[0], snapshot, a[1]) for a in admitted], rounds),
        _each(
            "answer, statement, seal",
            [lambda r=r: compose_record(*r, active, _asked(), keyring) for r in ready],
            rounds,
        ),
    ]


_serial = itertools.count()


def _asked() -> Asked:
    number = next(_serial)
    key = RecordKey("api-bench", "estimate.create", f"parts-{number}")
    return Asked(clock.new_id(), clock.now(), "api-bench", "127.0.0.1", key, "0" * 64)


def _sql(application: Application, rounds: int) -> list[Part]:
    """Measure the writes of one record in batches, BEGIN and COMMIT included."""
    services = application.services
    active = services.knowledge.current
    keyring = Keyring.of(SECRETS["EVIDENCE_SECRET"].encode())
    draft = parse_board(strict_json.loads(_bodies()[0]))
    board, origins = admit(draft, active.snapshot.rules, allow_mixed=False)
    outcome = estimate(board, active.snapshot, origins)
    parts = []
    for batch in BATCHES:
        records = [
            [compose_record(board, outcome, active, _asked(), keyring) for _ in range(batch)]
            for _ in range(max(1, rounds // batch // 4))
        ]
        began = time.process_time()
        for group in records:
            services.database.write_now(lambda c, g=group: store.write_estimates(c, g))
        spent = time.process_time() - began
        parts.append((f"SQL, {batch} in a batch", spent * 1e6 / len(records) / batch))
    return parts


def _rim(rounds: int) -> list[Part]:
    def log() -> None:
        log_lookup(hit=True, request_id="bcdfghjkmnpqrstvbcdf")
        log_access(
            "127.0.0.1", "POST", "/v1/estimate/create", 201, 4.2, "api-bcdfghjk",
            "bcdfghjkmnpqrstvbcdf",
        )  # fmt: skip

    return [
        _each("two log lines", [log], rounds),
        _each("ids and time", [lambda: (new_request_id(), clock.new_id(), clock.now())], rounds),
    ]


async def _whole(application: Application, requests: int, at_once: int) -> float:
    application.services.start()
    try:
        bodies = itertools.cycle(_bodies())
        await _ask(application, bodies, 200, at_once)
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
            if status != 201:  # noqa: PLR2004
                message = f"a create was answered with {status}"
                raise RuntimeError(message)

    await asyncio.gather(*(client() for _ in range(at_once)))


async def _call(application: Application, body: bytes) -> int:
    key = f"whole-{next(_serial)}-{clock.now() - timedelta()}".encode()
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
