"""Checking a board without storing anything."""

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.integration.lifecycle import ask, everything_stored, good
from tests.integration.problems import codes_and_paths, problem_of
from tests.services import Client, board

VALIDATE = "/v1/estimate/validate"
QUESTIONS = "/v1/knowledge/questions"


def check(client: Client, request: object) -> Any:
    return good(client.post(VALIDATE, request))


def test_board_that_can_be_estimated(shared_client: Client) -> None:
    assert check(shared_client, board()) == {"valid": True, "findings": []}


def test_every_shipped_sample(shared_client: Client) -> None:
    samples = files("kis").joinpath("seed", "samples").iterdir()
    boards = (sample for sample in samples if sample.name.endswith(".json"))
    texts = {sample.name: sample.read_text(encoding="utf-8") for sample in boards}
    valid = {name: check(shared_client, json.loads(text))["valid"] for name, text in texts.items()}
    assert len(valid) >= 5
    assert [name for name in valid if not valid[name]] == ["problem-request.json"]


def test_all_that_is_missing(shared_client: Client) -> None:
    checked = check(shared_client, {"branches": [{}, {"af": 30}]})
    assert codes_and_paths(checked) == [
        ("REQ_MORE_INFO", path)
        for path in (
            "$.brand", "$.installation.location", "$.installation.mount", "$.main",
            "$.branches[0]", "$.branches[0].poles", "$.branches[0].type",
            "$.branches[1].poles", "$.branches[1].type", "$.accessories",
        )
    ]  # fmt: skip


def test_what_is_missing_beside_what_contradicts(shared_client: Client) -> None:
    request = board(
        brand="MIXED", branches=None, accessories={"enabled": False, "items": [{"code": "MC-22"}]}
    )
    assert codes_and_paths(check(shared_client, request)) == [
        ("BRAND_CONFLICT", "$.brand"),
        ("REQ_MORE_INFO", "$.branches"),
        ("ACCESSORY_CONFLICT", "$.accessories.items"),
    ]


def test_all_that_the_tables_have_against_it(shared_client: Client) -> None:
    request = board(
        main={"model": "SBS-54", "poles": "3P"},
        branches=[{"model": "NO-1"}, {"model": "SIE-32", "type": "MCCB", "af": 50}],
        accessories={"enabled": True, "items": [{"code": "NO-2"}]},
    )
    assert set(codes_and_paths(check(shared_client, request))) == {
        ("POLES_MISMATCH", "$.main.poles"),
        ("NEED_KNOWLEDGE_UPDATE", "$.branches[0].model"),
        ("DEVICE_TYPE_MISMATCH", "$.branches[1].type"),
        ("FRAME_SIZE_MISMATCH", "$.branches[1].af"),
        ("NEED_KNOWLEDGE_UPDATE", "$.accessories.items[0].code"),
    }


def test_what_the_tables_have_against_the_rest_of_a_board(shared_client: Client) -> None:
    """Some gates fail; the lines that are stated well are looked up all the same."""
    request = board(
        main={"model": "NO-0"},
        branches=[{"poles": "2P", "type": "ELCB"}, {"model": "SIE-32", "poles": "3P"}],
        accessories={"items": [{"code": "NO-1"}]},
    )
    checked = check(shared_client, request)
    assert checked["valid"] is False
    assert codes_and_paths(checked) == [
        ("NEED_KNOWLEDGE_UPDATE", "$.main.model"),
        ("REQ_MORE_INFO", "$.branches[0]"),
        ("POLES_MISMATCH", "$.branches[1].poles"),
        ("REQ_MORE_INFO", "$.accessories"),
        ("NEED_KNOWLEDGE_UPDATE", "$.accessories.items[0].code"),
    ]


def test_paths_are_those_of_the_request_as_it_was_sent(shared_client: Client) -> None:
    """The engine sorts and merges lines; whoever typed them did not."""
    lines = [{"model": "SIE-32"}, {"model": "Z-9"}, {"model": "SIE-32"}, {"model": "A-1"}]
    found = codes_and_paths(check(shared_client, board(branches=lines)))
    assert {path for _, path in found} == {"$.branches[1].model", "$.branches[3].model"}


@pytest.mark.parametrize(
    "request_",
    [
        board(),
        board(main={"model": "NO-SUCH"}),
        board(main={"model": "NO-SUCH"}, branches=None),
        {},
    ],
)
def test_nothing_is_stored(shared_client: Client, request_: dict[str, Any]) -> None:
    before = everything_stored(shared_client)
    check(shared_client, request_)
    assert everything_stored(shared_client) == before
    assert ask(shared_client, QUESTIONS) == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        ({"brand": 1}, "$.brand"),
        ({"colour": "red"}, "$.colour"),
        (board(branches=[{"model": "SIE-32", "quantity": 0}]), "$.branches[0].quantity"),
    ],
)
def test_body_of_a_wrong_kind_is_no_board(shared_client: Client, body: object, path: str) -> None:
    problem = problem_of(shared_client.post(VALIDATE, body), 400, "INVALID_REQUEST")
    assert problem["path"] == path
