"""The end of a server under TLS: nobody holds it up, and what was sent arrives."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from kis.ops.reaching import pinned
from kis.serving.loop import Loop
from kis.serving.one_write import OneWrite
from tests.certificates import Pair, make_pair
from tests.unit.serving.served import GUARD_S, Send

SIZE = 4 << 20
REQUEST = b"GET / HTTP/1.1\r\nHost: kis\r\n\r\n"


async def large(_scope: Any, _receive: Any, send: Send) -> None:
    headers = [(b"content-length", b"%d" % SIZE)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * SIZE})


def read_until(connection: ssl.SSLSocket, size: int) -> int:
    """Return how many bytes came, of `size` or to the end."""
    received = 0
    while received < size and (piece := connection.recv(65_536)):
        received += len(piece)
    return received


def end_while(
    pair: Pair, before: Callable[[ssl.SSLSocket], int], after: Callable[[ssl.SSLSocket], int]
) -> list[int]:
    """Return what `before` and `after` do on a connection whose server ends between them."""

    async def run() -> list[int]:
        asgi: Any = large
        config = uvicorn.Config(
            asgi, http=OneWrite, lifespan="off", log_config=None,
            ssl_certfile=str(pair.cert), ssl_keyfile=str(pair.key),
        )  # fmt: skip
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            plain = await asyncio.to_thread(socket.create_connection, listener.getsockname())
            connection = await asyncio.to_thread(pinned(str(pair.cert)).wrap_socket, plain)
            with connection:
                connection.sendall(REQUEST)
                found = [await asyncio.to_thread(before, connection)]
                server.should_exit = True
                reading = asyncio.create_task(asyncio.to_thread(after, connection))
                # Far less than the half minute in which the client may say goodbye.
                await asyncio.wait_for(serving, GUARD_S)
                return [*found, await reading]

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(run())


def test_who_keeps_a_connection_and_reads_nothing(tmp_path: Path) -> None:
    (received, _) = end_while(make_pair(tmp_path), lambda c: read_until(c, SIZE), lambda _: 0)
    assert received >= SIZE


def test_who_is_slow_has_all_of_the_answer(tmp_path: Path) -> None:
    (head, rest) = end_while(
        make_pair(tmp_path), lambda c: len(c.recv(1)), lambda c: read_until(c, 2 * SIZE)
    )
    assert head == 1
    assert rest > SIZE
