"""운영: how the service does, and its backups."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.responses import Response

from kis.access.keys import Scope
from kis.api.error_guide import GUIDE
from kis.errors import ErrorCode
from kis.ops.keys.service import Listed
from kis.ops.overview import Overview
from kis.ops.report import CountLine
from kis.ops.report_lines import Access
from kis.ops.watch.observations import ERROR_PERCENT_LIMIT
from kis.web.parts import Parts
from kis.web.visit import Page, Visit, local_moment
from kis.web.words import Words

SHOWN_BACKUPS = 12
SOON = timedelta(days=14)
"""As the alert for keys that end."""
OPEN = ("active", "ending")


class Denial(NamedTuple):
    """A request that was denied, as it is shown; `key` is the name of a key, if it came with one.

    `at` is as the log has it.
    """

    at: str
    client: str
    key: str
    asked: str
    status: int


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""

    async def show(visit: Visit) -> Response:
        # What takes a look at log and disks comes after the first paint.
        backups = (await parts.backups.list())[:SHOWN_BACKUPS]
        return visit.show("operation/page.html", backups=backups)

    async def show_overview(visit: Visit) -> Response:
        overview = await parts.overview.look()
        keys = await parts.keys.list_keys()
        soon = overview.taken_at + SOON
        return visit.show(
            "operation/overview.html", overview=overview, active=parts.active.current.snapshot,
            open_keys=[key for key in keys if key.state in OPEN],
            ending=[k for k in keys if k.state == "ending" and k.ended_at and k.ended_at < soon],
            refusals=list(_explained(overview.refusals, visit.words)),
            denials=list(_denials(overview.denials, keys)), limit=ERROR_PERCENT_LIMIT,
            figures=_figures(overview, visit.words),
        )  # fmt: skip

    async def back_up(visit: Visit) -> Response:
        made = await parts.backups.make(visit.actor)
        backups = (await parts.backups.list())[:SHOWN_BACKUPS]
        return visit.show("operation/backups.html", backups=backups, made=made)

    return (
        Page("GET", "/console/operation", show, Scope.ADMIN),
        Page("GET", "/console/operation/overview", show_overview, Scope.ADMIN),
        Page("POST", "/console/operation/backups", back_up, Scope.ADMIN),
    )


def _explained(refusals: Iterable[CountLine], words: Words) -> Iterator[tuple[CountLine, str]]:
    """Yield each code with its meaning; one that this release does not know has none."""
    for line in refusals:
        known = line.name in ErrorCode.__members__
        yield line, words.of(GUIDE[ErrorCode(line.name)].meaning) if known else ""


def _denials(denials: Iterable[Access], keys: Iterable[Listed]) -> Iterator[Denial]:
    names = {key.key_id: key.name for key in keys}
    for denial in denials:
        yield Denial(
            denial.at, legible(denial.client), names.get(denial.key_id) or denial.key_id,
            f"{denial.method} {legible(denial.path)}", denial.status,
        )  # fmt: skip


def legible(logged: str) -> str:
    """Return a word of the log in its own letters, unless some of them cannot be seen."""
    text = unquote(logged)
    return text if text.isprintable() else logged


def _figures(overview: Overview, words: Words) -> dict[str, Any]:
    """Return what charts are drawn from; error rates in percent, null where nothing was."""
    hours = overview.hours
    return {
        "hours": {
            "labels": [local_moment(hour.start)[5:] for hour in hours],
            "requests": [hour.requests for hour in hours],
            "rates": [None if hour.error_rate is None else 100 * hour.error_rate for hour in hours],
            "p50": [hour.latency.p50_ms for hour in hours],
            "p95": [hour.latency.p95_ms for hour in hours],
        },
        "days": {
            "labels": [f"{day.day:%m-%d}" for day in overview.days],
            "estimates": [day.estimates for day in overview.days],
        },
        "limit": ERROR_PERCENT_LIMIT,
        "words": {
            "requests": words("operation.requests"),
            "rates": words("operation.error_rate"),
            "estimates": words("operation.estimates"),
        },
    }
