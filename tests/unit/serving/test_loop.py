"""The event loop: TLS has bounds too."""

import asyncio
import ssl
from pathlib import Path

import pytest

from kis.serving import loop as loops
from kis.serving.loop import Loop
from tests.certificates import make_pair
from tests.unit.serving.served import Client


def test_who_does_not_shake_hands_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "HEAD_WITHIN_S", 0.05)
    pair = make_pair(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        async with server:
            _, client = await loop.create_connection(Client, *server.sockets[0].getsockname())
            return await client.all()

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(run()) == b""
