"""What a version would change: golden cases and stored estimates once more, and drawn."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.responses import Response, StreamingResponse

from kis.access.keys import Scope
from kis.errors import DomainError
from kis.estimate.redrawing import redraw
from kis.ops.replay import Progress, ReplayOrder
from kis.ops.replay_service import MAX_ESTIMATES
from kis.web.forms import read_form
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

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
        return StreamingResponse(self._told(visit, order), media_type="text/event-stream")

    async def _told(self, visit: Visit, order: ReplayOrder) -> AsyncIterator[bytes]:
        """Yield one JSON text a line: `done` of `total` now and then, at last `html`."""
        loop = asyncio.get_running_loop()
        news: asyncio.Queue[Progress | None] = asyncio.Queue()

        def tell(progress: Progress) -> None:
            loop.call_soon_threadsafe(news.put_nowait, progress)

        task = asyncio.create_task(self._knowledge.replays.replay(order, tell))
        task.add_done_callback(lambda _: news.put_nowait(None))
        while (progress := await news.get()) is not None:
            yield _line(done=progress.done, total=progress.total)
        try:
            page = visit.show("knowledge/replayed.html", report=task.result(), label=order.version)
        except DomainError as error:
            page = visit.show(
                "findings.html", findings=error.findings, request_id=visit.context.request_id
            )
        yield _line(html=bytes(page.body).decode())

    async def draw(self, visit: Visit) -> Response:
        """Show a stored estimate as it was answered, and as it would be under the version."""
        label, estimate = visit.named("label"), visit.named("estimate")
        answer = await self._estimates.load_answer(estimate)
        snapshot = await self._knowledge.reader.open(label)
        redrawn = await asyncio.to_thread(redraw, answer, snapshot, visit.words.language)
        return visit.show("knowledge/board.html", redrawn=redrawn, label=label, estimate=estimate)


def _line(**value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
