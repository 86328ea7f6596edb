"""The runbook's knowledge chapter, in its order, on a fresh installation, as it is written."""

import json
import re
import subprocess
from typing import Any

import httpx

from tests.integration import runbook
from tests.programs import needs
from tests.services import ADMIN_API_KEY, API_KEY, Client, Server

FIRST, SECOND = "v2025-09-24-01", "v2025-09-24-02"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def send(client: Client, name: str) -> httpx.Response:
    keys = {"ADMIN_API_KEY": ADMIN_API_KEY, "API_KEY": API_KEY}
    asked = runbook.read_curl(runbook.text_of(name), keys)
    return client.request(
        asked.method, asked.path, key=None, headers=asked.headers, content=asked.body
    )


def answer(client: Client, name: str, status: int = 200) -> Any:
    response = send(client, name)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def shape(shown: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in shown.items()}


def previous_label(versions: list[dict[str, Any]]) -> str:
    """Do what `jq -r '.[] | select(.active == false) | .label' | head -1` does."""
    label: str = next(version["label"] for version in versions if version["active"] is False)
    return label


def import_second(client: Client) -> Any:
    return answer(client, "05-import.sh", 201)


def test_health_answers_as_shown(client: Client) -> None:
    shown, found = runbook.example("01-health.json"), answer(client, "01-health.sh")
    assert list(found) == list(shown)
    assert shape(found) == shape(shown)
    assert MOMENT.fullmatch(found["timestamp"])
    assert found["status"] == shown["status"]
    assert found["knowledgeVersion"] == shown["knowledgeVersion"]
    assert found["activeTables"] == shown["activeTables"]
    assert found["totalRows"] == 108


def test_active_version_answers_as_shown(client: Client) -> None:
    shown, found = runbook.example("02-active.json"), answer(client, "02-active.sh")
    assert list(found)[: len(shown)] == list(shown)
    assert {name: type(found[name]) for name in shown} == shape(shown)
    assert MOMENT.fullmatch(found["createdAt"])
    assert (found["label"], found["active"]) == (shown["label"], True)
    assert found["tableCount"] == shown["tableCount"]


def test_versions_of_a_fresh_installation(client: Client) -> None:
    (only,) = answer(client, "03-versions.sh")
    assert only == answer(client, "02-active.sh")


def test_import_adds_the_one_row(client: Client) -> None:
    imported = import_second(client)
    assert (imported["versionLabel"], imported["state"]) == (SECOND, "staged")
    assert imported["baseVersion"] == FIRST
    counts = [imported[name] for name in ("added", "changed", "removed")]
    assert counts == [1, 0, 0]
    assert answer(client, "02-active.sh")["label"] == FIRST


def test_table_of_the_runbook_is_read_in_all_its_spellings(client: Client) -> None:
    """The file of the chapter's first step: meta quoted, its quotes escaped by backslashes."""
    body = {"format": "csv", "content": runbook.text_of("04-table.csv"), "versionLabel": "v-csv"}
    imported = client.admin("POST", "/v1/knowledge/tables/import", body)
    assert imported.status_code == 201, imported.text
    assert imported.json()["added"] == 2
    compared = client.admin("GET", "/v1/knowledge/versions/v-csv/diff").json()
    rows = compared["difference"]["breakers"]["rows"]
    assert [row["row"]["model"] for row in rows] == ["METASOL-600", "SD-300"]
    cells = {cell["cell"]: cell["after"] for cell in rows[1]["cells"]}
    assert (cells["widthMm"], cells["type"], cells["series"]) == (250, "MCCB", "SD")


def test_validate_tries_a_board_with_the_new_row(client: Client) -> None:
    import_second(client)
    validated = answer(client, "06-validate.sh")
    assert validated["valid"] is True
    assert (validated["succeeded"], validated["failed"]) == (validated["sampleSize"], 0)
    assert validated["sampleSize"] == len(validated["samples"]) == 10
    assert all(sample["row"] == ["LS", "METASOL-600", 4] for sample in validated["samples"])
    assert all(sample["succeeded"] is True for sample in validated["samples"])


def test_activate_swaps_and_reports_the_regression(client: Client) -> None:
    import_second(client)
    answer(client, "06-validate.sh")
    activated = answer(client, "07-activate.sh")
    assert activated["hotSwapSuccess"] is True
    assert (activated["activeVersion"], activated["previousVersion"]) == (SECOND, FIRST)
    assert activated["regression"] == {
        "total": 3, "passed": 3, "changed": 0, "failed": 0, "cases": [],
    }  # fmt: skip
    assert answer(client, "08-active.sh")["label"] == SECOND
    health = answer(client, "01-health.sh")
    assert (health["knowledgeVersion"], health["totalRows"]) == (SECOND, 109)


def test_the_new_model_is_unknown_before_and_estimated_after(client: Client) -> None:
    before = send(client, "09-estimate.sh")
    assert (before.status_code, before.json()["code"]) == (422, "NEED_KNOWLEDGE_UPDATE")
    import_second(client)
    answer(client, "06-validate.sh")
    answer(client, "07-activate.sh")
    # The same Idempotency-Key: the abstention did not poison it.
    estimate = answer(client, "09-estimate.sh", 201)
    assert estimate["knowledgeVersion"] == SECOND
    enclosure = estimate["enclosure"]
    assert enclosure["W"] > 350
    assert enclosure["H"] > 275
    assert enclosure["D"] > 103
    (main,) = estimate["layout"]["placements"]
    assert (main["role"], main["model"], main["w"], main["h"]) == ("main", "METASOL-600", 350, 275)


def test_rollback_returns_to_what_the_one_liner_names(client: Client) -> None:
    import_second(client)
    answer(client, "06-validate.sh")
    answer(client, "07-activate.sh")
    assert previous_label(answer(client, "10-previous.sh")) == FIRST
    rolled_back = answer(client, "11-rollback.sh")
    assert rolled_back["rollbackSuccess"] is True
    assert (rolled_back["activeVersion"], rolled_back["previousVersion"]) == (FIRST, SECOND)
    assert rolled_back["reason"] == "Production issue: estimate calculation errors"
    assert answer(client, "08-active.sh")["label"] == FIRST
    assert send(client, "09-estimate.sh").status_code == 422
    assert previous_label(answer(client, "10-previous.sh")) == SECOND


def test_one_liner_passes_over_a_version_that_was_never_active(client: Client) -> None:
    """A newer import that waits for its owner must not be what an operator rolls back to."""
    import_second(client)
    answer(client, "06-validate.sh")
    answer(client, "07-activate.sh")
    body = {"format": "csv", "content": runbook.text_of("04-table.csv"), "versionLabel": "v-z"}
    assert client.admin("POST", "/v1/knowledge/tables/import", body).status_code == 201
    assert previous_label(answer(client, "10-previous.sh")) == FIRST


@needs("bash", "curl", "jq", "head")
def test_chapter_in_a_real_shell(server: Server) -> None:
    """bash, curl and jq themselves; only the port is another."""

    def run(name: str) -> str:
        text = runbook.text_of(name).replace("localhost:3000", f"127.0.0.1:{server.port}")
        environ = {**server.environ, "no_proxy": "*"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text], env=environ, capture_output=True,
            text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    assert json.loads(run("01-health.sh"))["status"] == "healthy"
    assert json.loads(run("02-active.sh"))["label"] == FIRST
    assert len(json.loads(run("03-versions.sh"))) == 1
    assert json.loads(run("05-import.sh"))["state"] == "staged"
    assert json.loads(run("06-validate.sh"))["valid"] is True
    assert json.loads(run("07-activate.sh"))["hotSwapSuccess"] is True
    assert json.loads(run("08-active.sh"))["label"] == SECOND
    assert json.loads(run("09-estimate.sh"))["knowledgeVersion"] == SECOND
    assert run("10-previous.sh") == f"{FIRST}\n"
    assert json.loads(run("11-rollback.sh"))["activeVersion"] == FIRST
    assert run("10-previous.sh") == f"{SECOND}\n"
