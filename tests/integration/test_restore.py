"""kis-backend restore, on a home that a server has served."""

from pathlib import Path

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good, rows_of, verify_evidence
from tests.integration.program import Program
from tests.services import Server, board, running_server

COUNT = "SELECT count(*) FROM Estimate"


@SQLITE_ONLY  # of the file
def test_restore_latest(server: Server) -> None:
    program = Program(server.home)
    kept = good(estimate(server, board()), 201)["id"]
    backup = program.json("backup")["manifest"]["file"]
    lost = good(estimate(server, board()), 201)["id"]

    refused = program.run("restore", "latest", "--yes")
    assert refused.returncode == 1
    assert server.url in refused.stderr
    server.stop()

    asked = program.run("restore", stdin="n\n")
    assert asked.returncode == 1
    assert backup in asked.stdout
    assert lost in asked.stdout
    assert rows_of(server.home, COUNT) == [(2,)]

    done = program.json("restore", "latest", "--yes")
    assert done["restored"] == backup
    assert (done["losses"]["estimates"], done["losses"]["newest"][0]["id"]) == (1, lost)
    assert Path(done["kept"]).parent == server.home / "data"
    assert rows_of(server.home, COUNT) == [(1,)]
    with running_server(server.home) as again:
        assert verify_evidence(again, kept)["valid"]
        good(estimate(again, board()), 201)
    assert "복구했습니다" in program.run("restore", backup, "--yes").stdout
    assert rows_of(server.home, COUNT) == [(1,)]


def test_nothing_to_restore(tmp_path: Path) -> None:
    program = Program(tmp_path / "home")
    assert program.run("restore", "latest", "--yes").returncode == 1
    assert program.run("restore", "no-such-file", "--yes").returncode == 2
