"""Activation: the regression before it, and that it comes between two estimates, never into one."""

import csv
import io
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from tests.integration.lifecycle import (
    FIRST,
    TABLES,
    activate,
    active_label,
    audit_of,
    estimate,
    good,
    import_table,
    main_only,
    publish,
    refused,
    roll_back,
    row,
    rows_of,
    stage,
    validate,
)
from tests.integration.queueing import send_in_line
from tests.services import ADMIN_API_KEY, Client, board

GOLDEN = "SBS-52 + SIE-32 x10"
GOLDEN_TWO = "SBS-54 + SEC-53 x2 + SIE-32 x6"


def shipped_csv(change: Callable[[dict[str, str]], dict[str, str] | None]) -> str:
    """Return the shipped breakers, each row as `change` makes it; None leaves it out."""
    text = files("kis.seed").joinpath("breakers.csv").read_text(encoding="utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.DictWriter(out, reader.fieldnames or ())
    writer.writeheader()
    writer.writerows(changed for line in reader if (changed := change(line)) is not None)
    return out.getvalue()


def taller_main(line: dict[str, str]) -> dict[str, str]:
    """SBS-52, the main of a golden case, 100 mm higher: its enclosure grows."""
    is_main = line["model"] == "SBS-52"
    return {**line, "height_mm": str(float(line["height_mm"]) + 100)} if is_main else line


def stage_taller_main(client: Client, label: str) -> None:
    good(import_table(client, label, shipped_csv(taller_main)), 201)
    assert validate(client, label)["valid"]


# --- regression --------------------------------------------------------------------------


def test_regression_counts_golden_cases_and_estimates(client: Client) -> None:
    for _ in range(2):
        good(estimate(client, board()), 201)
    report = publish(client, "v-a", row("T-100"))["regression"]
    assert report == {"total": 5, "passed": 5, "changed": 0, "failed": 0, "cases": []}


def test_changed_estimate_is_shown_with_its_size_before_and_after(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    before = good(estimate(client, main_only("T-100")), 201)
    report = publish(client, "v-b", row("T-100").replace(",155,", ",355,"))["regression"]
    assert (report["total"], report["passed"], report["changed"]) == (4, 3, 1)
    (case,) = report["cases"]
    assert (case["name"], case["outcome"], case["golden"]) == (before["id"], "changed", False)
    assert case["before"] == {axis: before["enclosure"][axis] for axis in "WHD"}
    after = good(estimate(client, main_only("T-100")), 201)
    assert case["after"] == {axis: after["enclosure"][axis] for axis in "WHD"}
    assert case["after"]["H"] > case["before"]["H"]


def test_estimate_that_fails_is_shown_and_does_not_stop_the_activation(client: Client) -> None:
    before = good(estimate(client, main_only("ABN-53")), 201)
    without = shipped_csv(lambda line: None if line["model"] == "ABN-53" else line)
    good(import_table(client, "v-a", without, mode="replace"), 201)
    assert validate(client, "v-a")["valid"]
    report = good(activate(client, "v-a"))["regression"]
    assert (report["total"], report["passed"], report["failed"]) == (4, 3, 1)
    (case,) = report["cases"]
    assert (case["name"], case["outcome"]) == (before["id"], "failed")
    assert (case["code"], case["path"]) == ("NEED_KNOWLEDGE_UPDATE", "$.main.model")
    assert case["before"] == {axis: before["enclosure"][axis] for axis in "WHD"}
    assert "after" not in case
    assert case["messageKo"]
    assert case["messageEn"]


def test_regression_can_be_left_out(client: Client) -> None:
    stage(client, "v-a", row("T-100"))
    assert good(activate(client, "v-a", runRegression=False))["regression"] is None


def test_golden_case_that_changes_refuses_the_activation_with_the_report(client: Client) -> None:
    stage_taller_main(client, "v-a")
    problem = refused(activate(client, "v-a"), 409, "REGRESSION_FAILED")
    assert GOLDEN in problem["detail"]
    assert GOLDEN in problem["detailEn"]
    report = problem["findings"][0]["data"]["regression"]
    assert (report["total"], report["passed"], report["failed"]) == (3, 2, 1)
    (case,) = report["cases"]
    assert (case["name"], case["golden"], case["outcome"]) == (GOLDEN, True, "failed")
    assert case["before"] == {"W": 400, "H": 500, "D": 150}
    assert case["after"]["H"] > 500
    assert active_label(client) == FIRST
    history = rows_of(client.settings.home, "SELECT label FROM knowledge_activation")
    assert history == [(FIRST,)]


def test_golden_case_that_cannot_be_estimated_any_more(client: Client) -> None:
    without = shipped_csv(lambda line: None if line["model"] == "SEC-53" else line)
    good(import_table(client, "v-a", without, mode="replace"), 201)
    assert validate(client, "v-a")["valid"]
    problem = refused(activate(client, "v-a"), 409, "REGRESSION_FAILED")
    (case,) = problem["findings"][0]["data"]["regression"]["cases"]
    assert (case["name"], case["code"]) == (GOLDEN_TWO, "NEED_KNOWLEDGE_UPDATE")


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_force_without_a_reason_is_refused(client: Client, reason: str | None) -> None:
    stage_taller_main(client, "v-a")
    more = {} if reason is None else {"reason": reason}
    problem = refused(activate(client, "v-a", force=True, **more), 422, "REQ_MORE_INFO")
    assert problem["path"] == "$.reason"
    assert active_label(client) == FIRST


def test_force_with_a_reason_is_recorded(client: Client) -> None:
    stage_taller_main(client, "v-a")
    forced = good(activate(client, "v-a", force=True, reason="catalogue 2026, page 12"))
    assert forced["activeVersion"] == "v-a"
    assert forced["regression"]["failed"] == 1
    home = client.settings.home
    ((is_forced, reason, report),) = rows_of(
        home, "SELECT forced, reason, regression FROM knowledge_activation WHERE label = 'v-a'"
    )
    assert (is_forced, reason) == (1, "catalogue 2026, page 12")
    assert json.loads(report) == forced["regression"]
    assert audit_of(home, "v-a")[-1][1:3] == ("knowledge.activate", "catalogue 2026, page 12")


def test_case_that_an_owner_pinned_guards_the_next_activation(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    pin = {"name": "pinned", "request": main_only("T-100")}
    good(client.admin("POST", "/v1/knowledge/golden", pin), 201)
    stage(client, "v-b", row("T-100").replace(",155,", ",355,"))
    problem = refused(activate(client, "v-b"), 409, "REGRESSION_FAILED")
    assert "pinned" in problem["detailEn"]
    good(client.admin("DELETE", "/v1/knowledge/golden/pinned"))
    good(activate(client, "v-b"))


# --- two at once -------------------------------------------------------------------------


def activating(client: Client, label: str) -> Any:
    body = {"versionLabel": label, "runRegression": True}
    return client.asend("POST", f"{TABLES}/activate", key=ADMIN_API_KEY, json=body)


def test_two_activations_at_once_are_never_both_active(client: Client) -> None:
    labels = [f"v-{letter}" for letter in "abcd"]
    for label in labels:
        stage(client, label, row(f"T-{label}"))
    responses = client.gather(*(activating(client, label) for label in labels))
    assert sorted(r.status_code for r in responses) == [200, 409, 409, 409]
    codes = {r.json()["code"] for r in responses if r.status_code == 409}
    assert codes <= {"VERSION_BASE_MOVED", "ACTIVATION_CONFLICT"}
    won = labels[[r.status_code for r in responses].index(200)]
    home = client.settings.home
    pointed = "SELECT label FROM knowledge_version v JOIN knowledge_pointer p ON v.id=p.version_id"
    assert rows_of(home, pointed) == [(won,)]
    assert active_label(client) == won
    assert rows_of(home, "SELECT count(*) FROM knowledge_activation") == [(2,)]
    for label in labels:
        status = estimate(client, main_only(f"T-{label}")).status_code
        assert status == (201 if label == won else 422)


def test_same_version_twice_at_once_is_activated_once(client: Client) -> None:
    stage(client, "v-a", row("T-100"))
    responses = client.gather(*(activating(client, "v-a") for _ in range(4)))
    assert [r.status_code for r in responses] == [200] * 4
    assert sorted(r.json()["alreadyActive"] for r in responses) == [False, True, True, True]
    home = client.settings.home
    assert rows_of(home, "SELECT count(*) FROM knowledge_activation") == [(2,)]


@pytest.mark.parametrize("attempt", range(5))
def test_version_deleted_while_it_is_used(client: Client, attempt: int) -> None:
    """One comes first; whoever comes second is told, and what is active is there."""
    stage(client, "v-a", row("T-100"))
    path = "/v1/knowledge/versions/v-a"
    uses = [
        activating(client, "v-a"),
        client.asend("GET", f"{path}/diff", key=ADMIN_API_KEY),
        client.asend("POST", f"{TABLES}/validate", key=ADMIN_API_KEY, json={"versionLabel": "v-a"}),
    ]
    uses.insert(attempt % 4, client.asend("DELETE", path, key=ADMIN_API_KEY))
    statuses = [response.status_code for response in client.gather(*uses)]
    deleted = statuses.pop(attempt % 4)
    activated, *others = statuses
    assert set(others) <= {200, 404, 409}
    assert (activated, deleted) in {(200, 409), (404, 200)}
    assert active_label(client) == ("v-a" if activated == 200 else FIRST)


# --- estimates behind an activation ------------------------------------------------------


def test_estimate_that_waits_behind_an_activation_is_made_again(client: Client) -> None:
    """Computed on the old version, its write comes after the pointer moved."""
    publish(client, "v-a", row("T-100"))
    stage(client, "v-b", row("T-100", width=95))
    asking = client.asend(
        "POST", "/v1/estimate/create", json=main_only("T-100"), headers={"Idempotency-Key": "k"}
    )
    switched, created = send_in_line(client, activating(client, "v-b"), asking)
    good(switched)
    answer = good(created, 201)
    assert answer["knowledgeVersion"] == "v-b"
    assert answer["layout"]["placements"][0]["w"] == 95
    home = client.settings.home
    assert rows_of(home, "SELECT id, knowledge_version FROM Estimate") == [(answer["id"], "v-b")]


def test_rollback_is_a_swap_like_any_other(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    publish(client, "v-b", row("T-100", width=95))
    good(roll_back(client, "v-a"))
    answer = good(estimate(client, main_only("T-100")), 201)
    assert (answer["knowledgeVersion"], answer["layout"]["placements"][0]["w"]) == ("v-a", 90)
