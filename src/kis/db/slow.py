"""Tells of statements that take too long."""

import logging
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, event

from kis.telemetry import two_digits

logger = logging.getLogger("kis.db")


def log_slow_statements(engine: Engine, slow_query_ms: float) -> None:
    """Log statements of `engine` that take too long, never their parameters."""

    @event.listens_for(engine, "before_cursor_execute")
    def _started(connection: Connection, *_: Any) -> None:
        connection.info["statement_started"] = perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _finished(connection: Connection, _cursor: object, statement: str, *_: Any) -> None:
        took_ms = (perf_counter() - connection.info["statement_started"]) * 1000
        if took_ms > slow_query_ms:
            shown = " ".join(statement.split())[:200]
            logger.warning("slow query %sms %s", two_digits(took_ms), shown)
