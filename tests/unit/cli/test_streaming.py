"""The client of a batch, against a server that says what it is told to say."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kis.cli.batch import _results
from kis.cli.board_files import open_boards
from kis.cli.streaming import Broken, Stream
from kis.ops.reaching import Endpoint

SOON_S = 0.01
ANSWER = (
    b'{"line":1,"idempotencyKey":null,"replayed":false,"status":401,"code":"UNAUTHENTICATED"}\n'
)
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


@contextmanager
def served(talk: Callable[[socket.socket], None]) -> Iterator[Stream]:
    """Answer one connection with `talk`; the client says every now and then that it is there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=answer)
        thread.start()
        yield Stream(
            Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}"), "key", awake_every_s=SOON_S
        )
        thread.join()


def until(connection: socket.socket, end: bytes) -> None:
    received = b""
    while not received.endswith(end):
        more = connection.recv(4096)
        assert more, received
        received += more


def test_who_has_nothing_to_send_yet_says_that_it_is_there() -> None:
    is_heard = threading.Event()

    def talk(connection: socket.socket) -> None:
        # White space before a line is none of the line.
        until(connection, b"\r\n\r\n1\r\n \r\n1\r\n \r\n")
        is_heard.set()
        until(connection, b"5\r\nline\n\r\n" + END)
        connection.sendall(HEAD + b"7\r\nanswer\n\r\n" + END)

    def lines() -> Iterator[bytes]:
        assert is_heard.wait(10)
        yield b"line"

    with served(talk) as stream:
        assert list(stream.exchange(lines())) == [b"answer"]


def test_a_batch_that_ends_early_is_told(tmp_path: Path) -> None:
    """Its last answer says why; the boards after it have none."""
    file = tmp_path / "boards.ndjson"
    file.write_bytes(b"{}\n\n{}\n")

    def talk(connection: socket.socket) -> None:
        until(connection, END)
        connection.sendall(HEAD + b"%x\r\n%b\r\n" % (len(ANSWER), ANSWER) + END)

    boards = open_boards(str(file))
    with served(talk) as stream:
        results = _results(stream, boards.entries, boards)
        entry, _ = next(results)
        assert entry.number == 1
        with pytest.raises(Broken, match="3"):
            next(results)
