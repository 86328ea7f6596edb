"""What a version would change: golden cases and stored estimates once more, and drawn."""

import asyncio

from starlette.responses import Response

from kis.access.keys import Scope
from kis.estimate.redrawing import redraw
from kis.knowledge.progress import Tell
from kis.ops.replay import ReplayOrder
from kis.ops.replay_service import MAX_ESTIMATES
from kis.web.forms import read_form
from kis.web.parts import Parts
from kis.web.telling import telling
from kis.web.visit import Page, Visit, wants_part

ONE = "/console/knowledge/{label}"
LAST = (1_000, MAX_ESTIMATES)


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts)
    return (
        Page("GET", f"{ONE}/changes", about.show, Scope.ADMIN),
        Page("POST", f"{ONE}/replay", about.replay, Scope.ADMIN),
        Page("GET", f"{ONE}/boards/{{estimate}}", about.draw, Scope.ADMIN),
    )


class _Pages:
    def __init__(self, parts: Parts) -> None:
        self._estimates = parts.estimates
        self._knowledge = parts.knowledge

    async def show(self, visit: Visit) -> Response:
        """Show how the golden cases do; the stored estimates are started by hand."""
        label = visit.named("label")
        version = await self._knowledge.versions.version(label)
        snapshot = await self._knowledge.reader.open(label)
        golden = await self._knowledge.golden.rerun(snapshot)
        return visit.show("knowledge/changes.html", version=version, golden=golden, choices=LAST)

    async def replay(self, visit: Visit) -> Response:
        """Replay the latest estimates, and tell how far it is; then show the report."""
        asked = (await read_form(visit.request)).get("last", "")
        last = next((each for each in LAST if str(each) == asked), LAST[0])
        order = ReplayOrder(visit.named("label"), None, last)

        async def work(tell: Tell) -> Response:
            report = await self._knowledge.replays.replay(order, tell)
            odd = await self._estimates.load_summaries([case.id for case in report.cases])
            return visit.show(
                "knowledge/replayed.html", report=report, label=order.version, estimates=odd
            )

        return await telling(visit, work, changes=False)

    async def draw(self, visit: Visit) -> Response:
        """Show a stored estimate as it was answered, and as it would be under the version."""
        label, estimate = visit.named("label"), visit.named("estimate")
        answer = await self._estimates.load_answer(estimate)
        snapshot = await self._knowledge.reader.open(label)
        redrawn = await asyncio.to_thread(redraw, answer, snapshot, visit.words.language)
        named = await self._estimates.load_summaries([estimate])
        template = "board" if wants_part(visit.request) else "board_page"
        return visit.show(
            f"knowledge/{template}.html", redrawn=redrawn, label=label, estimate=named[estimate]
        )
