"""From staged to retired: who may go where, and that nobody's rows are lost on the way."""

import pytest

from tests.integration.lifecycle import (
    FIRST,
    VERSIONS,
    activate,
    active_label,
    ask,
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
    staged_files,
    table,
    validate,
    verify_evidence,
    version,
)
from tests.services import ADMIN_API_KEY, Client, board

BREAKERS = "SELECT digest FROM knowledge_document"


def labels(client: Client) -> list[str]:
    return [line["label"] for line in ask(client, VERSIONS)]


def delete(client: Client, label: str) -> object:
    return good(client.admin("DELETE", f"{VERSIONS}/{label}"))


# --- states ------------------------------------------------------------------------------


def test_states_from_staged_to_retired(client: Client) -> None:
    states = []
    good(import_table(client, "v-a", table(row("T-100"))), 201)
    states.append(version(client, "v-a")["state"])
    assert validate(client, "v-a")["state"] == "validated"
    states.append(version(client, "v-a")["state"])
    good(activate(client, "v-a"))
    states.append(version(client, "v-a")["state"])
    good(roll_back(client, FIRST))
    states.append(version(client, "v-a")["state"])
    assert states == ["staged", "validated", "active", "retired"]


def test_version_gets_its_content_when_it_is_validated(client: Client) -> None:
    good(import_table(client, "v-a", table(row("T-100"))), 201)
    staged = version(client, "v-a")
    for name in ("digest", "validatedAt", "activatedAt", "totalRows", "tableCount"):
        assert staged[name] is None
    answer = validate(client, "v-a")
    validated = version(client, "v-a")
    assert validated["digest"] == answer["digest"]
    assert (validated["totalRows"], validated["tableCount"]) == (109, 2)
    assert validated["validatedAt"] >= validated["createdAt"]


def test_unvalidated_version_is_not_activated(client: Client) -> None:
    good(import_table(client, "v-a", table(row("T-100"))), 201)
    problem = refused(activate(client, "v-a"), 409, "VERSION_NOT_VALIDATED")
    assert problem["path"] == "$.versionLabel"
    assert active_label(client) == FIRST


def test_version_that_fails_its_samples_is_not_validated(client: Client) -> None:
    """No rule knows a depth for 1200AF: a board with this row cannot be estimated."""
    good(import_table(client, "v-a", table(row("T-1200", af=1200, width=400))), 201)
    answer = validate(client, "v-a")
    assert (answer["valid"], answer["state"], answer["succeeded"]) == (False, "staged", 0)
    sample = answer["samples"][0]
    assert (sample["succeeded"], sample["code"]) == (False, "NEED_KNOWLEDGE_UPDATE")
    assert sample["messageKo"]
    assert sample["messageEn"]
    refused(activate(client, "v-a"), 409, "VERSION_NOT_VALIDATED")


@pytest.mark.parametrize("step", ["validate", "activate"])
def test_unknown_version(client: Client, step: str) -> None:
    response = client.admin("POST", f"/v1/knowledge/tables/{step}", {"versionLabel": "v-none"})
    assert refused(response, 404, "VERSION_NOT_FOUND")["path"] == "$.versionLabel"


def test_activating_twice_is_a_no_op(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    again = good(activate(client, "v-a"))
    assert (again["hotSwapSuccess"], again["alreadyActive"]) == (True, True)
    assert (again["activeVersion"], again["previousVersion"]) == ("v-a", "v-a")
    history = rows_of(client.settings.home, "SELECT label FROM knowledge_activation ORDER BY id")
    assert history == [(FIRST,), ("v-a",)]


# --- two owners --------------------------------------------------------------------------


def test_base_that_moved_is_validated_anew_and_nobodys_rows_are_lost(client: Client) -> None:
    stage(client, "v-a", row("T-100"))
    second = stage(client, "v-b", row("T-200"))
    assert (second["rebased"], second["baseVersion"]) == (False, FIRST)
    good(activate(client, "v-a"))
    problem = refused(activate(client, "v-b"), 409, "VERSION_BASE_MOVED")
    assert "v-a" in problem["detail"]
    assert active_label(client) == "v-a"
    again = validate(client, "v-b")
    assert (again["rebased"], again["baseVersion"], again["valid"]) == (True, "v-a", True)
    assert (again["counts"]["added"], again["counts"]["removed"]) == (1, 0)
    good(activate(client, "v-b"))
    for model in ("T-100", "T-200"):
        good(estimate(client, main_only(model)), 201)
    assert version(client, "v-b")["totalRows"] == 110


def test_first_validation_lays_on_what_is_active_by_then(client: Client) -> None:
    good(import_table(client, "v-b", table(row("T-200"))), 201)
    publish(client, "v-a", row("T-100"))
    first = validate(client, "v-b")
    assert (first["rebased"], first["baseVersion"]) == (True, "v-a")
    assert validate(client, "v-b")["rebased"] is False
    good(activate(client, "v-b"))
    good(estimate(client, main_only("T-100")), 201)


def test_same_row_of_two_owners_is_counted_as_changed(client: Client) -> None:
    stage(client, "v-b", row("T-100", width=95))
    publish(client, "v-a", row("T-100", width=90))
    counts = validate(client, "v-b")["counts"]
    assert (counts["added"], counts["changed"]) == (0, 1)


def test_rebased_content_leaves_nothing_behind(client: Client) -> None:
    """Each validation of a table of 100,000 rows would else keep megabytes for good."""
    stage(client, "v-b", row("T-200"))
    publish(client, "v-a", row("T-100"))
    validate(client, "v-b")
    home = client.settings.home
    used = rows_of(
        home,
        "SELECT breakers_digest FROM knowledge_version UNION "
        "SELECT enclosures_digest FROM knowledge_version UNION "
        "SELECT accessories_digest FROM knowledge_version UNION "
        "SELECT rules_digest FROM knowledge_version",
    )
    assert sorted(rows_of(home, BREAKERS)) == sorted(used)


# --- the way back ------------------------------------------------------------------------


def test_rollback_and_activation_again(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    back = good(roll_back(client, FIRST, "wrong widths"))
    # Where others can be, an application that serves nobody is not among them.
    assert {worker["state"] for worker in back.pop("workers")} <= {"acknowledged"}
    assert back == {
        "rollbackSuccess": True, "hotSwapSuccess": True, "activeVersion": FIRST,
        "previousVersion": "v-a", "reason": "wrong widths",
    }  # fmt: skip
    refused(estimate(client, main_only("T-100")), 422, "NEED_KNOWLEDGE_UPDATE")
    again = good(activate(client, "v-a"))
    assert (again["activeVersion"], again["previousVersion"]) == ("v-a", FIRST)
    good(estimate(client, main_only("T-100")), 201)


def test_rollback_over_several_versions_and_forward_again(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    publish(client, "v-b", row("T-200"))
    good(roll_back(client, FIRST))
    good(roll_back(client, "v-b"))
    for model in ("T-100", "T-200"):
        good(estimate(client, main_only(model)), 201)


def test_retired_version_on_another_base_returns_by_rollback_only(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    publish(client, "v-b", row("T-200"))
    problem = refused(activate(client, "v-a"), 409, "VERSION_BASE_MOVED")
    assert "rollback" in problem["hint"]
    assert "roll back" in problem["hintEn"]
    good(roll_back(client, "v-a"))
    assert active_label(client) == "v-a"


def test_rollback_leads_only_to_what_was_active(client: Client) -> None:
    stage(client, "v-a", row("T-100"))
    problem = refused(roll_back(client, "v-a"), 409, "VERSION_NEVER_ACTIVATED")
    assert problem["path"] == "$.targetVersionLabel"
    unknown = refused(roll_back(client, "v-none"), 404, "VERSION_NOT_FOUND")
    assert unknown["path"] == "$.targetVersionLabel"
    assert active_label(client) == FIRST


def test_rollback_needs_a_reason(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    for reason in ("", "   "):
        refused(roll_back(client, FIRST, reason), 400, "INVALID_REQUEST")
    body = {"targetVersionLabel": FIRST}
    refused(client.admin("POST", "/v1/knowledge/tables/rollback", body), 400, "INVALID_REQUEST")
    assert active_label(client) == "v-a"


def test_content_is_fixed_once_a_version_was_active(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    digest = version(client, "v-a")["digest"]
    publish(client, "v-b", row("T-200"))
    answer = validate(client, "v-a")
    assert (answer["valid"], answer["state"], answer["rebased"]) == (True, "retired", False)
    assert answer["digest"] == digest == version(client, "v-a")["digest"]


# --- the list ----------------------------------------------------------------------------


def test_list_is_newest_activation_first_and_never_activated_last(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    publish(client, "v-b", row("T-200"))
    stage(client, "v-c", row("T-300"))
    good(import_table(client, "v-d", table(row("T-400"))), 201)
    assert labels(client) == ["v-b", "v-a", FIRST, "v-d", "v-c"]
    good(roll_back(client, FIRST))
    assert labels(client) == [FIRST, "v-b", "v-a", "v-d", "v-c"]


# --- deleting ----------------------------------------------------------------------------


def test_active_version_is_not_deleted(client: Client) -> None:
    refused(client.admin("DELETE", f"{VERSIONS}/{FIRST}"), 409, "VERSION_ACTIVE")
    refused(client.admin("DELETE", f"{VERSIONS}/v-none"), 404, "VERSION_NOT_FOUND")
    assert labels(client) == [FIRST]


def test_evidence_that_names_a_deleted_version_still_verifies(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    created = good(estimate(client, main_only("T-100")), 201)
    good(roll_back(client, FIRST))
    assert delete(client, "v-a") == {"deleted": "v-a"}
    verified = verify_evidence(client, created["id"])
    assert verified["valid"], verified
    assert labels(client) == [FIRST]
    refused(roll_back(client, "v-a"), 404, "VERSION_NOT_FOUND")
    assert good(client.get(f"/v1/estimate/{created['id']}"))["knowledgeVersion"] == "v-a"


def test_label_of_a_deleted_version_is_free_and_starts_anew(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    good(roll_back(client, FIRST))
    delete(client, "v-a")
    good(import_table(client, "v-a", table(row("T-200"))), 201)
    assert (version(client, "v-a")["state"], version(client, "v-a")["activatedAt"]) == (
        "staged",
        None,
    )
    assert len(staged_files(client.settings.home)) == 2


def test_deleting_frees_the_rows_that_nobody_else_has(client: Client) -> None:
    home = client.settings.home
    before = sorted(rows_of(home, BREAKERS))
    stage(client, "v-a", row("T-100"))
    assert sorted(rows_of(home, BREAKERS)) != before
    delete(client, "v-a")
    assert sorted(rows_of(home, BREAKERS)) == before


def test_base_can_be_deleted_under_a_staged_version(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    stage(client, "v-b", row("T-200"))
    good(roll_back(client, FIRST))
    delete(client, "v-a")
    refused(activate(client, "v-b"), 409, "VERSION_BASE_MOVED")
    answer = validate(client, "v-b")
    assert (answer["rebased"], answer["baseVersion"]) == (True, FIRST)
    good(activate(client, "v-b"))
    refused(estimate(client, main_only("T-100")), 422, "NEED_KNOWLEDGE_UPDATE")


# --- diff --------------------------------------------------------------------------------


def models(difference: dict[str, object]) -> list[tuple[str, str]]:
    shown = difference["difference"]["breakers"]["rows"]  # type: ignore[index]
    return [(line["change"], line["row"]["model"]) for line in shown]


def test_diff_against_the_active_and_any_other(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    stage(client, "v-b", row("T-100", width=95), row("T-200"))
    against_active = ask(client, f"{VERSIONS}/v-b/diff")
    assert (against_active["versionLabel"], against_active["against"]) == ("v-b", "v-a")
    assert models(against_active) == [("changed", "T-100"), ("added", "T-200")]
    against_first = ask(client, f"{VERSIONS}/v-b/diff", against=FIRST)
    assert models(against_first) == [("added", "T-100"), ("added", "T-200")]
    backwards = ask(client, f"{VERSIONS}/{FIRST}/diff", against="v-b")
    assert models(backwards) == [("removed", "T-100"), ("removed", "T-200")]
    assert models(ask(client, f"{VERSIONS}/v-a/diff", against="v-a")) == []


def test_diff_of_unknown_versions(client: Client) -> None:
    for url, path in (
        (f"{VERSIONS}/v-none/diff", "$.path.label"),
        (f"{VERSIONS}/{FIRST}/diff?against=v-none", "$.query.against"),
    ):
        problem = refused(client.admin("GET", url), 404, "VERSION_NOT_FOUND")
        assert "v-none" in problem["detail"]
        assert problem["path"] == path


# --- validation --------------------------------------------------------------------------


def test_samples_are_built_around_the_new_and_changed_rows(client: Client) -> None:
    answer = stage(client, "v-a", row("T-100"), row("T-200"), row("T-300"))
    tried = {(tuple(sample["row"]), sample["role"]) for sample in answer["samples"]}
    assert {key for key, _ in tried} == {("LS", f"T-{n}", 3) for n in (100, 200, 300)}
    assert {role for _, role in tried} == {"main", "branch"}
    assert (answer["sampleSize"], answer["succeeded"], answer["failed"]) == (10, 10, 0)
    for sample in answer["samples"]:
        assert sample["enclosure"]["W"] > 90
    assert len(validate(client, "v-a", 2)["samples"]) == 2


def test_row_that_is_narrower_than_with_fewer_poles_is_a_warning(client: Client) -> None:
    answer = stage(client, "v-a", row("T-3", width=90), row("T-4", poles=4, width=60))
    assert answer["valid"] is True
    (warning,) = [w for w in answer["warnings"] if w["code"] == "WIDER_POLES_NARROWER"]
    assert warning["row"] == ["LS", "T-4", 4]
    assert "60" in warning["message"]["ko"]
    assert "90" in warning["message"]["en"]


@pytest.mark.parametrize("size", [0, 1001, "10", 1.5])
def test_sample_size_has_limits(client: Client, size: object) -> None:
    body = {"versionLabel": FIRST, "sampleSize": size}
    response = client.admin("POST", "/v1/knowledge/tables/validate", body)
    assert refused(response, 400, "INVALID_REQUEST")["path"] == "$.sampleSize"


# --- the trail ---------------------------------------------------------------------------


def test_every_change_is_audited_with_actor_reason_and_digest(client: Client) -> None:
    keys = client.application.services.keys.valid.keys
    admin = next(key.key_id for key in keys if key.scope == "admin")
    imported = good(import_table(client, "v-a", table(row("T-100"))), 201)
    content = validate(client, "v-a")["digest"]
    good(activate(client, "v-a", reason="new catalogue"))
    good(roll_back(client, FIRST, "wrong widths"))
    delete(client, "v-a")
    home = client.settings.home
    assert audit_of(home, "v-a") == [
        (admin, "knowledge.import", "", imported["uploadDigest"]),
        (admin, "knowledge.validate", "", content),
        (admin, "knowledge.activate", "new catalogue", content),
        (admin, "knowledge.delete", "", content),
    ]
    initial, back = audit_of(home, FIRST)
    assert initial[:2] == ("shipped", "knowledge.activate")
    assert back == (admin, "knowledge.rollback", "wrong widths", initial[3])
    assert ADMIN_API_KEY not in str(rows_of(home, "SELECT * FROM audit_entry"))


@pytest.mark.parametrize("name", [".", "..", "a/b", "", "a\nb", ".hidden"])
def test_golden_case_whose_name_is_no_step_of_an_address_is_refused(
    client: Client, name: str
) -> None:
    """Clients take `.` and `..` out of an address: such a case could not be deleted."""
    body = {"name": name, "request": board()}
    response = client.admin("POST", "/v1/knowledge/golden", body)
    assert refused(response, 400, "INVALID_REQUEST")["path"] == "$.name"


def test_golden_set_is_audited_too(client: Client) -> None:
    body = {"name": "기준 판", "request": board(), "note": "checked by hand"}
    pinned = client.admin("POST", "/v1/knowledge/golden", body)
    assert good(pinned, 201)["expected"] == {"W": 500, "H": 600, "D": 150}
    refused(client.admin("POST", "/v1/knowledge/golden", body), 409, "GOLDEN_CASE_EXISTS")
    good(client.admin("DELETE", "/v1/knowledge/golden/기준 판"))
    refused(client.admin("DELETE", "/v1/knowledge/golden/기준 판"), 404, "NOT_FOUND")
    actions = [action for _, action, _, _ in audit_of(client.settings.home, "기준 판")]
    assert actions == ["golden.add", "golden.delete"]
