"""How commands reach the service: the running server, or the same application in-process."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from kis.cli.client import fail, prepare, show_secrets
from kis.ops.reaching import Endpoint, client_of
from kis.serving.lock import Locked, only_process

if TYPE_CHECKING:
    import httpx

    from kis.settings import Settings

TIMEOUT_S = 300.0


class Reply(NamedTuple):
    """An answer of the service."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


class Connection:
    """Sends requests with one of the keys of this installation."""

    def __init__(self, request: Callable[..., "httpx.Response"], secret: str) -> None:
        """`request` sends one, as `httpx.Client.request`."""
        self._request = request
        self._secret = secret

    def send(
        self, method: str, path: str, *, body: object = None, raw: bytes | None = None,
        query: dict[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        """Send one request; `body` as JSON, `raw` as a table."""
        headers = {"X-API-Key": self._secret}
        content = raw
        if raw is not None:
            headers["Content-Type"] = "text/csv"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self._request(method, path, headers=headers, content=content, params=query)
        return Reply(response.status_code, response.content)


@contextmanager
def connected(*, is_admin: bool = False) -> Iterator[Connection]:
    """Connect to the running server, or run the application here when there is none."""
    import sys  # noqa: PLC0415 - only when a command runs

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    settings = prepared.settings
    secret = settings.admin_api_key if is_admin else settings.api_key
    try:
        with only_process(settings), _in_process(settings) as request:
            yield Connection(request, secret)
    except Locked as locked:
        if not locked.address:
            fail(
                "다른 명령이 데이터베이스를 쓰고 있습니다. 끝난 뒤 다시 하십시오.",
                "Another command is using the database. Retry once it has ended.",
            )
        with to_server(locked.endpoint) as request:
            yield Connection(request, secret)


@contextmanager
def _in_process(settings: "Settings") -> Iterator[Callable[..., "httpx.Response"]]:
    import asyncio  # noqa: PLC0415 - only when a command runs
    import logging  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    from kis.app import create_app  # noqa: PLC0415
    from kis.telemetry import configure_logging  # noqa: PLC0415

    configure_logging(settings)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    app, services = create_app(settings)
    with asyncio.Runner() as runner:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 0))
        client = httpx.AsyncClient(transport=transport, base_url="http://kis")
        services.start()
        try:
            yield lambda *request, **more: runner.run(client.request(*request, **more))
        finally:
            runner.run(client.aclose())
            runner.run(services.stop())


@contextmanager
def to_server(
    endpoint: Endpoint, timeout_s: float = TIMEOUT_S
) -> Iterator[Callable[..., "httpx.Response"]]:
    """Yield what sends a request to the server at `endpoint`; ends the command if it is gone."""
    import httpx  # noqa: PLC0415 - only when a server runs

    try:
        with trusting_client(endpoint, timeout_s) as client:
            yield client.request
    except httpx.HTTPError as error:
        fail(
            f"데이터베이스를 쓰는 서버에 연결할 수 없습니다: {endpoint.url} ({error})",
            f"A server has the database open, but does not answer at {endpoint.url}.",
        )


def trusting_client(
    endpoint: Endpoint, timeout_s: float = TIMEOUT_S, *, by_name: bool = False
) -> "httpx.Client":
    """Return what `client_of` does; end where the certificate cannot be read."""
    try:
        return client_of(endpoint, timeout_s, by_name=by_name)
    except OSError as error:
        fail(
            f"서버의 인증서를 읽을 수 없습니다: {error}",
            f"The certificate of the server cannot be read: {error}",
            2,
        )


def call(method: str, path: str, *, is_admin: bool = False, **more: Any) -> Reply:
    """Send one request as `Connection.send` does."""
    with connected(is_admin=is_admin) as connection:
        return connection.send(method, path, **more)
