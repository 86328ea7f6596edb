"""The secrets in `.env`: made once, shown once, and rotated as the runbook does it."""

import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kis.settings import EQUAL_KEYS
from tests.integration import runbook
from tests.integration.lifecycle import ask, estimate, good, refused, verify_evidence
from tests.integration.program import PROGRAM, Program, is_clear
from tests.services import Server, board, running_server

NAMES = ["API_KEY", "ADMIN_API_KEY", "EVIDENCE_SECRET", "KIS_MASTER_KEY"]
FROM_FILE = dict.fromkeys(NAMES, "")
VERSIONS = "/v1/knowledge/versions"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own, whose secrets are in its file."""
    home = tmp_path / "production"
    assert Program(home, **FROM_FILE).run("keys").returncode == 0
    return home


def stored(home: Path) -> dict[str, str]:
    lines = (home / "kis-backend" / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    with running_server(home, **FROM_FILE) as server:
        yield server


def rotate(home: Path, name: str) -> str:
    """Run the runbook's lines themselves; return the new value."""
    script = runbook.text_of(name).replace("/production/", f"{home}/")
    done = Program(home).shell(f"set -eu\n{script}\necho ${{NEW_API_KEY:-$NEW_SECRET}}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def output_of(server: Server) -> str:
    """Stop the server and return all that it wrote."""
    server.process.terminate()
    assert server.process.stdout is not None
    return server.process.stdout.read().decode()


# --- made once ---------------------------------------------------------------------------


def test_secrets_are_made_for_nobody_else_to_read(tmp_path: Path) -> None:
    home = tmp_path / "production"
    Program(home, **FROM_FILE).run("keys")
    path = home / "kis-backend" / ".env"
    assert path.stat().st_mode & 0o777 == 0o600
    secrets = stored(home)
    assert list(secrets) == NAMES
    assert all(re.fullmatch(r"[0-9a-f]{64}", secret) for secret in secrets.values())
    assert len(set(secrets.values())) == 4


def test_secrets_are_shown_to_whoever_starts_it_and_never_again(tmp_path: Path) -> None:
    home = tmp_path / "production"
    first = serve_at_a_terminal(home)
    secrets = stored(home)
    for name, secret in secrets.items():
        assert first.count(f"{name}={secret}") == 1
    second = serve_at_a_terminal(home)
    assert stored(home) == secrets
    log = (home / "logs" / "kis-backend.log").read_text(encoding="utf-8")
    for secret in secrets.values():
        assert secret not in second + log


def test_secrets_are_not_shown_to_what_keeps_them(tmp_path: Path) -> None:
    """The journal and the log of a container: they are told where the secrets are."""
    home = tmp_path / "production"
    with serving(home) as server:
        shown = output_of(server)
    assert "KIS http://" in shown
    assert shown.count(str(home / "kis-backend" / ".env")) >= 1
    done = Program(tmp_path / "other", **FROM_FILE).run("db", "migrate")
    for text, secrets in ((shown, stored(home)), (done.stderr, stored(tmp_path / "other"))):
        assert "New secrets were stored" in text
        assert not [name for name, secret in secrets.items() if secret in text]


def serve_at_a_terminal(home: Path) -> str:
    """Start the server at a terminal, end it once it answers, and return what was shown."""
    ours, theirs = pty.openpty()
    program = Program(home, **FROM_FILE)
    with subprocess.Popen(
        [PROGRAM, "serve"], env=program.environ, stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while b"/v1/estimate/create" not in shown:
                shown += os.read(ours, 10_000)
        finally:
            process.terminate()
            os.close(ours)
    return shown.decode()


# --- the API key -------------------------------------------------------------------------


def test_rotation_of_the_api_key_as_the_runbook_does_it(home: Path) -> None:
    before = stored(home)
    with serving(home) as server:
        good(call(server, before["API_KEY"]), 201)
        good(server.request("GET", VERSIONS, key=before["ADMIN_API_KEY"]))
    new = rotate(home, "12-rotate-api-key.sh")
    assert re.fullmatch(r"[0-9a-f]{64}", new)
    assert stored(home) == {**before, "API_KEY": new, "ADMIN_API_KEY": new}
    assert (home / "kis-backend" / ".env").stat().st_mode & 0o777 == 0o600
    log = home / "logs" / "kis-backend.log"
    assert EQUAL_KEYS.en not in log.read_text(encoding="utf-8")
    with serving(home) as server:
        good(call(server, new), 201)
        for old in (before["API_KEY"], before["ADMIN_API_KEY"]):
            refused(call(server, old), 401, "UNAUTHENTICATED")
        # What was handed to clients must not administer.
        problem = refused(server.request("GET", VERSIONS, key=new), 403, "FORBIDDEN")
        assert (problem["hint"], problem["hintEn"]) == (EQUAL_KEYS.ko, EQUAL_KEYS.en)
        shown = output_of(server)
    for told in (shown, log.read_text(encoding="utf-8")):
        assert told.count(EQUAL_KEYS.ko) == told.count(EQUAL_KEYS.en) == 1
        assert new not in told
    # What the hint says opens it again.
    env_file = home / "kis-backend" / ".env"
    text = env_file.read_text(encoding="utf-8")
    env_file.write_text(text.replace(f"ADMIN_API_KEY={new}", "ADMIN_API_KEY="), encoding="utf-8")
    with serving(home) as server:
        good(server.request("GET", VERSIONS, key=stored(home)["ADMIN_API_KEY"]))
        assert EQUAL_KEYS.en not in output_of(server)


def call(server: Server, key: str) -> Any:
    return server.request("POST", "/v1/estimate/create", key=key, json=board())


def test_doctor_says_that_the_administration_is_locked_and_how_to_open_it(home: Path) -> None:
    program = Program(home, **FROM_FILE)
    assert next(c for c in program.json("keys") if c["name"] == "ADMIN_API_KEY")["scope"] == "admin"
    new = rotate(home, "12-rotate-api-key.sh")
    done = program.run("doctor")
    assert done.returncode == 1
    assert is_clear(done)
    assert "문제 keys:" in done.stdout
    assert "ADMIN_API_KEY" in done.stdout
    assert new not in done.stdout + done.stderr
    assert "FORBIDDEN" in program.run("knowledge", "versions").stderr
    env_file = home / "kis-backend" / ".env"
    text = env_file.read_text(encoding="utf-8")
    mended = text.replace(f"ADMIN_API_KEY={new}", "ADMIN_API_KEY=another-admin-key-0123456789")
    env_file.write_text(mended, encoding="utf-8")
    checkups = program.json("doctor", code=program.run("doctor").returncode)
    assert next(c for c in checkups if c["what"] == "keys")["isGood"] is True
    assert program.run("knowledge", "versions").returncode == 0


# --- the evidence secret -----------------------------------------------------------------


def test_evidence_of_the_old_secret_verifies_for_ever(home: Path) -> None:
    """The runbook warns that it would not: an edited .env is a rotation, and no more."""
    key = stored(home)["API_KEY"]
    packages = []
    for _ in range(3):
        with serving(home) as server:
            answer = good(call(server, key), 201)
            packages.append(good(server.request("GET", f"/v1/evidence/{answer['id']}", key=key)))
            for package in packages:
                result = good(server.request("POST", "/v1/evidence/verify", key=key, json=package))
                assert result["valid"] is True
        before = stored(home)
        new = rotate(home, "13-rotate-evidence-secret.sh")
        assert stored(home) == {**before, "EVIDENCE_SECRET": new}
    assert len({package["envelope"]["keyId"] for package in packages}) == 3
    rotated = [row for row in evidence_keys(home) if row["state"] == "retired"]
    assert len(rotated) == 3
    with sqlite3.connect(home / "data" / "kis.db") as connection:
        told = connection.execute("SELECT actor FROM audit_entry WHERE action LIKE 'evidence_key%'")
        assert told.fetchall() == [("env",)] * 3


def evidence_keys(home: Path) -> Any:
    return Program(home, **FROM_FILE).json("keys", "list", "evidence")


def test_secret_that_was_there_before_does_not_come_back(server: Server) -> None:
    """An .env that still has the first secret after a rotation is no rotation."""
    first = good(estimate(server, board()), 201)
    server.stop()
    with running_server(server.home, EVIDENCE_SECRET="n" * 64) as other:
        second = good(estimate(other, board()), 201)
    with running_server(server.home) as again:
        third = good(estimate(again, board()), 201)
        sealed_by = [
            ask(again, f"/v1/evidence/{each['id']}")["envelope"]["keyId"]
            for each in (first, second, third)
        ]
        assert sealed_by[0] != sealed_by[1] == sealed_by[2]
        assert all(verify_evidence(again, each["id"])["valid"] for each in (first, second, third))


def test_another_master_key_is_refused_with_words(server: Server) -> None:
    server.stop()
    other = {**server.environ, "KIS_MASTER_KEY": "x" * 32}
    done = subprocess.run(
        [server.program, "serve"], env=other, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert is_clear(done)
    assert "KIS_MASTER_KEY" in done.stderr
    with running_server(server.home) as again:
        good(estimate(again, board()), 201)
