"""Requests whose writes meet in a known order: each queues behind the one before."""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any

from tests.services import Client

TIMEOUT_S = 20


def send_in_line(client: Client, *requests: Awaitable[Any]) -> list[Any]:
    """Hold the writer, send each request once the one before has queued its write, let go.

    All of them were computed on the state before; their writes meet in one batch.
    """
    writer = client.application.services.writer
    held, release = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        held.set()
        release.wait(TIMEOUT_S)

    async def queued(count: int) -> None:
        while writer.queue_depth < count:  # noqa: ASYNC110 - the queue has no event for it
            await asyncio.sleep(0)

    async def scenario() -> list[Any]:
        holding = asyncio.create_task(writer.execute(hold))
        await asyncio.to_thread(held.wait, TIMEOUT_S)
        tasks = []
        for count, request in enumerate(requests, start=1):
            tasks.append(asyncio.ensure_future(request))
            await asyncio.wait_for(queued(count), TIMEOUT_S)
        release.set()
        await holding
        return [await task for task in tasks]

    (answers,) = client.gather(scenario())
    return list(answers)
