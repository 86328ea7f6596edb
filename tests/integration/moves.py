"""An installation to be moved, and the commands that move it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests import sql
from tests.integration.lifecycle import good, publish, row
from tests.integration.program import PROGRAM, TIMEOUT_S, Done, Program, until
from tests.services import Server, board, running_client, running_server

KEY = {"Idempotency-Key": "board-1"}
UNSAID = {"main": None}
UNKNOWN = {"main": {"model": "NO-SUCH", "af": 50, "poles": "4P"}}


class Installation(NamedTuple):
    """A home whose server is stopped, an answer of it, and the answer to `KEY`."""

    home: Path
    url: str
    created: bytes
    keyed: bytes

    @property
    def program(self) -> Program:
        """The program on this home."""
        return Program(self.home, DATABASE_URL=self.url)

    def copy(self, target: str, *more: str) -> Done:
        """Run `db copy` to the end."""
        return self.program.run("db", "copy", "--from", self.url, "--to", target, *more)

    def report(self, target: str, *more: str, code: int = 0) -> Any:
        """Run `db copy --json`."""
        arguments = ("db", "copy", "--from", self.url, "--to", target, *more)
        return self.program.json(*arguments, code=code)


def installed(home: Path, url: str, estimates: int = 3) -> Installation:
    """Make an installation that has something in every table."""
    with running_client(home, DATABASE_URL=url, RATE_LIMIT_PER_MINUTE="0") as client:
        publish(client, "v-moved", row("T-100"))
        keyed = client.post("/v1/estimate/create", board(label="키"), headers=KEY)
        good(keyed, 201)
        client.post("/v1/estimate/create", board(**UNKNOWN))
        client.post("/v1/estimate/create", board(**UNSAID), headers={"Idempotency-Key": "2"})
        created = b""
        for number in range(estimates):
            answer = client.post("/v1/estimate/create", board(label=f"반 {number}"))
            good(answer, 201)
            created = answer.content
        path = f"/v1/estimate/{answer.json()['id']}/note"
        good(client.request("PUT", path, json={"note": "현장\n확인", "revision": 0}))
    return Installation(home, url, created, keyed.content)


def another(template: Installation, home: Path, url: str) -> Installation:
    """Return an installation like `template` on a home of its own; `url` is of the same kind."""
    shutil.copytree(template.home, home)
    if url.startswith("postgresql"):
        server, _, name = url.rpartition("/")
        query(f"{server}/postgres", f"DROP DATABASE {name}")
        before = template.url.rpartition("/")[2]
        query(f"{server}/postgres", f"CREATE DATABASE {name} TEMPLATE {before}")
    return template._replace(home=home, url=url)


def query(url: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run one statement on the database at `url`."""
    place = Path(url)
    sql.url_of(place, url)
    return sql.run(place, statement, parameters)


def killed_when(installation: Installation, target: str, met: Callable[[], bool]) -> None:
    """Begin a copy, and kill it, as a power cut would, as soon as `met`."""
    with _begun(installation, target) as process:
        until(lambda: met() or process.poll() is not None)
        process.kill()


def end_of(
    installation: Installation, target: str, met: Callable[[], bool], blow: Callable[[], None] | int
) -> Done:
    """Begin a copy, strike or signal as soon as `met`, and return how the copy ends."""
    with _begun(installation, target) as process:
        until(lambda: met() or process.poll() is not None)
        if isinstance(blow, int):
            process.send_signal(blow)
        else:
            blow()
        output, errors = process.communicate(timeout=TIMEOUT_S)
    return Done(process.args, process.returncode, output, errors)


def _begun(installation: Installation, target: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [PROGRAM, "db", "copy", "--from", installation.url, "--to", target, "--json"],
        env=installation.program.environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def serving(installation: Installation, url: str) -> Any:
    """Run a server on `url`, on the home of the installation."""
    return running_server(installation.home, DATABASE_URL=url, RATE_LIMIT_PER_MINUTE="0")


def answer_of(server: Server, estimate_id: str) -> bytes:
    """Return the stored answer."""
    return server.request("GET", f"/v1/estimate/{estimate_id}").content
