"""What is forgotten by age: answers that were kept for their idempotency key."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from kis.db.writer import Writer
from kis.idempotency.store import forget_before

INTERVAL_S = 3600
AT_ONCE = 1_000
"""Answers that one transaction deletes: estimates wait for it."""

logger = logging.getLogger("kis.ops")


def forget_expired(connection: Connection, now: datetime, days: int) -> int:
    """Delete some of the answers that are older than `days`; return how many."""
    return forget_before(connection, now - timedelta(days=days), AT_ONCE)


async def forget_regularly(
    writer: Writer, days: int, now: Callable[[], datetime], pause: Callable[[], Awaitable[None]]
) -> None:
    """After each `pause` forget what has expired, until this is cancelled."""
    while True:
        await pause()
        try:
            while await writer.execute(lambda c: forget_expired(c, now(), days)) >= AT_ONCE:
                pass
        except Exception:
            logger.exception("expired idempotency keys could not be deleted")


async def an_hour() -> None:
    """Pause for an hour."""
    await asyncio.sleep(INTERVAL_S)
