"""Two servers on one PostgreSQL: a version that one activates is the other's at once."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.backends import POSTGRESQL_ONLY
from tests.integration.lifecycle import (
    activate,
    estimate,
    good,
    main_only,
    publish,
    roll_back,
    row,
    rows_of,
    stage,
    verify_evidence,
)
from tests.integration.program import Program
from tests.integration.traffic import Traffic
from tests.services import Server, board, running_server

SWAPS = 30
WIDTHS = {"v-a": 90, "v-b": 95}
KEY = {"Idempotency-Key": "one"}

pytestmark = POSTGRESQL_ONLY


@pytest.fixture
def second(tmp_path: Path, database_url: str, server: Server) -> Iterator[Server]:
    """Another server on the database of `server`, on a home of its own."""
    assert server.process.poll() is None
    with running_server(
        tmp_path / "second", RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as other:
        yield other


def test_swaps_on_one_while_the_other_estimates(server: Server, second: Server) -> None:
    publish(server, "v-a", row("T-100", width=90))
    stage(server, "v-b", row("T-100", width=95))
    traffic = Traffic(second, 3, main_only("T-100"))
    with traffic.running():
        for swap in range(SWAPS):
            label = "v-a" if swap % 2 else "v-b"
            if label == "v-b":
                good(activate(server, label, runRegression=False))
            else:
                good(roll_back(server, label))
            answer = good(estimate(second, main_only("T-100")), 201)
            assert answer["knowledgeVersion"] == label
    assert traffic.failed() == []
    bodies = [answer.body for answer in traffic.answers]
    assert {body["knowledgeVersion"] for body in bodies} == set(WIDTHS)
    for body in bodies:
        assert body["layout"]["placements"][0]["w"] == WIDTHS[body["knowledgeVersion"]]
    for body in bodies[:: max(1, len(bodies) // 10)]:
        assert verify_evidence(server, body["id"])["valid"]


def test_one_key_on_both_is_one_estimate(server: Server, second: Server) -> None:
    first = estimate_with_key(server)
    again = estimate_with_key(second)
    assert good(first, 201) == good(again, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert rows_of(server.home, "SELECT count(*) FROM Estimate") == [(1,)]


def estimate_with_key(to: Server) -> httpx.Response:
    return to.request("POST", "/v1/estimate/create", json=board(), headers=KEY)


def test_command_beside_a_running_server(server: Server, tmp_path: Path) -> None:
    """No lock: the command writes to the database itself, and the server follows."""
    table = tmp_path / "table.csv"
    header = "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta"
    table.write_text(f"{header}\n{row('T-100')}\n", encoding="utf-8")
    program = Program(server.home)
    program.json("knowledge", "import", str(table), "v-a")
    program.json("knowledge", "validate", "v-a")
    assert program.json("knowledge", "activate", "v-a")["hotSwapSuccess"] is True
    assert good(estimate(server, main_only("T-100")), 201)["knowledgeVersion"] == "v-a"
