"""One batch of many boards: POST /v1/estimate/batch, each line under a key of its own."""

import http.client
import json
import socket
import threading
import time
from typing import NamedTuple

from bench.boards import NUMBER, mix
from bench.service import API_KEY, Service

READ_BYTES = 1 << 20
LIMIT_S = 300.0
REFUSED = b'"detailEn":'
"""Stands once or more in the answer to a line that was refused, and never in an estimate."""


class BatchFigures(NamedTuple):
    """Boards per second, µs of the service's own CPU for each, and lines that failed.

    The CPU is that of the process that reads, writes and answers, not of its workers.
    """

    per_second: float = 0.0
    cpu_us: float = 0.0
    failures: int = 0


def measure(service: Service, run: str, boards: int, warm_up: int) -> BatchFigures:
    """Send `warm_up` boards, so that the workers are there, then time `boards` in one request."""
    _exchange(service, _body(f"{run}-warm", warm_up))
    body = _body(run, boards)
    before = service.cpu_s()
    began = time.monotonic()
    answered, refused = _exchange(service, body)
    seconds = time.monotonic() - began
    cpu_us = (service.cpu_s() - before) * 1e6 / boards
    return BatchFigures(answered / seconds, cpu_us, refused + boards - answered)


def _body(run: str, boards: int) -> bytes:
    kinds = [json.dumps(board, ensure_ascii=False)[1:] for board in mix()]
    lines = (
        f'{{"idempotencyKey":"{run}-{n}",{kinds[n % len(kinds)]}\n'.replace(NUMBER, NUMBER % n)
        for n in range(boards)
    )
    return "".join(lines).encode()


def _exchange(service: Service, body: bytes) -> tuple[int, int]:
    """Send while reading; return how many lines were answered, and how many of them refused."""
    answered = refused = 0
    with socket.create_connection(("127.0.0.1", service.port), LIMIT_S) as connection:
        head = (
            f"POST /v1/estimate/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {API_KEY}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode())
        sender = threading.Thread(target=connection.sendall, args=(body,), daemon=True)
        sender.start()
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        while received := response.read1(READ_BYTES):
            answered += received.count(b"\n")
            refused += received.count(REFUSED)
        sender.join()
    return answered, refused
