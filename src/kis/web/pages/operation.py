"""운영: how the service does, and its backups."""

from datetime import timedelta

from starlette.responses import Response

from kis.access.keys import Scope
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

SHOWN_BACKUPS = 12
SOON = timedelta(days=14)
"""As the alert for keys that end."""


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""

    async def show(visit: Visit) -> Response:
        # What takes a look at log and disks comes after the first paint.
        backups = (await parts.backups.list())[:SHOWN_BACKUPS]
        return visit.show("operation/page.html", backups=backups)

    async def show_overview(visit: Visit) -> Response:
        overview = await parts.overview.look()
        keys = await parts.keys.list_keys()
        ending = [
            key
            for key in keys
            if key.state == "ending" and key.ended_at and key.ended_at < overview.taken_at + SOON
        ]
        return visit.show(
            "operation/overview.html", overview=overview, ending=ending,
            active=parts.active.current.snapshot,
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
