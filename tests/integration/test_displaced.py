"""The database file is moved away or replaced while the service runs: nothing is lost silently."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good
from tests.integration.problems import problem_of
from tests.integration.program import Program, is_clear
from tests.services import Client, Server, board

pytestmark = SQLITE_ONLY  # a file

CREATE = "/v1/estimate/create"


def database_of(home: Path) -> Path:
    return home / "data" / "kis.db"


def replace(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copyfile(path, copy)
    copy.replace(path)


def test_file_that_is_moved_and_put_back(client: Client) -> None:
    first = good(client.post(CREATE, board()), 201)
    path = database_of(client.settings.home)
    away = path.rename(path.with_name("away.db"))
    response = client.post(CREATE, board())
    problem = problem_of(response, 503, "NOT_READY")
    assert "moved or replaced" in problem["detailEn"]
    assert int(response.headers["retry-after"]) > 0
    problem_of(client.get(f"/v1/estimate/{first['id']}"), 503, "NOT_READY")
    problem_of(client.admin("GET", "/v1/knowledge/versions"), 503, "NOT_READY")
    ready = good(client.get("/readyz"), 503)
    assert any("moved or replaced" in reason for reason in ready["reasons"])
    assert good(client.get("/health"), 503)["status"] == "unhealthy"
    log = client.settings.log_file.read_text(encoding="utf-8")
    assert log.count(" ERROR ") == 1
    assert " WARNING NOT_READY " in log
    assert not path.exists()
    away.rename(path)
    second = good(client.post(CREATE, board()), 201)
    assert good(client.get("/health"))["status"] == "healthy"
    listed: Any = good(client.get("/v1/estimate"))["items"]
    assert [line["id"] for line in listed] == [second["id"], first["id"]]


@pytest.mark.parametrize("way", [Path.unlink, replace])
def test_file_that_is_gone_for_good(client: Client, way: Any) -> None:
    way(database_of(client.settings.home))
    problem_of(client.post(CREATE, board()), 503, "NOT_READY")
    assert good(client.get("/readyz"), 503)["ready"] is False


def test_doctor_says_it(server: Server) -> None:
    good(estimate(server, board()), 201)
    replace(database_of(server.home))
    done = Program(server.home).run("doctor")
    assert done.returncode == 1
    assert is_clear(done)
    assert "문제 database:" in done.stdout
    assert "moved or replaced" in done.stdout
