"""A TLS connection that is read and written at the same time, as OpenSSL alone does not."""

import io
import select
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Done = TypeVar("Done")


class Encrypted(io.RawIOBase):
    """What a socket is to `kis.cli.streaming`: one thread reads it, others write."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        """Shake hands on `plain`, whose time limit holds for each wait from then on.

        Raises:
            OSError: the other side is not the one that `context` trusts.

        """
        self._timeout_s = plain.gettimeout()
        self._socket = context.wrap_socket(plain)
        self._socket.setblocking(False)
        # Each call into OpenSSL by itself, and the waits between them outside.
        self._calling = threading.Lock()

    def sendall(self, data: bytes) -> None:
        """Send all of `data`."""
        left = memoryview(data)
        while left:
            left = left[self._call(partial(self._socket.send, left)) :]

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read what has come; 0 when no more will."""
        return self._call(partial(self._socket.recv_into, buffer))

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what `http.client` reads."""
        return io.BufferedReader(self)

    def shutdown(self, how: int) -> None:
        """End the connection under whoever waits for it."""
        # Not as SSLSocket does: it forgets that it is one, and what is written goes in the clear.
        socket.socket.shutdown(self._socket, how)

    def close(self) -> None:
        """Close it."""
        self._socket.close()
        super().close()

    def _call(self, call: Callable[[], Done]) -> Done:
        while True:
            reading, writing = [self._socket], [self._socket]
            try:
                with self._calling:
                    return call()
            except ssl.SSLWantReadError:
                writing = []
            except ssl.SSLWantWriteError:
                reading = []
            if not any(select.select(reading, writing, [], self._timeout_s)):
                raise TimeoutError
