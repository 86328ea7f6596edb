"""The service under measurement: `kis-backend serve` on a home of its own."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.boards import economic
from bench.databases import Home
from bench.machine import children_of, cpu_of

API_KEY = "api-key-of-the-benchmark-0123456789"
ADMIN_API_KEY = "admin-key-of-the-benchmark-0123456789"
SECRETS = {
    "API_KEY": API_KEY,
    "ADMIN_API_KEY": ADMIN_API_KEY,
    "EVIDENCE_SECRET": "evidence-secret-of-the-benchmark-0123456789abcdef",
    "KIS_MASTER_KEY": "master-key-of-the-benchmark-0123456789abcdef",
}
PROGRAM = Path(sys.executable).with_name("kis-backend")
KEPT_VARIABLES = ("PATH", "LANG", "HOME", "TMPDIR")
START_LIMIT_S = 30.0
STOP_LIMIT_S = 30.0
CALL_LIMIT_S = 120.0
RETRY_S = 0.002
CREATED = 201
KIB = 1024


class Service:
    """A running server: its process, its port, and how soon it gave its first answer."""

    def __init__(self, home: Home, workers: int, key: str | None = None) -> None:
        """Start it on `home` with that many `workers`, and wait for its first estimate.

        `key` is the API_KEY in the home's .env; without one it is the benchmark's.
        """
        self.port = free_port()
        self._workers = workers
        self._key = key or API_KEY
        self._environ = {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            **SECRETS, "API_KEY": "" if key else API_KEY, "PORT": str(self.port),
            "RATE_LIMIT_PER_MINUTE": "0", **home.environ,
        }  # fmt: skip
        options = ["--workers", str(workers)] if workers > 1 else []
        began = time.monotonic()
        self._process = subprocess.Popen(
            [str(PROGRAM), "serve", *options], env=self._environ, stdout=subprocess.DEVNULL
        )
        try:
            self._wait(began + START_LIMIT_S)
        except BaseException:
            self.stop()
            raise
        self.first_answer_s = time.monotonic() - began

    def _wait(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                message = f"the server ended with exit code {self._process.returncode}"
                raise RuntimeError(message)
            try:
                board = economic("SBS-54", ("SES-54", 2), ("SIE-32", 8))
                status, _ = self.call("POST", "/v1/estimate/create", board)
            except ConnectionRefusedError:
                time.sleep(RETRY_S)
                continue
            if status == CREATED:
                return
        message = "the server gave no estimate in time"
        raise RuntimeError(message)

    def call(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Send one request on a connection of its own; return status and decoded answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_LIMIT_S)
        headers = {"X-API-Key": key or self._key, "Content-Type": "application/json"}
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Return the server's resident memory, or its highest (`VmHWM`), in MB of 2**20.

        Of several workers: of the largest.
        """
        return max(memory_mb_of(process, field) for process in self.processes)

    def cpu_s(self) -> float:
        """Return the CPU seconds that the server has used, in all its workers.

        The processes that size for a batch are not counted where there is one worker.
        """
        return cpu_of(self._process.pid, with_children=self._workers > 1)

    @property
    def processes(self) -> list[int]:
        """The processes that estimate."""
        if self._workers == 1:
            return [self._process.pid]
        return children_of(self._process.pid)

    def restart_workers(self) -> None:
        """Have the workers started anew, one after another, with the settings of now."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def memory_mb_of(process: int, field: str = "VmRSS") -> float:
    """Return the resident memory of a process, or its highest (`VmHWM`), in MB of 2**20."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / KIB if found else 0.0


def takes_workers() -> bool:
    """Whether `serve` runs several workers on one port."""
    told = subprocess.run([str(PROGRAM), "serve", "--help"], capture_output=True, check=True)
    return b"--workers" in told.stdout


@contextmanager
def running(home: Home, workers: int = 1) -> Iterator[Service]:
    """Run the service on `home`."""
    service = Service(home, workers)
    try:
        yield service
    finally:
        service.stop()


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
