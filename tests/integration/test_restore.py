"""kis-backend restore, on a home that a server has served."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.backends import BACKENDS, new_database, own_programs
from tests.integration.lifecycle import estimate, good, rows_of, verify_evidence
from tests.integration.program import Program
from tests.services import ADMIN_API_KEY, Server, board, running_server

__all__ = ["own_programs"]

COUNT = "SELECT count(*) FROM Estimate"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, database_file: Path) -> str:
    """The address of an empty database; of PostgreSQL with the programs of its version."""
    if request.param == "postgresql":
        request.getfixturevalue("own_programs")
    return new_database(request.param, database_file, request)


def test_restore_latest(server: Server) -> None:
    program = Program(server.home)
    is_file = program.environ["DATABASE_URL"].startswith("sqlite")
    kept = good(estimate(server, board()), 201)["id"]
    backup = program.json("backup")["manifest"]["file"]
    lost = good(estimate(server, board()), 201)["id"]

    refused = program.run("restore", "latest", "--yes")
    assert refused.returncode == 1
    assert (server.url if is_file else "sessions") in refused.stderr
    server.stop()

    asked = program.run("restore", stdin="n\n")
    assert asked.returncode == 1
    assert backup in asked.stdout
    assert lost in asked.stdout
    assert rows_of(server.home, COUNT) == [(2,)]

    done = program.json("restore", backup, "--yes")
    assert done["restored"] == backup
    assert (done["losses"]["estimates"], done["losses"]["newest"][0]["id"]) == (1, lost)
    assert is_file == (Path(done["kept"]).parent == server.home / "data")
    assert rows_of(server.home, COUNT) == [(1,)]
    with running_server(server.home) as again:
        assert verify_evidence(again, kept)["valid"]
        good(estimate(again, board()), 201)


def test_keys_are_as_they_were_before_it(server: Server) -> None:
    """Who was shut out stays out, who got a key keeps it, and what was sealed verifies."""
    program = Program(server.home)
    leaked = create_key(server)
    good(estimate(server, board()), 201)
    program.json("backup")
    good(change_key(server, leaked["key"]["keyId"], "revoke"))
    made = create_key(server)
    sealing = good(change_key(server, current(server), "rotate"), 201)
    good(change_key(server, sealing["replaced"]["keyId"], "revoke"))
    lost = good(estimate(server, board()), 201)["id"]
    package = good(server.request("GET", f"/v1/evidence/{lost}"))
    before = keys_of(server)
    server.stop()

    done = program.run("restore", "latest", "--yes")
    assert done.returncode == 0, done.stderr
    for key in (made["key"], sealing["key"]):
        assert key["keyId"] in line_of(done.stdout, "Keys made since stay")
    for key in (leaked["key"], sealing["replaced"]):
        assert key["keyId"] in line_of(done.stdout, "compromised since stay so")
    with running_server(server.home) as again:
        assert keys_of(again) == before
        assert again.request("GET", "/v1/estimate", key=leaked["token"]).status_code == 401
        good(again.request("GET", "/v1/estimate", key=made["token"]))
        verified = good(again.request("POST", "/v1/evidence/verify", json=package))
        # Only the estimate itself is gone.
        assert [step["name"] for step in verified["checks"] if not step["passed"]] == ["database"]


def create_key(server: Server) -> Any:
    answer = server.request("POST", "/v1/keys", key=ADMIN_API_KEY, json={"scope": "api"})
    return good(answer, 201)


def change_key(server: Server, key_id: str, how: str) -> Any:
    return server.request("POST", f"/v1/keys/{key_id}/{how}", key=ADMIN_API_KEY, json={})


def keys_of(server: Server) -> Any:
    keys = good(server.request("GET", "/v1/keys", key=ADMIN_API_KEY))
    return [{name: key[name] for name in key if name != "lastUsedAt"} for key in keys]


def current(server: Server) -> str:
    (key_id,) = [key["keyId"] for key in keys_of(server) if key["state"] == "current"]
    return str(key_id)


def line_of(text: str, words: str) -> str:
    (line,) = [line for line in text.splitlines() if words in line]
    return line


def test_keys_are_told_of_where_the_database_is_lost(server: Server) -> None:
    program = Program(server.home)
    program.json("backup")
    server.stop()
    lose_database(server, program)
    done = program.run("restore", "latest", "--yes")
    assert done.returncode == 0, done.stderr
    assert "키를 옮기지 못합니다" in done.stdout
    assert "kis-backend keys list" in line_of(done.stdout, "Check")
    assert rows_of(server.home, "SELECT count(*) FROM api_key") == [(2,)]


def lose_database(server: Server, program: Program) -> None:
    url = make_url(program.environ["DATABASE_URL"])
    if url.drivername == "sqlite":
        (server.home / "data" / "kis.db").unlink()
        return
    with psycopg.connect(url.set(database="postgres").render_as_string(False)) as connection:
        connection.autocommit = True
        connection.execute(f"DROP DATABASE {url.database}".encode())


def test_drill_beside_a_server(server: Server) -> None:
    program = Program(server.home)
    good(estimate(server, board()), 201)
    good(server.request("POST", "/v1/backups", key=ADMIN_API_KEY), 201)
    newer = good(estimate(server, board()), 201)["id"]
    before = files_of(server.home)
    done = program.json("drill", "restore")
    assert files_of(server.home) == before
    assert done["contents"]["evidence"] == {"verified": 1, "invalid": 0}
    losses = done["losses"]
    assert (losses["estimates"], losses["returning"]) == (1, 0)
    assert losses["newest"][0]["id"] == newer
    changed = {each["table"]: each["after"] - each["before"] for each in losses["tables"]}
    assert (changed["Estimate"], changed["evidence"]) == (-1, -1)
    rows_of(server.home, "DELETE FROM Estimate WHERE id <> ?", (newer,))
    assert "come back: 1" in program.run("drill", "restore").stdout
    (backup,) = (server.home / "backups").glob("kis-backup-2*[zp]")
    backup.write_bytes(b"")
    assert program.json("drill", "restore", code=1)["code"] == "BACKUP_FAILED"
    good(estimate(server, board()), 201)


def files_of(home: Path) -> set[str]:
    """Return all but the journal, which goes on."""
    return {str(path) for name in ("data", "backups") for path in (home / name).iterdir()}


def test_nothing_to_restore(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    assert program.run("restore", "latest", "--yes").returncode == 1
    assert program.run("restore", "no-such-file", "--yes").returncode == 2
