"""`kis-backend keys`: with a server, and on the home itself."""

import json
from pathlib import Path

import pytest

from kis.access.keys import Scope, key_id_for
from kis.access.tokens import key_id_in
from kis.evidence.envelope import key_id_for as evidence_key_id
from tests.backends import SQLITE_ONLY
from tests.integration.program import Program, is_clear
from tests.services import ADMIN_API_KEY, EVIDENCE_SECRET, MASTER_KEY, Server, board, dumps

NEW_MASTER = "another-" + MASTER_KEY


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


def estimate(program: Program, master: str) -> None:
    """Make an estimate, whose evidence is sealed."""
    program.json("estimate", "-", stdin=dumps(board()), KIS_MASTER_KEY=master)


def checked(program: Program, code: int, master: str) -> dict[str, str]:
    """Return what is said of evidence and its keys."""
    found = program.json("db", "check", "--workers", "1", code=code, KIS_MASTER_KEY=master)
    return {checkup["what"]: checkup["en"] for checkup in found}


@SQLITE_ONLY  # the same requests on any database
def test_key_is_made_rotated_and_revoked(server: Server) -> None:
    """A key is asked for by its id where there are several, and by its kind always."""

    def opens(token: str) -> bool:
        return server.request("GET", "/v1/estimate?limit=1", key=token).is_success

    made = server.command("keys", "create", "api", "--label", "한빛 ERP")
    assert made.returncode == 0
    (token,) = [line for line in made.stdout.splitlines() if line.startswith("kis_")]
    key_id = key_id_in(token)
    assert key_id is not None
    assert opens(token)
    several = server.command("keys", "rotate", "api")
    assert (several.returncode, several.stdout) == (2, "")
    assert key_id in several.stderr
    rotated = json.loads(
        server.command("keys", "rotate", "api", key_id, "--overlap", "0", "--json").stdout
    )
    new_id = rotated["key"]["keyId"]
    assert (rotated["replaced"]["state"], rotated["key"]["holder"]) == ("expired", key_id)
    assert (opens(token), opens(rotated["token"])) == (False, True)
    for action in ("revoke", "rotate"):
        wrong = server.command("keys", action, "admin", new_id)
        assert (wrong.returncode, is_clear(wrong), opens(rotated["token"])) == (1, True, True)
        assert f"{new_id} is a key of api, not of admin" in wrong.stderr
    evidence = server.command("keys", "rotate", "api", evidence_key_id(EVIDENCE_SECRET.encode()))
    assert (evidence.returncode, "evidence" in evidence.stderr) == (1, True)
    assert "revoked" in server.command("keys", "revoke", "api", new_id).stdout
    assert not opens(rotated["token"])
    last = server.command("keys", "revoke", "admin", key_id_for(Scope.ADMIN, ADMIN_API_KEY))
    assert (last.returncode, "KEY_LAST_ADMIN" in last.stderr) == (1, True)
    assert token not in server.command("keys").stdout


def test_rotated_key_of_the_env_is_to_be_put_there(program: Program) -> None:
    done = program.run("keys", "rotate", "admin")
    assert done.returncode == 0
    assert ".env의 ADMIN_API_KEY에도" in done.stdout


def test_another_master_key(program: Program) -> None:
    """Refused until the secrets were encrypted anew; then all evidence verifies."""
    estimate(program, MASTER_KEY)
    program.json("keys", "rotate", "evidence")
    refused = program.run("estimate", "-", stdin=dumps(board()), KIS_MASTER_KEY=NEW_MASTER)
    assert (refused.returncode, is_clear(refused)) == (2, True)
    assert "keys master" in refused.stderr
    done = program.json("keys", "master", stdin=f"{MASTER_KEY}\n", KIS_MASTER_KEY=NEW_MASTER)
    assert (len(done["relocked"]), done["locked"]) == (2, [])
    estimate(program, NEW_MASTER)
    assert checked(program, 0, NEW_MASTER)["evidence"] == "2 verified: 2 valid, 0 not"


def test_lost_master_key(program: Program) -> None:
    """What the .env does not give is lost, and said to be; it is kept."""
    estimate(program, MASTER_KEY)
    program.json("keys", "rotate", "evidence")
    estimate(program, MASTER_KEY)
    before = program.json("keys", "list", "evidence")
    (current,) = [key["keyId"] for key in before if key["state"] == "current"]
    command = ("keys", "master", "--forget-lost")
    for answers in ("\n", "\nn\n"):
        asked = program.run(*command, stdin=answers, KIS_MASTER_KEY=NEW_MASTER)
        assert (asked.returncode, is_clear(asked)) == (1, True)
        assert f"{current}  봉인 중 current" in asked.stderr
    for typed in (MASTER_KEY[:-1] + "+", NEW_MASTER):
        refused = program.run(*command, "--yes", stdin=f"{typed}\n", KIS_MASTER_KEY=NEW_MASTER)
        assert (refused.returncode, refused.stdout, is_clear(refused)) == (1, "", True)
    assert program.json("keys", "list", "evidence") == before
    done = program.json(*command, "--yes", stdin="\n", KIS_MASTER_KEY=NEW_MASTER)
    assert (len(done["relocked"]), done["locked"], done["lost"]) == (1, [], [current])
    estimate(program, NEW_MASTER)
    assert checked(program, 1, NEW_MASTER)["evidence"] == "3 verified: 2 valid, 1 not"
    found = program.json("keys", "master", stdin=f"{MASTER_KEY}\n", KIS_MASTER_KEY=NEW_MASTER)
    assert found == {"relocked": [current], "locked": [], "lost": []}
    assert checked(program, 0, NEW_MASTER)["evidence"] == "3 verified: 3 valid, 0 not"


def test_master_key_beside_a_server(server: Server) -> None:
    """A file is locked by its server; to PostgreSQL it is connected."""
    done = server.command("keys", "master", stdin=f"{MASTER_KEY}\n")
    assert (done.returncode, done.stdout, is_clear(done)) == (1, "", True)
    is_file = server.environ["DATABASE_URL"].startswith("sqlite")
    assert (server.url if is_file else "connected to the database") in done.stderr
