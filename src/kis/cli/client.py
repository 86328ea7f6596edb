"""How commands reach the service: the running server, or the same application in-process.

A SQLite file has one writer. Whoever holds the lock on it may open it; so a
command opens the database itself only when no server does.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from kis.settings import Settings

TIMEOUT_S = 300.0


class Locked(Exception):  # noqa: N818 - says what is the case
    """Another process has the database open."""


@contextmanager
def only_process(settings: "Settings") -> Iterator[None]:
    """Hold the lock on the database of `settings`.

    Raises:
        Locked: another process holds it.

    """
    path = settings.home / "data" / "kis.lock"
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked from None
        yield


class Prepared(NamedTuple):
    """Settings of a home that is ready, and the secrets that had to be made for it."""

    settings: "Settings"
    generated: dict[str, str]


def prepare() -> Prepared:
    """Make folders and missing secrets, and read the settings.

    Raises:
        SettingsError: the home or a setting is wrong.

    """
    from kis.home import ensure_secrets, prepare_home  # noqa: PLC0415 - only when a command runs
    from kis.settings import home_of, load_settings  # noqa: PLC0415

    home = home_of(os.environ)
    prepare_home(home)
    generated = ensure_secrets(home, os.environ)
    return Prepared(load_settings(os.environ), generated)


def show_secrets(prepared: Prepared, stream: IO[str]) -> None:
    """Show newly made secrets on `stream`, this once."""
    from kis.settings import env_file_of  # noqa: PLC0415 - only when a command runs

    if prepared.generated:
        stream.write(
            f"새 비밀값을 {env_file_of(prepared.settings.home)} 에 저장했습니다."
            " 지금 한 번만 보여 줍니다.\n"
            "New secrets were stored there; they are shown only this once.\n"
        )
        stream.writelines(f"  {name}={secret}\n" for name, secret in prepared.generated.items())


class Reply:
    """An answer of the service."""

    def __init__(self, status: int, body: bytes) -> None:
        """Keep status and body."""
        self.status = status
        self.body = body

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


def call(
    method: str, path: str, *, body: object = None, raw: bytes | None = None,
    query: dict[str, str] | None = None, is_admin: bool = False,
) -> Reply:  # fmt: skip
    """Send one request to the running server, or in-process when there is none.

    `body` is sent as JSON, `raw` as a table.
    """
    from kis.telemetry import configure_logging  # noqa: PLC0415 - only when a command runs

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    settings = prepared.settings
    secret = settings.admin_api_key if is_admin else settings.api_key
    headers = {"X-API-Key": secret}
    content = raw
    if raw is not None:
        headers["Content-Type"] = "text/csv"
    elif body is not None:
        headers["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = (method, path, headers, content, query)
    try:
        with only_process(settings):
            configure_logging(settings)
            return _call_in_process(settings, *request)
    except Locked:
        return _call_server(settings, *request)


def _call_in_process(
    settings: "Settings", method: str, path: str, headers: dict[str, str],
    content: bytes | None, query: dict[str, str] | None,
) -> Reply:  # fmt: skip
    import asyncio  # noqa: PLC0415 - only when a command runs

    import httpx  # noqa: PLC0415

    from kis.app import create_app  # noqa: PLC0415

    async def send() -> Reply:
        app, services = create_app(settings)
        services.start()
        try:
            transport = httpx.ASGITransport(app, client=("127.0.0.1", 0))
            async with httpx.AsyncClient(transport=transport, base_url="http://kis") as client:
                response = await client.request(
                    method, path, headers=headers, content=content, params=query
                )
                return Reply(response.status_code, response.content)
        finally:
            await services.stop()

    return asyncio.run(send())


def _call_server(
    settings: "Settings", method: str, path: str, headers: dict[str, str],
    content: bytes | None, query: dict[str, str] | None,
) -> Reply:  # fmt: skip
    import httpx  # noqa: PLC0415 - only when a command runs

    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    url = f"http://{host}:{settings.port}{path}"
    try:
        response = httpx.request(
            method, url, headers=headers, content=content, params=query, timeout=TIMEOUT_S,
            trust_env=False,
        )  # fmt: skip
    except httpx.HTTPError as error:
        fail(
            f"데이터베이스를 쓰는 서버에 연결할 수 없습니다: {url} ({error})",
            f"A server has the database open, but does not answer at {url}.",
        )
    return Reply(response.status_code, response.content)


def fail(korean: str, english: str, code: int = 1) -> NoReturn:
    """End with a message in both languages."""
    typer.echo(korean, err=True)
    typer.echo(english, err=True)
    raise typer.Exit(code)


def show_refusal(reply: Reply, *, as_json: bool) -> NoReturn:
    """Show a problem and end with exit code 1."""
    if as_json:
        typer.echo(reply.body.decode())
        raise typer.Exit(1)
    problem = reply.json()
    for finding in problem.get("findings", [problem]):
        typer.echo(f"{finding['code']} {finding['path']}".rstrip(), err=True)
        typer.echo(f"  {finding['detail']} / {finding['detailEn']}", err=True)
        if finding["hint"]:
            typer.echo(f"  → {finding['hint']} / {finding['hintEn']}", err=True)
    raise typer.Exit(1)


def show_json(reply: Reply) -> None:
    """Show the answer as it came."""
    typer.echo(reply.body.decode())


def read_input(path: str) -> bytes:
    """Return the content of a file, or of standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        fail(f"읽을 수 없습니다: {error}", f"Cannot be read: {path}", 2)
