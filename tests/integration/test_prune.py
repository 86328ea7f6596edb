"""kis-backend knowledge prune, on the running service."""

import json
from pathlib import Path

from tests.integration.lifecycle import (
    FIRST,
    ask,
    estimate,
    good,
    main_only,
    publish,
    refused,
    roll_back,
    row,
    rows_of,
    stage,
    verify_evidence,
)
from tests.integration.program import Program, is_clear
from tests.services import Client, Server

PRUNE = "/v1/knowledge/prune"
VERSIONS = "/v1/knowledge/versions"


def age(home: Path) -> None:
    """Let everything have happened a year ago."""
    for table, column in (
        ("knowledge_version", "created_at"), ("knowledge_version", "validated_at"),
        ("knowledge_activation", "at"),
    ):  # fmt: skip
        old = f"UPDATE {table} SET {column} = '2025' || substr({column}, 5)"
        rows_of(home, f"{old} WHERE {column} IS NOT NULL")


def fill(to: Client | Server) -> str:
    """Have two retired versions, one active and one staged; return an estimate of a retired one."""
    publish(to, "v-a", row("TEST-1"))
    answer = good(estimate(to, main_only("TEST-1")), 201)
    publish(to, "v-b", row("TEST-2"))
    stage(to, "v-staged", row("TEST-3"))
    age(to.settings.home if isinstance(to, Client) else to.home)
    return str(answer["id"])


def test_evidence_of_a_pruned_version_still_verifies(client: Client) -> None:
    estimate_id = fill(client)
    publish(client, "v-c", row("TEST-4"))
    age(client.settings.home)
    pruned = good(client.admin("POST", PRUNE, {"olderThanDays": 30}))
    going = [version["label"] for version in pruned["versions"] if version["goes"]]
    assert set(going) == {FIRST, "v-a", "v-staged"}
    assert [version["label"] for version in ask(client, VERSIONS)] == ["v-c", "v-b"]
    assert verify_evidence(client, estimate_id)["valid"]
    good(roll_back(client, "v-b"))


def test_wrong_orders(client: Client) -> None:
    for body in ({"olderThanDays": 0}, {"olderThan": "30d"}, {"labels": ["/"]}):
        refused(client.admin("POST", PRUNE, body), 400, "INVALID_REQUEST")
    refused(client.post(PRUNE, {}), 403, "FORBIDDEN")


def test_command_lists_asks_and_deletes(server: Server) -> None:
    fill(server)
    shown = server.command("knowledge", "prune", "--older-than", "30d", "--dry-run")
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert [line.split()[2] for line in lines[:4]] == ["v-b", "v-a", FIRST, "v-staged"]
    assert [line.startswith("삭제") for line in lines[:4]] == [False, False, True, True]
    assert "되돌리기" in lines[1]
    assert len(ask(server, VERSIONS)) == 4
    refused_by_hand = server.command("knowledge", "prune", stdin="n\n")
    assert refused_by_hand.returncode == 1
    assert len(ask(server, VERSIONS)) == 4
    done = server.command("knowledge", "prune", stdin="y\n")
    assert done.returncode == 0, done.stderr
    assert "Deleted 2 versions" in done.stdout
    assert [version["label"] for version in ask(server, VERSIONS)] == ["v-b", "v-a"]


def test_command_for_programs_and_without_a_server(server: Server) -> None:
    fill(server)
    server.stop()
    planned = json.loads(server.command("knowledge", "prune", "--dry-run", "--json").stdout)
    assert (planned["dryRun"], planned["deleted"]) == (True, 0)
    done = json.loads(server.command("knowledge", "prune", "--yes", "--json").stdout)
    assert (done["dryRun"], done["deleted"]) == (False, 2)
    nothing = server.command("knowledge", "prune", "--yes")
    assert "Nothing to delete" in nothing.stdout


def test_age_that_is_none(tmp_path: Path) -> None:
    program = Program(tmp_path)
    for age_typed in ("30", "0d", "a month", "-1d", "99999d"):
        done = program.run("knowledge", "prune", f"--older-than={age_typed}")
        assert done.returncode == 2
        assert is_clear(done)
