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

from bench.service import free_port

ANSWER_BYTES = 4_000
"""About what an estimate is: the size of a row here, and of an answer."""

BATCH = 64
INSERT = "INSERT INTO floor (id, created_at, answer) VALUES (?, datetime('now'), ?)"

Message = dict[str, Any]


def commits_per_second(folder: Path, seconds: float) -> float:
    """Return how many single-row transactions reach the disk in a second."""
    return _rows_per_second(folder, seconds, 1)


def batched_rows_per_second(folder: Path, seconds: float) -> float:
    """Return how many rows reach the disk in a second in transactions of 64."""
    return _rows_per_second(folder, seconds, BATCH)


def _rows_per_second(folder: Path, seconds: float, batch: int) -> float:
    """Write as the service does: WAL, `synchronous=FULL`, one connection."""
    path = folder / f"floor-{batch}.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE floor (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, answer BLOB)"
        )
        rows = 0
        began = time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            connection.execute("BEGIN IMMEDIATE")
            values = [(f"{rows + n:032x}", os.urandom(ANSWER_BYTES)) for n in range(batch)]
            connection.executemany(INSERT, values)
            connection.execute("COMMIT")
            rows += batch
    path.unlink()
    return rows / (now - began)


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
