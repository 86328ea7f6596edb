"""Previewing a board: the answer of a create, and nothing of it is kept."""

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.integration.lifecycle import ask, everything_stored, good
from tests.integration.problems import codes_and_paths, problem_of
from tests.services import Client, board

PREVIEW = "/v1/estimate/preview"
CREATE = "/v1/estimate/create"
QUESTIONS = "/v1/knowledge/questions"
LASTING = {"id", "createdAt", "evidenceId"}


def samples() -> dict[str, Any]:
    folder = files("kis").joinpath("seed", "samples")
    found = (file for file in folder.iterdir() if file.name.endswith(".json"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in found}


@pytest.mark.parametrize("name", sorted(samples()))
def test_preview_of_a_sample_is_its_estimate(client: Client, name: str) -> None:
    request = samples()[name]
    created = client.post(CREATE, request)
    previewed = client.post(PREVIEW, request)
    assert previewed.status_code == (200 if created.status_code == 201 else created.status_code)
    if created.status_code != 201:
        assert problem_of(previewed)["code"] == problem_of(created)["code"]
        return
    preview, answer = previewed.json(), created.json()
    rows = preview.pop("rows")
    assert preview == {key: value for key, value in answer.items() if key not in LASTING}
    assert rows.keys() == {place["device"] for place in answer["layout"]["placements"]}


def test_device_leads_to_its_line_as_it_was_typed(shared_client: Client) -> None:
    lines = [{"model": "SIE-32"}, {"model": "SES-54"}, {"model": "SIE-32", "quantity": 2}]
    preview = good(shared_client.post(PREVIEW, board(branches=lines)))
    assert len(preview["request"]["branches"]) == 2
    assert preview["rows"] == {
        "M1": "main", "B1": "branches[1]", "B2": "branches[0]", "B3": "branches[2]",
        "B4": "branches[2]",
    }  # fmt: skip


def test_all_that_is_missing_is_told_with_its_field(shared_client: Client) -> None:
    response = shared_client.post(PREVIEW, {"main": {"model": "NO"}, "branches": [{}, {"af": 30}]})
    problem = problem_of(response, 422, "REQ_MORE_INFO")
    assert codes_and_paths(problem) == [
        ("REQ_MORE_INFO", "$.brand"),
        ("REQ_MORE_INFO", "$.installation.location"),
        ("REQ_MORE_INFO", "$.installation.mount"),
        ("NEED_KNOWLEDGE_UPDATE", "$.main.model"),
        ("REQ_MORE_INFO", "$.branches[0]"),
        ("REQ_MORE_INFO", "$.branches[0].poles"),
        ("REQ_MORE_INFO", "$.branches[0].type"),
        ("REQ_MORE_INFO", "$.branches[1].poles"),
        ("REQ_MORE_INFO", "$.branches[1].type"),
        ("REQ_MORE_INFO", "$.accessories"),
    ]


@pytest.mark.parametrize(
    "request_",
    [board(), board(main={"model": "NO-SUCH"}), board(main={"model": "NO"}, branches=None), {}],
)
def test_nothing_is_stored(shared_client: Client, request_: dict[str, Any]) -> None:
    before = everything_stored(shared_client)
    shared_client.post(PREVIEW, request_)
    assert everything_stored(shared_client) == before
    assert ask(shared_client, QUESTIONS) == []


def test_typing_is_no_abstention(client: Client) -> None:
    """The runbook counts the abstentions in the log; one at each letter would drown them."""
    client.post(PREVIEW, board(main={"model": "NO-SUCH"}))
    client.post(PREVIEW, board())
    log = client.settings.log_file.read_text(encoding="utf-8")
    assert '"POST /v1/estimate/preview" 422 ' in log
    assert "NEED_KNOWLEDGE_UPDATE" not in log
    assert "cache_hit" not in log


def test_body_of_a_wrong_kind(shared_client: Client) -> None:
    response = shared_client.post(PREVIEW, {"brand": 1, "branches": [{"quantity": 0}]})
    assert codes_and_paths(problem_of(response, 400)) == [
        ("INVALID_REQUEST", "$.brand"),
        ("INVALID_REQUEST", "$.branches[0].quantity"),
    ]
