"""What a process that serves does: listen, run uvicorn, keep answers quick."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kis.errors import Text
from kis.serving.notify import tell_alive

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from kis.settings import Settings

DRAIN_S = 8
"""How long what has begun may take to be answered at the end: with what follows, ten seconds."""
BACKLOG = 2048
IDLE_S = 5
"""Between an answer and the next request of a connection. With a head begun: `HEAD_WITHIN_S`."""
IDLE_BEHIND_PROXY_S = 75
"""Longer than proxies keep a connection for another request, a minute as a rule: one that is
closed just as a request comes is a request that failed."""
STALLED_MS = 30_000
"""Who takes nothing of an answer for so long will take none: the connection ends."""
SWITCH_INTERVAL_S = 0.002
GC_THRESHOLD = 50_000
M_MMAP_THRESHOLD = -3  # of mallopt(3)
MMAP_THRESHOLD_BYTES = 128 * 1024

UVICORN: dict[str, Any] = {
    "log_config": None, "access_log": False, "loop": "kis.serving.loop:Loop",
    "http": "kis.serving.one_write:OneWrite",
    "server_header": False, "proxy_headers": False, "timeout_graceful_shutdown": DRAIN_S,
    "backlog": BACKLOG, "timeout_keep_alive": IDLE_S,
}  # fmt: skip
"""What `uvicorn.Config` is told of every server."""


class CannotServe(Exception):  # noqa: N818 - it is told to a person as it is
    """No request can be answered; `text` says why."""

    def __init__(self, text: Text) -> None:
        """Keep what people are told."""
        super().__init__(text.en)
        self.text = text


def options_of(settings: "Settings") -> dict[str, Any]:
    """Return what `uvicorn.Config` is told, whether one process serves or several.

    Raises:
        CannotServe: the certificate or its key cannot be used.

    """
    return UVICORN | _behind_proxies(settings) | _with_tls(settings)


def _behind_proxies(settings: "Settings") -> dict[str, Any]:
    """Return what believes the proxies who the client is, and leaves it to them to hang up."""
    if not settings.trusted_proxies:
        return {}
    return {
        "proxy_headers": True,
        "forwarded_allow_ips": settings.trusted_proxies,
        "timeout_keep_alive": IDLE_BEHIND_PROXY_S,
    }


def _with_tls(settings: "Settings") -> dict[str, Any]:
    if not (settings.tls_cert or settings.tls_key):
        return {}
    if not (settings.tls_cert and settings.tls_key):
        raise CannotServe(
            Text(
                "TLS_CERT와 TLS_KEY는 함께 정해야 합니다.",
                "TLS_CERT and TLS_KEY go together: set both, or neither.",
            )
        )
    from kis.serving.certificate import context_of, load_pair  # noqa: PLC0415 - only under TLS

    load_pair(Path(settings.tls_cert), Path(settings.tls_key))  # told before anything starts
    return {
        "ssl_certfile": settings.tls_cert,
        "ssl_keyfile": settings.tls_key,
        "ssl_context_factory": context_of,
    }


def listen(settings: "Settings") -> "socket.socket":
    """Return the socket that requests arrive at.

    Raises:
        CannotServe: the address is not to be had.

    """
    import socket  # noqa: PLC0415 - only when the server starts

    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG
        )
    except OSError as error:
        raise CannotServe(
            Text(
                f"{settings.host}:{settings.port} 주소에서 시작할 수 없습니다: {error}\n"
                "다른 프로그램이 이 포트를 쓰고 있으면 PORT를 바꾸십시오.",
                "Another program may use this port: set PORT to a free one.",
            )
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; what is accepted there inherits it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
    return listener


def serve_here(
    settings: "Settings",
    options: dict[str, Any],
    listener: "socket.socket",
    *,
    on_ready: "Callable[[], None]",
    on_end: "Callable[[], None]",
) -> None:
    """Serve in this process until a signal comes, with `options_of` the settings.

    `on_ready` is called once requests are taken, `on_end` before what has begun is
    answered: from then on the next server waits for this one.
    """
    import uvicorn  # noqa: PLC0415 - only when the server starts

    from kis.app import create_app  # noqa: PLC0415

    class Server(uvicorn.Server):
        async def startup(self, sockets: "list[socket.socket] | None" = None) -> None:
            await super().startup(sockets)
            on_ready()

        def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
            on_end()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(create_app(settings, tell_alive).asgi, **options)
    tune()
    Server(config).run(sockets=[listener])


def tune() -> None:
    """Take as many connections as there may be; keep computations from holding up answers."""
    import gc  # noqa: PLC0415 - only when the server starts

    raise_file_limit()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    _return_freed_memory()


def raise_file_limit() -> None:
    """Have as many files open as the system allows: a connection is one, and 1024 are few."""
    import resource  # noqa: PLC0415 - only when the server starts
    from contextlib import suppress  # noqa: PLC0415

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS says "unlimited", and takes it from nobody
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _return_freed_memory() -> None:
    """Have glibc give large freed blocks back to the system, as it does at first.

    It raises its own threshold with each block that is freed, so that an import
    of 100,000 rows would leave 50 MB behind that nobody uses.
    """
    import ctypes  # noqa: PLC0415 - only when the server starts

    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
    except (AttributeError, OSError):
        return  # another C library: it has its own ways
