"""The real thing for tests: the application in this process, or a server of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from kis.app import Application, create_app
from kis.home import ensure_secrets, prepare_home
from kis.settings import Settings, load_settings
from kis.telemetry import close_logging, configure_logging
from tests import sql

API_KEY = "api-key-for-tests-0123456789"
ADMIN_API_KEY = "admin-key-for-tests-0123456789"
EVIDENCE_SECRET = "evidence-secret-for-tests-0123456789abcdef"
MASTER_KEY = "master-key-for-tests-0123456789abcdefghij"
SECRETS = {
    "API_KEY": API_KEY,
    "ADMIN_API_KEY": ADMIN_API_KEY,
    "EVIDENCE_SECRET": EVIDENCE_SECRET,
    "KIS_MASTER_KEY": MASTER_KEY,
}
START_TIMEOUT_S = 20.0


def settings_in(home: Path, **environ: str) -> Settings:
    """Return settings of a fresh home, with the keys of the tests."""
    url = sql.url_of(home, environ.get("DATABASE_URL"))
    values = {"KIS_HOME": str(home), **SECRETS, **environ, "DATABASE_URL": url}
    prepare_home(home)
    ensure_secrets(home, values)
    return load_settings(values)


class Client:
    """Calls the application in-process, from ordinary (not async) tests.

    One event loop of its own lives as long as the client; `gather` runs several
    requests on it at once.
    """

    def __init__(self, settings: Settings) -> None:
        """Start the application of `settings`."""
        configure_logging(settings)
        self.settings = settings
        self._runner = asyncio.Runner()
        self.application: Application = create_app(settings)
        self.application.services.start()
        transport = httpx.ASGITransport(
            self.application.asgi, client=("127.0.0.1", 1), raise_app_exceptions=False
        )
        self._http = httpx.AsyncClient(transport=transport, base_url="http://kis")

    def request(
        self, method: str, path: str, *, key: str | None = API_KEY, **more: Any
    ) -> httpx.Response:
        """Send one request; `key` None sends none."""
        return self._runner.run(self.asend(method, path, key=key, **more))

    async def asend(
        self, method: str, path: str, *, key: str | None = API_KEY, **more: Any
    ) -> httpx.Response:
        """Send one request from a coroutine of `gather`."""
        headers = {**({"X-API-Key": key} if key else {}), **more.pop("headers", {})}
        return await self._http.request(method, path, headers=headers, **more)

    def gather(self, *requests: Any) -> list[Any]:
        """Run coroutines at once on the client's loop and return their results."""

        async def run() -> list[Any]:
            return list(await asyncio.gather(*requests))

        return self._runner.run(run())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """Send a POST with a JSON body."""
        return self.request("POST", path, json=body, **more)

    def admin(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Send a request with the admin key."""
        if body is not None:
            more["json"] = body
        return self.request(method, path, key=ADMIN_API_KEY, **more)

    def forget_cookies(self) -> None:
        """Send none of the cookies that answers have set."""
        self._http.cookies.clear()

    def close(self) -> None:
        """Stop the application."""
        self._runner.run(self._http.aclose())
        self._runner.run(self.application.services.stop())
        self._runner.close()
        close_logging()


@contextmanager
def running_client(home: Path, **environ: str) -> Iterator[Client]:
    """Run the application in-process on a home of its own."""
    client = Client(settings_in(home, **environ))
    try:
        yield client
    finally:
        client.close()


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A real `kis-backend serve` in a process of its own."""

    def __init__(
        self, home: Path, environ: Mapping[str, str], workers: int = 1, options: Sequence[str] = ()
    ) -> None:
        """Start it, with so many processes, and wait until it answers."""
        self.home = home
        self.port = free_port()
        scheme = "https" if "TLS_CERT" in environ or "--tls-cert" in options else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.environ = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME", "TMPDIR")},
            "KIS_HOME": str(home), "PORT": str(self.port), **SECRETS, **environ,
            "DATABASE_URL": sql.url_of(home, environ.get("DATABASE_URL")),
        }  # fmt: skip
        self.program = str(Path(sys.executable).with_name("kis-backend"))
        self._arguments = ("serve", "--workers", str(workers), *options)
        self.start()

    def start(self) -> None:
        """Start it; again, once it was stopped, at the same address."""
        self.process = subprocess.Popen(
            [self.program, *self._arguments], env=self.environ,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                output = self.process.stdout.read().decode() if self.process.stdout else ""
                raise AssertionError(f"the server ended: {output}")
            try:
                if self.request("GET", "/health").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError("the server did not answer in time")

    def request(
        self, method: str, path: str, *, key: str | None = API_KEY, **more: Any
    ) -> httpx.Response:
        """Send one request."""
        headers = {**({"X-API-Key": key} if key else {}), **more.pop("headers", {})}
        # To load certificates would take longer than the request.
        return httpx.request(
            method, f"{self.url}{path}", headers=headers, trust_env=False, verify=False,  # noqa: S501
            timeout=30, **more,
        )  # fmt: skip

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `kis-backend` with this server's environment."""
        return subprocess.run(
            [self.program, *arguments], env=self.environ, input=stdin, capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        self.process.kill()
        self._reap()

    def _reap(self) -> int:
        code = self.process.wait(timeout=20)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def stop(self) -> int:
        """Ask it to stop (SIGTERM) and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap()


@contextmanager
def running_server(
    home: Path, workers: int = 1, /, *options: str, **environ: str
) -> Iterator[Server]:
    """Run a real server on a home of its own."""
    server = Server(home, environ, workers, options)
    try:
        yield server
    finally:
        server.kill()


def board(**changes: Any) -> dict[str, Any]:
    """Return a valid request: the second board that a maker sells (500x600x150)."""
    return {
        "brand": "SANGDO",
        "form": "ECONOMIC",
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": "MCCB"},
        "main": {"model": "SBS-54", "af": 50, "poles": "4P"},
        "branches": [
            {"model": "SEC-53", "poles": "3P", "quantity": 2},
            {"model": "SIE-32", "poles": "2P", "quantity": 6},
        ],
        "accessories": {"enabled": False, "items": []},
        **changes,
    }


def dumps(value: Any) -> str:
    """Return `value` as JSON text."""
    return json.dumps(value, ensure_ascii=False)
