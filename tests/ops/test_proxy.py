"""The examples of proxies: nginx takes ours, and the server behind it knows who asks."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from kis.ops.reaching import trusting
from tests.certificates import make_pair
from tests.integration.program import until
from tests.ops.told import OPS
from tests.programs import needs
from tests.services import ADMIN_API_KEY, API_KEY, board, dumps, free_port, running_server

NGINX = (OPS / "proxy" / "nginx.conf").read_text(encoding="utf-8")
CADDY = (OPS / "proxy" / "Caddyfile").read_text(encoding="utf-8")
AROUND = """
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr; user root;
events {{ }}
http {{ access_log off; {temporary} {config} }}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
LINES = 2_000


@contextmanager
def nginx(folder: Path, config: str, port: int) -> Iterator[None]:
    """Run it as any user, with all that it writes in `folder`."""
    folder.mkdir(exist_ok=True)
    temporary = " ".join(f"{each}_temp_path {folder}/{each};" for each in TEMPORARY)
    path = folder / "nginx.conf"
    path.write_text(AROUND.format(folder=folder, temporary=temporary, config=config))
    command = [shutil.which("nginx") or "", "-e", "stderr", "-p", str(folder), "-c", str(path)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: is_up(port))
        yield
    finally:
        process.terminate()
        process.wait(20)


def is_up(port: int) -> bool:
    try:
        return bool(httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code)
    except httpx.TransportError:
        return False


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of our server behind our nginx; the files and ports are the test's."""
    pair = make_pair(tmp_path, names=("localhost",))
    https, plain = free_port(), free_port()
    with running_server(
        tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", TRUSTED_PROXIES="127.0.0.1"
    ) as server:
        changed = {
            "127.0.0.1:3000": f"127.0.0.1:{server.port}", "listen 443 ssl": f"listen {https} ssl",
            "listen 80": f"listen {plain}", "kis.example": "localhost",
            "/etc/nginx/kis.pem": str(pair.cert), "/etc/nginx/kis.key": str(pair.key),
        }  # fmt: skip
        config = NGINX
        for ours, tests in changed.items():
            assert ours in config
            config = config.replace(ours, tests)
        with (
            nginx(tmp_path / "nginx", config, plain),
            httpx.Client(
                base_url=f"https://localhost:{https}", verify=trusting(str(pair.cert)),
                trust_env=False, timeout=60,
            ) as client,
        ):  # fmt: skip
            yield client


@needs("nginx")
def test_browser_has_its_session_and_strangers_no_metrics(proxied: httpx.Client) -> None:
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}
    origin = str(proxied.base_url).rstrip("/")
    answer = proxied.post(
        "/console/sign-in", data={"key": API_KEY}, headers={**forged, "Origin": origin}
    )
    assert answer.status_code == 303, answer.text
    assert answer.headers["set-cookie"].startswith("__Host-kis_session=")
    assert proxied.get("/console/estimates").status_code == 200
    assert proxied.get("/metrics", headers=forged).status_code == 403
    assert proxied.get("/metrics", headers={"X-API-Key": ADMIN_API_KEY}).status_code == 200


@needs("nginx")
def test_batch_passes_through(proxied: httpx.Client) -> None:
    lines = f"{dumps(board())}\n".encode() * LINES
    answer = proxied.post(
        "/v1/estimate/batch", content=lines,
        headers={"X-API-Key": API_KEY, "Content-Type": "application/x-ndjson"},
    )  # fmt: skip
    assert answer.text.count('"status":201') == LINES


def test_examples_say_the_same() -> None:
    for example in (NGINX, CADDY):
        assert "TRUSTED_PROXIES=127.0.0.1" in example
        assert "127.0.0.1:3000" in example
        assert "kis.example" in example
        assert re.search(r"75초", example)
