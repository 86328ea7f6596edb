"""How a batch reaches the service: on a connection that sends and reads at the same time.

With a server it goes there. Without one the application is served in this process,
on a port of this machine that nobody else is told of: what streams over HTTP is
then the same code in both cases.
"""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import urlsplit

from kis.cli.client import fail, prepare, show_secrets
from kis.cli.connection import TIMEOUT_S, Reply
from kis.ops.reaching import Endpoint, pinned
from kis.serving.lock import Locked, only_process

if TYPE_CHECKING:
    from kis.cli.encrypted import Encrypted
    from kis.settings import Settings

Connection: TypeAlias = "socket.socket | Encrypted"
PATH = "/v1/estimate/batch"
FRAME_BYTES = 32 * 1024
READ_BYTES = 1 << 18
OK = 200
JOIN_S = 5.0
AWAKE_EVERY_S = 10.0
"""Standard input may take longer than the service waits for somebody who says nothing."""
AWAKE = b"1\r\n \r\n"
"""White space before a line is none of the line."""


class Refused(Exception):  # noqa: N818 - says what is the case
    """The batch as a whole was refused; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        """Keep `reply`."""
        super().__init__(str(reply.status))
        self.reply = reply


class Broken(Exception):  # noqa: N818 - says what is the case
    """The connection ended before all was answered. What was answered is stored."""


class Stream:
    """Sends lines and yields what is answered to them."""

    def __init__(
        self, endpoint: Endpoint, secret: str, awake_every_s: float = AWAKE_EVERY_S
    ) -> None:
        """Prepare to talk to the service at `endpoint` with an API key."""
        self._endpoint = endpoint
        self._secret = secret
        self._awake_every_s = awake_every_s
        self._sending = threading.Lock()
        self._has_sent = threading.Event()
        self._fault: Exception | None = None

    def exchange(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the answers to `lines`, without their ends; a thread sends meanwhile.

        Raises:
            Refused, Broken: see there.
            Exception: what `lines` raised, once all before it is answered.

        """
        try:
            connection = self._connect()
        except OSError as error:
            raise Broken(str(error)) from error
        self._has_sent.clear()
        with connection:
            connection.sendall(self._head())
            sender = threading.Thread(target=self._send, args=(connection, lines), daemon=True)
            sender.start()
            threading.Thread(target=self._stay_awake, args=(connection,), daemon=True).start()
            try:
                yield from _answers(connection)
            except (OSError, HTTPException) as error:
                raise Broken(str(error)) from error
            finally:
                self._has_sent.set()
                # Whoever waits for room to send is not to wait for ever.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                # What it reads from may never come to an end.
                sender.join(JOIN_S)
        if self._fault is not None:
            raise self._fault

    def _connect(self) -> Connection:
        address = urlsplit(self._endpoint.url)
        plain = socket.create_connection((address.hostname, address.port), TIMEOUT_S)
        if not self._endpoint.certificate:
            return plain
        from kis.cli.encrypted import Encrypted  # noqa: PLC0415 - only under TLS

        try:
            return Encrypted(plain, pinned(self._endpoint.certificate))
        except OSError:
            plain.close()
            raise

    def _head(self) -> bytes:
        host = urlsplit(self._endpoint.url).netloc
        return (
            f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {self._secret}\r\n"
            "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n"
        ).encode()

    def _send(self, connection: Connection, lines: Iterable[bytes]) -> None:
        frame: list[bytes] = []
        size = 0
        try:
            for line in lines:
                frame += (line, b"\n")
                size += len(line) + 1
                if size >= FRAME_BYTES:
                    with self._sending:
                        connection.sendall(_framed(frame, size))
                    frame, size = [], 0
        except OSError:
            return
        except Exception as fault:  # noqa: BLE001 - raised to the reader, when all else is answered
            self._fault = fault
        with suppress(OSError), self._sending:
            self._has_sent.set()
            if frame:
                connection.sendall(_framed(frame, size))
            connection.sendall(b"0\r\n\r\n")

    def _stay_awake(self, connection: Connection) -> None:
        """Say now and then that there is more to come, until there is not."""
        with suppress(OSError):
            while not self._has_sent.wait(self._awake_every_s):
                with self._sending:
                    if not self._has_sent.is_set():
                        connection.sendall(AWAKE)


def _framed(lines: list[bytes], size: int) -> bytes:
    """Return a chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (size, b"".join(lines))


def _answers(connection: Connection) -> Iterator[bytes]:
    response = HTTPResponse(cast("socket.socket", connection), method="POST")
    response.begin()
    if response.status != OK:
        raise Refused(Reply(response.status, response.read()))
    begun = b""
    while received := response.read1(READ_BYTES):
        *lines, begun = (begun + received).split(b"\n")
        yield from lines


@contextmanager
def streaming() -> Iterator[Stream]:
    """Connect to the running server, or serve the application here when there is none."""
    import sys  # noqa: PLC0415 - only when a command runs

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    settings = prepared.settings
    try:
        with only_process(settings), _serving(settings) as port:
            yield Stream(Endpoint(f"http://127.0.0.1:{port}"), settings.api_key)
    except Locked as locked:
        if not locked.address:
            fail(
                "다른 명령이 데이터베이스를 쓰고 있습니다. 끝난 뒤 다시 하십시오.",
                "Another command is using the database. Retry once it has ended.",
            )
        yield Stream(locked.endpoint, settings.api_key)


@contextmanager
def _serving(settings: "Settings") -> Iterator[int]:
    """Serve the application in a thread; yield the port."""
    import uvicorn  # noqa: PLC0415 - only when there is no server

    from kis.app import create_app  # noqa: PLC0415
    from kis.telemetry import configure_logging  # noqa: PLC0415

    configure_logging(settings)
    config = uvicorn.Config(
        create_app(settings).asgi, log_config=None, access_log=False, loop="uvloop",
        http="httptools", server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="kis-server")
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
