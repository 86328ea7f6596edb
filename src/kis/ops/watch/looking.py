"""Takes the figures: asks the server, and looks at its home."""

import time
from collections.abc import Callable
from datetime import datetime

import httpx

from kis.ops.reaching import Endpoint, client_of
from kis.ops.watch import observations
from kis.ops.watch.at_home import look_at_home
from kis.ops.watch.observations import Answer, Copying, Observation
from kis.settings import Settings

ANSWER_WITHIN_S = 5.0
METRIC = "kis_journal_"


def look(settings: Settings, endpoint: Endpoint, now: Callable[[], datetime]) -> list[Observation]:
    """Look at everything once; raises nothing."""
    answer = ask(endpoint, now)
    disk, database, backup, errors = look_at_home(settings, now)
    return [
        observations.judge_answer(endpoint.url, answer),
        observations.judge_knowledge(answer),
        disk,
        database,
        *_journal(settings, endpoint, answer),
        backup,
        errors,
    ]


def ask(endpoint: Endpoint, now: Callable[[], datetime]) -> Answer:
    """GET /health at `endpoint`, and the reasons when it is not ready."""
    began = time.monotonic()
    try:
        with client_of(endpoint, ANSWER_WITHIN_S) as client:
            reply = client.get("/health")
            ms = 1000 * (time.monotonic() - began)
            body = _json(reply)
            reasons = _reasons_in(body) if reply.is_success else _reasons(client)
    except httpx.TimeoutException:
        return Answer(trouble=f"{ANSWER_WITHIN_S:g} s timeout")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Answer(trouble=str(error) or type(error).__name__)
    return Answer(reply.status_code, body, ms, _age_s(body, now()), "", reasons)


def _json(reply: httpx.Response) -> object:
    try:
        return reply.json()
    except ValueError:
        return None


def _reasons(client: httpx.Client) -> list[str]:
    """Return what the server says at /readyz; nothing where it does not answer as ours."""
    try:
        body = _json(client.get("/readyz"))
    except httpx.HTTPError:
        return []
    return _reasons_in(body)


def _reasons_in(body: object) -> list[str]:
    reasons = body.get("reasons") if isinstance(body, dict) else None
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def _age_s(body: object, now: datetime) -> float:
    """Return how old an answer says it is, in seconds; 0 where it does not say."""
    told = body.get("timestamp") if isinstance(body, dict) else None
    try:
        return (now - datetime.fromisoformat(str(told))).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def _journal(settings: Settings, endpoint: Endpoint, answer: Answer) -> list[Observation]:
    """Judge the journal, where there is one."""
    if settings.database_file is None or not settings.journal_days:
        return []
    copying = None if answer.trouble else ask_journal(endpoint, settings.admin_api_key)
    return [observations.judge_journal(copying)]


def ask_journal(endpoint: Endpoint, admin_key: str) -> Copying | None:
    """Ask the metrics at `endpoint` for the journal; None where they do not tell.

    They ask for a key only where the address is not this machine's own.
    """
    try:
        with client_of(endpoint, ANSWER_WITHIN_S) as client:
            text = client.get("/metrics", headers={"X-API-Key": admin_key}).text
        lines = [line.split() for line in text.splitlines() if line.startswith(METRIC)]
        told = {name.removeprefix(METRIC): float(value) for name, value in lines}
        return Copying(told["working"] == 1, told["lag_seconds"])
    except (httpx.HTTPError, OSError, ValueError, KeyError):
        return None
