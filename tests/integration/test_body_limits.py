"""Bodies that are too large, and bytes that are not even HTTP, over real sockets."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.integration.lifecycle import good
from tests.services import ADMIN_API_KEY, Server, board, running_server

MIB = 1_048_576
CREATE = "/v1/estimate/create"
IMPORT = "/v1/knowledge/tables/import"
VERIFY = "/v1/evidence/verify"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests here, with a small limit for imports."""
    home = tmp_path_factory.mktemp("limits") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0", MAX_IMPORT_BYTES=str(3 * MIB)) as server:
        yield server


@pytest.fixture(autouse=True)
def goes_on(shared_server: Server) -> Iterator[None]:
    """Whatever a test has sent, the next request is answered."""
    yield
    good(shared_server.request("POST", CREATE, json=board()), 201)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def head(path: str, *more: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1", "Host: kis", f"X-API-Key: {ADMIN_API_KEY}",
        "Content-Type: application/json", *more, "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def status_line(client: socket.socket) -> bytes:
    """Read the first line of the answer; what has been sent so far was enough for it."""
    received = b""
    while b"\r\n" not in received:
        more = client.recv(4096)
        assert more, received
        received += more
    return received.partition(b"\r\n")[0]


@pytest.mark.parametrize("length", [MIB + 1, 10 * MIB, 10**12, 10**18])
def test_announced_length_is_enough_to_refuse(shared_server: Server, length: int) -> None:
    with connect(shared_server) as client:
        client.sendall(head(CREATE, f"Content-Length: {length}"))
        assert status_line(client) == b"HTTP/1.1 413 Request Entity Too Large"


def test_client_that_asks_first_need_not_send(shared_server: Server) -> None:
    with connect(shared_server) as client:
        client.sendall(head(CREATE, f"Content-Length: {10 * MIB}", "Expect: 100-continue"))
        assert b" 413 " in status_line(client)


def test_client_that_asks_first_may_send(shared_server: Server) -> None:
    with connect(shared_server) as client:
        client.sendall(head(CREATE, "Content-Length: 2", "Expect: 100-continue"))
        assert b" 100 " in status_line(client)
        client.sendall(b"{}")
        assert b" 422 " in status_line(client)


@pytest.mark.parametrize(("path", "limit"), [(CREATE, MIB), (IMPORT, 3 * MIB), (VERIFY, 3 * MIB)])
def test_stream_is_refused_when_it_is_too_long(
    shared_server: Server, path: str, limit: int
) -> None:
    """Chunked, so that no length is announced; the last chunk is never sent."""
    chunk = b"%x\r\n%b\r\n" % (65_536, b" " * 65_536)
    with connect(shared_server) as client:
        client.sendall(head(path, "Transfer-Encoding: chunked"))
        for _ in range(limit // 65_536):
            client.sendall(chunk)
        client.sendall(b"1\r\n \r\n")
        assert b" 413 " in status_line(client)


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (CREATE, MIB, 400),
        (CREATE, MIB + 1, 413),
        (VERIFY, MIB + 1, 400),
        (VERIFY, 3 * MIB + 1, 413),
        ("/v1/knowledge/tables/validate", MIB + 1, 413),
        (IMPORT, MIB + 1, 400),
        (IMPORT, 3 * MIB, 400),
        (IMPORT, 3 * MIB + 1, 413),
    ],
)
def test_limit_is_exact(shared_server: Server, path: str, size: int, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = shared_server.request(
        "POST", path, key=ADMIN_API_KEY, content=b" " * size, headers=headers
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_padded_board_at_the_limit_is_estimated(shared_server: Server) -> None:
    body = json.dumps(board()).encode().ljust(MIB)
    headers = {"Content-Type": "application/json"}
    good(shared_server.request("POST", CREATE, content=body, headers=headers), 201)


def test_body_of_a_get_is_limited_too(shared_server: Server) -> None:
    with connect(shared_server) as client:
        raw = head("/v1/estimate", f"Content-Length: {10 * MIB}").replace(b"POST", b"GET", 1)
        client.sendall(raw)
        assert b" 413 " in status_line(client)


def test_without_a_key_nothing_is_read(shared_server: Server) -> None:
    with connect(shared_server) as client:
        raw = head(CREATE, f"Content-Length: {10 * MIB}").replace(ADMIN_API_KEY.encode(), b"wrong")
        client.sendall(raw)
        assert b" 401 " in status_line(client)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"\x00" * 1000,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: kis\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: kis\r\n\r\n",
        head(CREATE, "Content-Length: -1"),
        head(CREATE, "Content-Length: ten"),
        head(CREATE, "Content-Length: 1", "Content-Length: 2"),
        head(CREATE, "Content-Length: 2", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        head(CREATE, "Transfer-Encoding: chunked") + b"zz\r\n",
        head(CREATE, "Bad Header\x00: x", "Content-Length: 0"),
        head(CREATE, "Content-Length: 2") + b"{}GARBAGE\r\n\r\n",
    ],
    ids=["TLS", "nul", "no target", "version", "method", "target", "negative", "text", "two",
         "both", "chunk", "header", "more than announced"],
)  # fmt: skip
def test_what_is_not_http_is_refused(shared_server: Server, raw: bytes) -> None:
    with connect(shared_server) as client:
        client.sendall(raw)
        assert b" 400 " in status_line(client)


def test_a_thousand_headers(shared_server: Server) -> None:
    headers = {f"X-{number}": "x" * 50 for number in range(1_000)}
    good(shared_server.request("POST", CREATE, json=board(), headers=headers), 201)
