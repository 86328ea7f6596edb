"""Estimates go on while versions are swapped under them, on a real server."""

import json
from pathlib import Path
from typing import Any

from kis.db.packing import unpack
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
from tests.integration.traffic import Traffic
from tests.services import Server, running_server

SWAPS, FEW_SWAPS = 200, 40
WIDTHS = {"v-a": 90, "v-b": 95}
"""The main of the board in each version: an answer that mixed two would show it."""


def width_of(answer: dict[str, Any]) -> float:
    width: float = answer["layout"]["placements"][0]["w"]
    return width


def swap_to(server: Server, label: str) -> None:
    """Make `label` active; an estimate that is sent after the answer must be of it."""
    if label == "v-b":
        good(activate(server, label, runRegression=False))
    else:
        good(roll_back(server, label))
    answer = good(estimate(server, main_only("T-100")), 201)
    assert answer["knowledgeVersion"] == label


def test_no_estimate_fails_or_is_of_the_older_version(server: Server, is_drill: bool) -> None:
    """One process on PostgreSQL does little that four, below, do not do too."""
    is_alone = server.environ["DATABASE_URL"].startswith("sqlite")
    assert_swaps_are_clean(server, 3, SWAPS if is_alone or is_drill else FEW_SWAPS)


@POSTGRESQL_ONLY
def test_nor_with_four_workers_and_eight_clients(tmp_path: Path, database_url: str) -> None:
    with running_server(
        tmp_path / "home", 4, RATE_LIMIT_PER_MINUTE="0", DATABASE_URL=database_url
    ) as server:
        assert_swaps_are_clean(server, 8, SWAPS)


def assert_swaps_are_clean(server: Server, clients: int, swaps: int) -> None:
    publish(server, "v-a", row("T-100", width=90))
    stage(server, "v-b", row("T-100", width=95))
    traffic = Traffic(server, clients, main_only("T-100"))
    with traffic.running():
        for swap in range(swaps):
            swap_to(server, "v-a" if swap % 2 else "v-b")
    assert traffic.failed() == []
    answers = [answer.body for answer in traffic.answers]
    assert {answer["knowledgeVersion"] for answer in answers} == set(WIDTHS)
    for answer in answers:
        assert width_of(answer) == WIDTHS[answer["knowledgeVersion"]]
    assert_stored_as_answered(server, answers, swaps)
    assert_stored_between_the_swaps(server, swaps)
    for answer in answers[:: max(1, len(answers) // 20)]:
        assert verify_evidence(server, answer["id"])["valid"]


def assert_stored_as_answered(server: Server, answers: list[dict[str, Any]], swaps: int) -> None:
    """The answer, the row and the evidence name one version and its one digest."""
    stored = {
        estimate_id: (version, in_evidence, digest, json.loads(unpack(answer))["knowledgeVersion"])
        for estimate_id, version, in_evidence, digest, answer in rows_of(
            server.home,
            "SELECT e.id, e.knowledge_version, v.knowledge_version, v.knowledge_digest, e.answer"
            " FROM Estimate e JOIN evidence v ON v.estimate_id = e.id",
        )
    }
    versions = rows_of(server.home, "SELECT label, digest FROM knowledge_version")
    digests: dict[str, str] = dict(versions)
    for answer in answers:
        label = answer["knowledgeVersion"]
        assert stored[answer["id"]] == (label, label, digests[label], label)
    assert len(stored) == len(answers) + swaps


def assert_stored_between_the_swaps(server: Server, expected: int) -> None:
    """Audit entries are numbered in the order of commits: each estimate is of the active one."""
    versions: dict[str, str] = dict(
        rows_of(server.home, "SELECT id, knowledge_version FROM Estimate")
    )
    active, swaps = "", 0
    entries = rows_of(server.home, "SELECT action, subject FROM audit_entry ORDER BY id")
    for action, subject in entries:
        if action in ("knowledge.activate", "knowledge.rollback"):
            active, swaps = subject, swaps + 1
        elif action == "estimate.create":
            assert versions[subject] == active
    assert swaps == expected + 2
