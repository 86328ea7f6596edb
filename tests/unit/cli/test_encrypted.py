"""TLS that is read and written at the same time."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kis.cli.encrypted import Encrypted
from kis.ops.reaching import pinned
from tests.certificates import make_pair

SIZE = 8 << 20
PIECE = b"x" * 65_536


@contextmanager
def connected(
    folder: Path, talk: Callable[[ssl.SSLSocket], None], timeout_s: float = 10.0
) -> Iterator[Encrypted]:
    """Connect to a server that does `talk`."""
    pair = make_pair(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                talk(connection)

        thread = threading.Thread(target=answer)
        thread.start()
        plain = socket.create_connection(listener.getsockname(), timeout_s)
        with Encrypted(plain, pinned(str(pair.cert))) as connection:
            yield connection
        thread.join()


def test_both_ways_at_once(tmp_path: Path) -> None:
    """The other side sends all it has to say before it reads a byte, and more than fits."""
    heard = []

    def talk(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"y" * SIZE)
        received = 0
        while received < SIZE:
            received += len(connection.recv(len(PIECE)))
        heard.append(received)

    with connected(tmp_path, talk) as connection:
        sender = threading.Thread(target=connection.sendall, args=(PIECE * (SIZE // len(PIECE)),))
        sender.start()
        reading = connection.makefile("rb")
        assert sum(len(reading.read(len(PIECE))) for _ in range(SIZE // len(PIECE))) == SIZE
        sender.join()
    assert heard == [SIZE]


def test_end_of_the_other_side_is_the_end(tmp_path: Path) -> None:
    with connected(tmp_path, lambda connection: connection.sendall(b"all")) as connection:
        assert connection.makefile("rb").read() == b"all"


def wait_for(event: threading.Event) -> None:
    event.wait()


def test_silence_has_a_limit(tmp_path: Path) -> None:
    is_over = threading.Event()
    with connected(tmp_path, lambda _: wait_for(is_over), timeout_s=0.05) as connection:
        with pytest.raises(TimeoutError):
            connection.readinto(bytearray(1))
        is_over.set()


def test_who_waits_is_ended(tmp_path: Path) -> None:
    """And nothing is ever written in the clear."""
    is_over = threading.Event()
    with connected(tmp_path, lambda _: wait_for(is_over)) as connection:
        threading.Timer(0.05, lambda: connection.shutdown(socket.SHUT_RDWR)).start()
        assert connection.readinto(bytearray(1)) == 0
        with pytest.raises(OSError, match=r"EOF|[Pp]ipe|reset"):
            connection.sendall(b"secret")
        is_over.set()
