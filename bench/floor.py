"""What the machine gives at most: durable commits without a service, HTTP without work."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.databases import Home
from bench.service import free_port

ANSWER_BYTES = 4_000
"""About what an estimate is: the size of a row here, and of an answer."""

BATCH = 64
TABLE = "CREATE TABLE floor (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, answer {blob})"
ARRAYS = "INSERT INTO floor SELECT id, now()::text, a FROM unnest(%b::text[], %b::bytea[]) r(id, a)"

Message = dict[str, Any]
Rows = list[tuple[str, bytes]]


def commits_per_second(home: Home, seconds: float) -> float:
    """Return how many single-row transactions reach the disk in a second."""
    return _rows_per_second(home, seconds, 1)


def batched_rows_per_second(home: Home, seconds: float) -> float:
    """Return how many rows reach the disk in a second in transactions of 64."""
    return _rows_per_second(home, seconds, BATCH)


def _rows_per_second(home: Home, seconds: float, batch: int) -> float:
    """Write as the service does: durably, on one connection, without what else it does."""
    with _on_server(home.url) if home.url else _in_file(home.folder) as write:
        rows = 0
        began = time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            write([(f"{rows + n:032x}", os.urandom(ANSWER_BYTES)) for n in range(batch)])
            rows += batch
    return rows / (now - began)


@contextmanager
def _in_file(folder: Path) -> Iterator[Callable[[Rows], None]]:
    """Yield what writes rows in one transaction to a SQLite file: WAL, `synchronous=FULL`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "floor.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(TABLE.format(blob="BLOB"))

        def write(rows: Rows) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO floor VALUES (?, datetime('now'), ?)", rows)
            connection.execute("COMMIT")

        yield write
    path.unlink()


@contextmanager
def _on_server(url: str) -> Iterator[Callable[[Rows], None]]:
    """Yield what writes rows in one transaction to PostgreSQL: one statement, as arrays."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(TABLE.format(blob="BYTEA")))

        def write(rows: Rows) -> None:
            connection.execute(ARRAYS, tuple(map(list, zip(*rows, strict=True))))

        yield write
        connection.execute("DROP TABLE floor")


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer anything at once with 201 and as many bytes as an estimate has (ASGI)."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % ANSWER_BYTES)]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b" " * ANSWER_BYTES})


@contextmanager
def bare_server() -> Iterator[int]:
    """Run `application` under uvicorn as the service runs; yield its port."""
    port = free_port()
    options = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "uvicorn", "bench.floor:application", *options,
            "--lifespan", "off", "--log-level", "warning", "--port", str(port),
        ]
    )  # fmt: skip
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    message = "the bare server did not start"
    raise RuntimeError(message)
