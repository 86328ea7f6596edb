"""PostgreSQL: one connection that writes, a few that read, in each process.

Transactions are the driver's. Readers see one state from their first statement
to their last (repeatable read); the writer sees what was committed before each
statement (read committed), so that a pointer it has locked is the current one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, func, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from kis.db.slow import log_slow_statements
from kis.db.unavailable import DatabaseUnavailable

T = TypeVar("T")

NOW_S = func.extract("epoch", func.clock_timestamp())
"""The server's clock, which all processes share: seconds since 1970."""

MINIMUM = 14
"""The oldest major version that PostgreSQL's makers still mend."""

CONNECT_TIMEOUT_S = 5
LISTEN_AGAIN_S = 1.0
CONNECTION = {
    "connect_timeout": CONNECT_TIMEOUT_S, "keepalives": 1, "keepalives_idle": 5,
    "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
}  # fmt: skip
"""A machine that is gone without a word is noticed in about ten seconds."""
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 60_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000


def open_engines(url: URL, *, readers: int, slow_query_ms: float) -> tuple[Engine, Engine]:
    """Return the engine that writes and the one that reads, on the server of `url`.

    Raises:
        DatabaseUnavailable: nobody answers there, the password is wrong, or the
            server is too old.

    """
    write_engine = open_writer(url, slow_query_ms=slow_query_ms, pings=False)
    read_engine = _engine(url, readers, "REPEATABLE READ", read_only=True)
    log_slow_statements(read_engine, slow_query_ms)
    for engine in (write_engine, read_engine):
        try:
            with engine.connect() as connection:
                require_version(connection.dialect.server_version_info or ())
        except (SQLAlchemyError, DatabaseUnavailable) as error:
            read_engine.dispose()
            write_engine.dispose()
            raise DatabaseUnavailable(_trouble(url, error)) from error
    return write_engine, read_engine


def open_writer(url: URL, *, slow_query_ms: float, pings: bool = True) -> Engine:
    """Return an engine that writes, with a connection of its own.

    `pings`: before each transaction the server is asked whether it is there. A transaction
    that is run again where it was not (`kis.db.transaction`) needs none.
    """
    engine = _engine(url, 1, "READ COMMITTED", read_only=False, pings=pings)
    log_slow_statements(engine, slow_query_ms)
    return engine


def require_version(version: tuple[int | str, ...]) -> None:
    """Check that the server's `version` is one that KIS runs on.

    Raises:
        DatabaseUnavailable: it is below 14.

    """
    if not version or int(version[0]) < MINIMUM:
        found = ".".join(map(str, version))
        message = f"PostgreSQL {found} is too old: KIS needs {MINIMUM} or newer"
        raise DatabaseUnavailable(message)


def read(engine: Engine, fn: Callable[[Connection], T]) -> T:
    """Return `fn(connection)`; once more on a new connection when the first one breaks.

    Raises:
        DatabaseUnavailable: the server does not answer, or gave up the statement.

    """
    try:
        try:
            with engine.connect() as connection:
                return fn(connection)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            with engine.connect() as connection:
                return fn(connection)
    except OperationalError as error:
        message = f"cannot read: {_reason(error)}"
        raise DatabaseUnavailable(message) from error


async def notices(engine: Engine, channel: str) -> AsyncIterator[None]:
    """Yield whenever the server of `engine` passes on a NOTIFY of `channel`, for ever.

    On a connection of its own, which is opened again when it breaks: what was told
    meanwhile is lost, so that nobody may depend on it.
    """
    psycopg = engine.dialect.loaded_dbapi
    _, address = engine.dialect.create_connect_args(engine.url)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                **{**address, **CONNECTION}, autocommit=True
            ) as connection:
                await connection.execute(f"LISTEN {channel}")
                async for _ in connection.notifies():
                    yield
        except psycopg.Error:
            await asyncio.sleep(LISTEN_AGAIN_S)


def _engine(
    url: URL, connections: int, isolation: str, *, read_only: bool, pings: bool = True
) -> Engine:
    options = {
        "lock_timeout": LOCK_TIMEOUT_MS,
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
        "default_transaction_read_only": "on" if read_only else "off",
        "timezone": "UTC",
    }
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "application_name": "kis-backend",
            # Of several servers, the one that can be written to.
            "target_session_attrs": "any" if read_only else "read-write",
            **CONNECTION,
        },
        isolation_level=isolation,
        pool_size=connections,
        max_overflow=0,
        # A server that was started again meanwhile is noticed before a statement is lost.
        pool_pre_ping=pings,
        # Messages of exceptions end up in logs; customers' names must not.
        hide_parameters=True,
    )


def _trouble(url: URL, error: Exception) -> str:
    """Say what is wrong, without the password that the address may hold."""
    shown = url.render_as_string(hide_password=True)
    return f"cannot use the PostgreSQL database {shown}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", error)).split())


def database_bytes(connection: Connection) -> int:
    """Return the size of the database on its server."""
    return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
