"""Takes the figures: asks the server, looks at the disk, the database, backups and the log."""

import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kis.db.files import bytes_of
from kis.db.unavailable import DatabaseUnavailable
from kis.ops.backup.latest import last_good
from kis.ops.backup.naming import kind_of
from kis.ops.disks import folders_of
from kis.ops.reaching import Endpoint, client_of
from kis.ops.watch import observations
from kis.ops.watch.log_rate import count_since
from kis.ops.watch.observations import Answer, Copying, Observation, not_seen
from kis.settings import Settings

if TYPE_CHECKING:
    import httpx

ANSWER_WITHIN_S = 5.0
HOUR = timedelta(hours=1)
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


def look_at_home(
    settings: Settings, now: Callable[[], datetime]
) -> tuple[Observation, Observation, Observation, Observation]:
    """Look at disk, database, backup and errors, which need no server that answers.

    Raises nothing.
    """
    return (
        _or_not_seen("disk", str(settings.home), lambda: _disk(settings)),
        _or_not_seen("database", "DATABASE_URL", lambda: _database(settings)),
        _or_not_seen("backup", "backups", lambda: _backup(settings, now())),
        _or_not_seen("errors", str(settings.log_file), lambda: _errors(settings, now())),
    )


def _or_not_seen(check: str, what: str, take: Callable[[], Observation]) -> Observation:
    try:
        return take()
    except (OSError, ValueError, DatabaseUnavailable) as error:
        return not_seen(check, what, error)


def ask(endpoint: Endpoint, now: Callable[[], datetime]) -> Answer:
    """GET /health at `endpoint`, and the reasons when it is not ready."""
    import httpx  # noqa: PLC0415 - the service looks at its home without it

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


def _json(reply: "httpx.Response") -> object:
    try:
        return reply.json()
    except ValueError:
        return None


def _reasons(client: "httpx.Client") -> list[str]:
    """Return what the server says at /readyz; nothing where it does not answer as ours."""
    import httpx  # noqa: PLC0415 - the service looks at its home without it

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
    import httpx  # noqa: PLC0415 - the service looks at its home without it

    try:
        with client_of(endpoint, ANSWER_WITHIN_S) as client:
            text = client.get("/metrics", headers={"X-API-Key": admin_key}).text
        lines = [line.split() for line in text.splitlines() if line.startswith(METRIC)]
        told = {name.removeprefix(METRIC): float(value) for name, value in lines}
        return Copying(told["working"] == 1, told["lag_seconds"])
    except (httpx.HTTPError, OSError, ValueError, KeyError):
        return None


def _disk(settings: Settings) -> Observation:
    """Judge the fullest of the disks that are written to."""
    used = {path: _used_percent(path) for path in folders_of(settings).values() if path.exists()}
    # The home where several are on one disk.
    worst = max(used, key=lambda path: (round(used[path], 1), path == settings.home))
    return observations.judge_disk(str(worst), used[worst], settings.alert_disk_percent)


def _used_percent(path: Path) -> float:
    """Return what df shows: what is kept for root counts neither as used nor as free."""
    usage = shutil.disk_usage(path)
    available = usage.used + usage.free
    return 100 * usage.used / available if available else 0.0


def _database(settings: Settings) -> Observation:
    file = settings.database_file
    size = _server_bytes(settings) if file is None else bytes_of(file)
    return observations.judge_size(size, settings.alert_database_mb)


def _server_bytes(settings: Settings) -> int:
    # Takes 10 MB and 200 ms, for a server only.
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from kis.db.engine import open_database  # noqa: PLC0415
    from kis.db.postgres import database_bytes  # noqa: PLC0415

    database = open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    try:
        size = database.read_now(database_bytes)
    except SQLAlchemyError as error:
        raise DatabaseUnavailable(str(getattr(error, "orig", error))) from error
    finally:
        database.close()
    return size


def _backup(settings: Settings, now: datetime) -> Observation:
    manifest = last_good(settings.home / "backups", kind_of(settings.database_file))
    age = None if manifest is None else now - manifest.taken_at
    return observations.judge_backup(age, settings.alert_backup_hours)


def _errors(settings: Settings, now: datetime) -> Observation:
    return observations.judge_errors(count_since(settings.log_file, now - HOUR))
