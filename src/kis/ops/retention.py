"""What is forgotten by age: answers that were kept for their idempotency key."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from kis.db.writer import Writer
from kis.idempotency.store import forget_before

INTERVAL_S = 3600

logger = logging.getLogger("kis.ops")


def forget_expired(connection: Connection, now: datetime, days: int) -> int:
    """Delete the answers that are older than `days`; return how many."""
    return forget_before(connection, now - timedelta(days=days))


async def forget_regularly(
    writer: Writer, days: int, now: Callable[[], datetime], pause: Callable[[], Awaitable[None]]
) -> None:
    """After each `pause` forget what has expired, until this is cancelled."""
    while True:
        await pause()
        try:
            await writer.execute(lambda connection: forget_expired(connection, now(), days))
        except Exception:
            logger.exception("expired idempotency keys could not be deleted")


async def an_hour() -> None:
    """Pause for an hour."""
    await asyncio.sleep(INTERVAL_S)
