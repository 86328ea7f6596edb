"""What goes wrong on a command line: always words and an exit code, never a traceback."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import PROGRAM, Program, is_clear
from tests.services import API_KEY, Server, board, dumps, free_port, running_server

HEAVY = ("fastapi", "sqlalchemy", "pydantic", "httpx", "uvicorn", "msgspec")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program on a home of its own; no server runs there."""
    return Program(tmp_path / "alone")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server, which no test of this module changes."""
    with running_server(tmp_path_factory.mktemp("shared")) as server:
        yield server


# --- settings ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("serve",), ("estimate", "-"), ("keys",), ("doctor",)])
def test_wrong_settings_are_all_told(program: Program, command: tuple[str, ...]) -> None:
    if command == ("doctor",):
        program.run("keys")  # makes the home, which doctor does not
    secret = "too-short-12345"  # one character less than it takes
    done = program.run(*command, stdin="{}", PORT="abc", API_KEY=secret)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert "PORT='abc'" in done.stderr
    assert "API_KEY" in done.stderr
    assert secret not in done.stderr


def test_address_of_another_database_is_refused_without_its_password(program: Program) -> None:
    url = "mysql://kis:hunter22@db.example/kis"
    done = program.run("serve", DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert "DATABASE_URL" in done.stderr
    assert "sqlite:///" in done.stderr
    assert "hunter22" not in done.stderr


def test_home_that_cannot_be(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in (("serve",), ("keys",), ("estimate", "-")):
        done = program.run(*command, KIS_HOME=str(tmp_path / "file" / "home"))
        assert done.returncode == 2
        assert is_clear(done)
        assert "KIS_HOME" in done.stderr


def test_database_in_a_folder_that_is_not_there(program: Program, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nowhere/kis.db"
    program.run("keys")
    for command in (("serve",), ("estimate", "-"), ("doctor",)):
        done = program.run(*command, stdin="{}", DATABASE_URL=url)
        assert done.returncode == 2
        assert is_clear(done)
        assert "nowhere" in done.stderr


# --- files and arguments -----------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [("estimate",), ("evidence", "verify"), ("knowledge", "import")],
    ids=lambda command: command[-1],
)
def test_file_that_is_not_there(program: Program, command: tuple[str, ...]) -> None:
    label = ("v-1",) if command[-1] == "import" else ()
    done = program.run(*command, "nowhere.json", *label)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert "nowhere.json" in done.stderr


def test_input_that_is_no_json(program: Program) -> None:
    for text in ("", '{"a": NaN}'):
        done = program.run("estimate", "-", stdin=text)
        assert (done.returncode, done.stdout) == (1, "")
        assert "MALFORMED_JSON" in done.stderr


def test_unknown_command_and_option(program: Program) -> None:
    for arguments in (("estimat",), ("estimate", "-", "--fast"), ("knowledge", "validate")):
        done = program.run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_folder_that_cannot_be_written(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = program.run("sample", str(tmp_path / "file"))
    assert done.returncode == 2
    assert is_clear(done)


# --- two at once -------------------------------------------------------------------------


def test_port_in_use(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = program.run("serve", PORT=port)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert port in done.stderr


def test_second_server_on_the_same_home(server: Server) -> None:
    done = Program(server.home).run("serve")
    assert (done.returncode, done.stdout) == (2, "")
    assert is_clear(done)
    assert server.url in done.stderr


def test_second_server_on_the_same_database(server: Server, tmp_path: Path) -> None:
    """Two homes, one file: SQLite would have two writers."""
    (tmp_path / "link.db").symlink_to(server.home / "data" / "kis.db")
    for path in (server.home / "data" / "kis.db", tmp_path / "link.db"):
        done = Program(tmp_path / "other", DATABASE_URL=f"sqlite:///{path}").run("serve")
        assert done.returncode == 2
        assert is_clear(done)


def test_commands_find_the_server_whatever_its_port(server: Server) -> None:
    """The server was started with PORT in its own environment, the command was not."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        program = Program(server.home, PORT=str(stranger.getsockname()[1]))
        answer = program.json("estimate", "-", stdin=dumps(board()))
    assert server.request("GET", f"/v1/estimate/{answer['id']}").json() == answer


def test_commands_at_once_wait_for_each_other(program: Program) -> None:
    running = [
        subprocess.Popen(
            [PROGRAM, "estimate", "-", "--json"], env=program.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    answers = [process.communicate(dumps(board()), timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 3, answers
    assert len({json.loads(stdout)["id"] for stdout, _ in answers}) == 3


# --- standard streams --------------------------------------------------------------------


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["estimate -", "keys", "sample boards"])
def test_closed_streams(program: Program, command: str, redirection: str) -> None:
    script = f'cd "$FOLDER" && "$KIS" {command} {redirection}'
    done = program.shell(script, FOLDER=str(program.home.parent))
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    expected = 1 if command == "estimate -" else 0  # an empty body is no request
    assert done.returncode == expected, done.stderr


def test_reader_that_went_away(program: Program) -> None:
    """As `kis-backend estimate - --json | head -c 1`, where head is always the faster."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [PROGRAM, "estimate", "-", "--json"], env=program.environ, input=dumps(board()),
            stdout=pipe, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from kis.cli.main import run\n"
        "try:\n    run()\n"
        f"finally:\n    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    python = str(Path(PROGRAM).with_name("python"))
    # Typer reads the types of a command's own options with pydantic.
    for arguments, allowed in ((["--help"], "[]"), (["estimate", "--help"], "['pydantic']")):
        done = subprocess.run(
            [python, "-c", script, *arguments], capture_output=True, text=True, check=True
        )
        assert "Usage:" in done.stdout
        assert done.stderr.strip() in ("[]", allowed)


# --- the log -----------------------------------------------------------------------------


def test_output_into_the_log_as_the_runbook_starts_it(program: Program) -> None:
    """`npm start > logs/kis-backend.log 2>&1 &`: no secret in it, and every figure right."""
    secrets = {"API_KEY": "", "ADMIN_API_KEY": "", "EVIDENCE_SECRET": ""}
    program.run("keys")
    log = program.home / "logs" / "kis-backend.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [PROGRAM, "serve"], env={**program.environ, **secrets},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        env_file = program.home / "kis-backend" / ".env"
        done = program.shell(
            'until curl -sf "$URL/health" >/dev/null; do :; done; for i in 1 2 3; do'
            ' curl -s -X POST "$URL/v1/estimate/create" -H "Content-Type: application/json"'
            ' -H "X-API-Key: $(sed -n s/^API_KEY=//p "$ENV_FILE")" -d "$BOARD"; done',
            URL=f"http://127.0.0.1:{program.environ['PORT']}", ENV_FILE=str(env_file),
            BOARD=dumps(board()), no_proxy="*",
        )  # fmt: skip
        assert done.stdout.count('"evidenceId"') == 3, done
    finally:
        process.terminate()
        assert process.wait(20) == 0
    text = log.read_text()
    assert len(re.findall('"POST /v1/estimate/create" 201', text)) == 3
    assert text.count("POST") == 3
    for line in env_file.read_text().splitlines():
        _, _, secret = line.partition("=")
        assert not secret or secret not in text


def test_server_without_standard_streams(tmp_path: Path) -> None:
    """As some supervisors start it."""
    program = Program(tmp_path / "alone")
    script = 'exec "$KIS" serve <&- >&- 2>&-'
    process = subprocess.Popen(["bash", "-c", script], env={**program.environ, "KIS": PROGRAM})
    try:
        url = f"http://127.0.0.1:{program.environ['PORT']}"
        done = program.shell('until curl -sf "$URL/health"; do :; done', URL=url, no_proxy="*")
        assert '"healthy"' in done.stdout
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_server_announces_itself_as_json(tmp_path: Path) -> None:
    port = free_port()
    program = Program(tmp_path / "alone", PORT=str(port), API_KEY="")
    process = subprocess.Popen(
        [PROGRAM, "serve", "--json"], env=program.environ, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.readline()
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert json.loads(first) == {
        "address": f"http://127.0.0.1:{port}",
        "docs": f"http://127.0.0.1:{port}/api-docs",
    }
    # Not a terminal: a journal that is kept for long may read it.
    assert str(program.home / "kis-backend" / ".env") in errors
    assert "API_KEY=" not in errors


def test_wrong_key_in_the_shell_is_the_servers_to_refuse(server: Server) -> None:
    program = Program(server.home, API_KEY="another-key-for-tests-012345")
    done = program.run("estimate", "-", stdin=dumps(board()))
    assert done.returncode == 1
    assert "UNAUTHENTICATED" in done.stderr
    assert API_KEY not in done.stdout + done.stderr
