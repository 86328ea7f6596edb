"""Clients that hang up: nothing is lost, nothing is doubled, no key is stuck, no fault is ours."""

import json
import socket
import struct

import httpx
import pytest

from tests.integration.lifecycle import good, rows_of
from tests.services import API_KEY, Server, board

CREATE = "/v1/estimate/create"
BODY = json.dumps(board()).encode()
MAX_TRIES = 10_000


def head(idempotency_key: str, *, length: int = len(BODY)) -> bytes:
    return (
        f"POST {CREATE} HTTP/1.1\r\nHost: kis\r\nX-API-Key: {API_KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n"
        f"Idempotency-Key: {idempotency_key}\r\n\r\n"
    ).encode()


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def send_and_hang_up(server: Server, raw: bytes, *, with_reset: bool) -> None:
    """Send and close at once, unread: with a FIN, or with a RST as a crashed client does."""
    with connect(server) as client:
        client.sendall(raw)
        if with_reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ask_again(server: Server, idempotency_key: str) -> httpx.Response:
    """Repeat the request as a client should: until the first one is no longer under way."""
    for _ in range(MAX_TRIES):
        headers = {"Idempotency-Key": idempotency_key}
        answer = server.request("POST", CREATE, json=board(), headers=headers)
        if answer.status_code != 409:
            return answer
    raise AssertionError("the key is stuck")


def estimates(server: Server) -> int:
    count: int = rows_of(server.home, "SELECT COUNT(*) FROM Estimate")[0][0]
    return count


def log_of(server: Server) -> str:
    return (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("with_reset", [False, True], ids=["fin", "rst"])
def test_hanging_up_before_the_answer(server: Server, with_reset: bool) -> None:
    keys = [f"k-{number}" for number in range(20)]
    for key in keys:
        send_and_hang_up(server, head(key) + BODY, with_reset=with_reset)
    answers = {key: ask_again(server, key) for key in keys}
    ids = {good(answer, 201)["id"] for answer in answers.values()}
    assert len(ids) == estimates(server) == len(keys)
    for key, answer in answers.items():
        again = ask_again(server, key)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.content == answer.content
    assert " ERROR " not in log_of(server)


@pytest.mark.parametrize("with_reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("sent", [0, len(BODY) // 2], ids=["no body", "half a body"])
def test_hanging_up_before_the_end_of_the_body(server: Server, sent: int, with_reset: bool) -> None:
    send_and_hang_up(server, head("k-1") + BODY[:sent], with_reset=with_reset)
    answer = ask_again(server, "k-1")
    good(answer, 201)
    assert "idempotency-replayed" not in answer.headers
    assert estimates(server) == 1
    assert server.stop() == 0
    log = log_of(server)
    assert " ERROR " not in log
    assert f'"POST {CREATE}" 499 ' in log


def test_a_page_that_was_taken_back_is_no_fault(server: Server) -> None:
    """As the estimating screen does with each letter: the browser hangs up, and asks anew."""
    raw = b"POST /console/sign-in HTTP/1.1\r\nHost: kis\r\nContent-Length: 40\r\n\r\nkey="
    send_and_hang_up(server, raw, with_reset=True)
    assert server.stop() == 0
    log = log_of(server)
    assert " ERROR " not in log
    assert '"POST /console/sign-in" 499 ' in log


def test_hanging_up_in_the_middle_of_the_answers(server: Server) -> None:
    """Two requests in one go on one connection; only the first answer is awaited."""
    with connect(server) as client:
        client.sendall(head("k-1") + BODY + head("k-2") + BODY)
        assert client.recv(12) == b"HTTP/1.1 201"
    for key in ("k-1", "k-2"):
        good(ask_again(server, key), 201)
    assert estimates(server) == 2
    assert " ERROR " not in log_of(server)
