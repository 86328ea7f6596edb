"""`serve` with a certificate: it speaks https, and every command of this machine finds it."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kis.ops.reaching import pinned
from tests.backends import POSTGRESQL_ONLY
from tests.certificates import Pair, make_pair
from tests.integration.program import Program, is_clear
from tests.integration.test_workers import wait_for_all
from tests.services import API_KEY, Server, board, dumps, running_server

COMMANDS = (
    ("health-check", "--no-alerts"), ("selftest",), ("doctor",), ("knowledge", "versions"),
    ("journal", "status"),
)  # fmt: skip


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate for another name than the one that commands connect to."""
    return make_pair(tmp_path)


@pytest.fixture
def server(tmp_path: Path, pair: Pair) -> Iterator[Server]:
    with running_server(tmp_path / "home", RATE_LIMIT_PER_MINUTE="0", **pair.environ) as running:
        yield running


def same_home(server: Server, **environ: str) -> Program:
    return Program(server.home, PORT=str(server.port), **environ)


def test_it_speaks_https_and_nothing_else(server: Server, pair: Pair) -> None:
    answer = httpx.get(f"{server.url}/health", verify=pinned(str(pair.cert)), trust_env=False)
    assert (answer.status_code, answer.request.url.scheme) == (200, "https")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{server.port}/health", trust_env=False)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_find_it(server: Server, pair: Pair, command: tuple[str, ...]) -> None:
    done = same_home(server, **pair.environ).run(*command, "--json")
    told = json.loads(done.stdout)
    if command[0] == "health-check":
        assert told["checks"][0]["state"] == "ok", told
    else:
        assert done.returncode == 0, done.stdout + done.stderr


def test_batch_goes_both_ways_at_once(server: Server, pair: Pair, tmp_path: Path) -> None:
    boards = tmp_path / "boards.ndjson"
    boards.write_text(f"{dumps(board())}\n" * 3_000, encoding="utf-8")
    done = same_home(server, **pair.environ).run(
        "estimate", "--batch", str(boards), "-o", str(tmp_path / "results.ndjson")
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "results.ndjson").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["status"] for line in lines} == {201}
    assert len(lines) == 3_000


def test_options_will_do_and_commands_need_not_know(tmp_path: Path, pair: Pair) -> None:
    """The server of the options tells how it is reached; `stop` ends it."""
    options = ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
    with running_server(tmp_path / "home", 1, *options) as server:
        program = same_home(server)
        for command in (("health-check", "--no-alerts"), ("selftest",), ("knowledge", "versions")):
            done = program.run(*command)
            assert "https://" in done.stdout or done.returncode == 0, done.stdout + done.stderr
        assert program.json("stop") == {"outcome": "ended"}
        # Of what is gone nothing is believed.
        assert "http://127.0.0.1" in program.run("health-check", "--no-alerts").stdout


def test_session_is_the_hosts_own(server: Server) -> None:
    answer = server.request("POST", "/console/sign-in", key=None, data={"key": API_KEY})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kis_session=")
    assert "Secure" in cookie


def test_keys_go_to_the_holder_of_the_certificate_alone(server: Server, tmp_path: Path) -> None:
    """As if another program had taken the port: the commands' certificate is not the server's."""
    other = make_pair(tmp_path, "other")
    address = server.home / "data" / f"kis-backend-{server.port}.address"
    address.write_text(f"{server.url} {other.cert}\n", encoding="utf-8")
    program = same_home(server)
    (api, *_) = program.json("health-check", "--no-alerts", code=2)["checks"]
    assert "CERTIFICATE_VERIFY_FAILED" in api["en"]
    assert program.run("selftest").returncode == 1


@POSTGRESQL_ONLY
def test_several_workers(tmp_path: Path, pair: Pair, database_url: str) -> None:
    home = tmp_path / "home"
    with running_server(home, 2, DATABASE_URL=database_url, **pair.environ) as server:
        wait_for_all(server)
        assert server.request("POST", "/v1/estimate/create", json=board()).status_code == 201
        program = same_home(server, DATABASE_URL=database_url)
        assert program.json("selftest")["passed"]
        assert program.json("stop") == {"outcome": "ended"}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"TLS_KEY": ""}, "go together"),
        ({"TLS_CERT": "/no/such.pem"}, "no such file"),
        ({"TLS_KEY": "/no/such.key"}, "no such file"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(
    tmp_path: Path, pair: Pair, changed: dict[str, str], told: str
) -> None:
    done = Program(tmp_path / "home", **{**pair.environ, **changed}).run("serve")
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert is_clear(done)


def test_address_that_is_announced_is_the_certificates(server: Server, pair: Pair) -> None:
    assert server.process.stdout is not None
    lines = server.process.stdout
    assert lines.readline().decode() == f"KIS https://kis.example:{server.port}\n"
    command = next(line.decode() for line in iter(lines.readline, b"") if b"curl" in line)
    assert f"--cacert '{pair.cert}' https://kis.example:{server.port}/" in command
