"""Work that takes its time: a script is told how far it is, anybody else waits for the page.

A script asks with `Accept: text/event-stream`, and gets one JSON text a line: `step`, `done`
and `total` now and then, at last what came of it: `html`, an address to `go` to, or a `problem`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.responses import RedirectResponse, Response, StreamingResponse

from kis.api.errors import MAX_FINDINGS, internal_fault, log_refusal, unavailable
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError
from kis.knowledge.progress import Progress, Tell, untold
from kis.web.visit import Visit

STREAM = "text/event-stream"
"""No answer of this type is compressed, which would hold lines back."""
REFUSED = 400

logger = logging.getLogger("kis.web")

Work = Callable[[Tell], Awaitable[Response]]

_going_on: set[asyncio.Task[Response]] = set()


async def telling(visit: Visit, work: Work, *, changes: bool) -> Response:
    """Return what `work` answers, or a stream that tells how far it is.

    Once who reads the stream has left, work that `changes` something goes on to its end;
    any other is cancelled.
    """
    if STREAM not in visit.request.headers.get("accept", ""):
        return await work(untold)
    return StreamingResponse(_told(visit, work, changes=changes), media_type=STREAM)


async def _told(visit: Visit, work: Work, *, changes: bool) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[Progress | None] = asyncio.Queue()

    def tell(progress: Progress) -> None:
        loop.call_soon_threadsafe(news.put_nowait, progress)

    working = asyncio.create_task(_outcome(visit, work, tell))
    _going_on.add(working)
    working.add_done_callback(_going_on.discard)
    working.add_done_callback(lambda _: news.put_nowait(None))
    try:
        while (progress := await news.get()) is not None:
            yield _line(step=progress.step, done=progress.done, total=progress.total)
        yield _last(working.result())
    finally:
        if not changes:
            working.cancel()


async def _outcome(visit: Visit, work: Work, tell: Tell) -> Response:
    """Return what came of it; the answer has begun, so a fault is said in it."""
    request_id = visit.context.request_id
    try:
        return await work(tell)
    except DomainError as error:
        log_refusal(error, request_id)
        refused = error
    except DatabaseUnavailable:
        logger.exception("the database cannot be used, request=%s", request_id)
        refused = unavailable()
    except Exception:
        logger.exception("a page failed, request=%s", request_id)
        refused = internal_fault()
    findings = refused.findings[:MAX_FINDINGS]
    return visit.show("findings.html", REFUSED, findings=findings, request_id=request_id)


def _last(response: Response) -> bytes:
    if isinstance(response, RedirectResponse):
        return _line(go=response.headers["location"])
    html = bytes(response.body).decode()
    return _line(problem=html) if response.status_code >= REFUSED else _line(html=html)


def _line(**value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
