"""GET /v1/knowledge/questions: what estimates asked for and nobody knows."""

from typing import Any

import pytest

from tests.integration.lifecycle import (
    FIRST,
    TABLES,
    activate,
    ask,
    estimate,
    good,
    import_table,
    main_only,
    publish,
    refused,
    roll_back,
    row,
    stage,
    validate,
)
from tests.integration.queueing import send_in_line
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

QUESTIONS = "/v1/knowledge/questions"
UNKNOWN = "NEED_KNOWLEDGE_UPDATE"


def abstain(client: Client, request: dict[str, Any], key: str = API_KEY) -> Any:
    response = client.request("POST", "/v1/estimate/create", key=key, json=request)
    return refused(response, 422, UNKNOWN)


def open_questions(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(client, QUESTIONS)
    assert all(question["open"] and question["closedAt"] is None for question in found)
    return found


def all_questions(client: Client) -> dict[str, dict[str, Any]]:
    return {q["subject"]: q for q in ask(client, QUESTIONS, includeClosed="true")}


def key_id(client: Client, scope: str) -> str:
    keys = client.application.services.keys.valid.keys
    return next(key.key_id for key in keys if key.scope == scope)


def test_nothing_was_asked_yet(client: Client) -> None:
    good(estimate(client, board()), 201)
    assert open_questions(client) == []


def test_question_says_what_where_and_in_words(client: Client) -> None:
    problem = abstain(client, main_only("T-100"))
    (question,) = open_questions(client)
    assert question["subject"] == "breakerModel LS T-100 3P"
    assert (question["kind"], question["path"]) == ("breakerModel", "$.main.model")
    assert "T-100" in question["questionKo"]
    assert "T-100" in question["questionEn"]
    assert problem["hint"] == question["questionKo"]


def test_how_often_and_by_whom_it_was_asked_last(client: Client) -> None:
    abstain(client, main_only("T-100"))
    (once,) = open_questions(client)
    assert (once["timesAsked"], once["lastAskedBy"]) == (1, key_id(client, "api"))
    assert once["firstAskedAt"] == once["lastAskedAt"]
    abstain(client, main_only("T-100"), ADMIN_API_KEY)
    (twice,) = open_questions(client)
    assert (twice["timesAsked"], twice["lastAskedBy"]) == (2, key_id(client, "admin"))
    assert twice["firstAskedAt"] == once["firstAskedAt"]
    assert twice["lastAskedAt"] >= once["lastAskedAt"]
    assert twice["id"] == once["id"]


def test_equal_questions_are_one(client: Client) -> None:
    """Twice on one board, once as main and once as branch: the same row is missing."""
    twice = [{"model": "T-100", "poles": "3P", "quantity": n} for n in (1, 2)]
    abstain(client, board(brand="LS", main={"model": "ABN-104", "poles": "4P"}, branches=twice))
    (question,) = open_questions(client)
    assert question["timesAsked"] == 1
    abstain(client, main_only("T-100"))
    (question,) = open_questions(client)
    assert (question["timesAsked"], question["path"]) == (2, "$.main.model")


def test_all_that_a_board_lacks_is_asked_and_the_most_asked_comes_first(client: Client) -> None:
    missing = board(
        brand="LS", main={"af": 99, "poles": "3P"},
        branches=[{"model": "T-100", "poles": "3P", "quantity": 1}],
        accessories={"enabled": True, "items": [{"code": "T-LAMP", "quantity": 1}]},
    )  # fmt: skip
    abstain(client, missing)
    abstain(client, main_only("T-100"))
    subjects = [question["subject"] for question in open_questions(client)]
    assert subjects[0] == "breakerModel LS T-100 3P"
    assert sorted(subjects[1:]) == ["accessory T-LAMP", "breakerFrame LS 99AF 3P MCCB"]


def test_other_refusals_ask_nothing(client: Client) -> None:
    wrong_poles = board(main={"model": "SBS-54", "poles": "3P"})
    refused(estimate(client, wrong_poles), 422, "POLES_MISMATCH")
    refused(client.post("/v1/estimate/validate", []), 400, "INVALID_REQUEST")
    assert good(client.post("/v1/estimate/validate", main_only("T-100")))["valid"] is False
    assert open_questions(client) == []


def test_question_closes_with_the_row_and_opens_again_after_a_rollback(client: Client) -> None:
    abstain(client, main_only("T-100"))
    abstain(client, main_only("T-200"))
    stage(client, "v-a", row("T-100"))
    assert len(open_questions(client)) == 2
    assert good(activate(client, "v-a"))["answeredQuestions"] == ["breakerModel LS T-100 3P"]
    assert [q["subject"] for q in open_questions(client)] == ["breakerModel LS T-200 3P"]
    closed = all_questions(client)["breakerModel LS T-100 3P"]
    assert (closed["open"], closed["closedBy"]) == (False, "v-a")
    assert closed["closedAt"] >= closed["lastAskedAt"]
    good(roll_back(client, FIRST))
    assert len(open_questions(client)) == 1
    abstain(client, main_only("T-100"))
    again = all_questions(client)["breakerModel LS T-100 3P"]
    assert (again["open"], again["timesAsked"], again["closedBy"]) == (True, 2, None)


LAMP = {"code": "T-LAMP", "kind": "meter"}
WITH_LAMP = board(accessories={"enabled": True, "items": [{"code": "T-LAMP", "quantity": 1}]})


@pytest.mark.parametrize(
    ("request_", "rows", "parts"),
    [
        (main_only("T-100"), [row("T-100")], None),
        (board(brand="LS", main={"af": 99, "poles": "3P"}, branches=[]), [row("T", af=99)], None),
        (WITH_LAMP, [], {"accessories": [{**LAMP, "widthMm": 96, "heightMm": 96}]}),
    ],
    ids=["model", "frame", "accessory"],
)  # fmt: skip
def test_what_closes_a_question_lets_the_board_be_estimated(
    client: Client, request_: dict[str, Any], rows: list[str], parts: dict[str, Any] | None
) -> None:
    """The two agree on what "known" means, whatever was missing."""
    abstain(client, request_)
    if parts:
        good(import_table(client, "v-a", parts, format="json"), 201)
        assert validate(client, "v-a")["valid"]
        good(activate(client, "v-a"))
    else:
        publish(client, "v-a", *rows)
    assert open_questions(client) == []
    good(estimate(client, request_), 201)


def test_outline_of_a_known_accessory(client: Client) -> None:
    """The code is known, its size is not: importing the size closes the question."""
    good(import_table(client, "v-a", {"accessories": [LAMP]}, format="json"), 201)
    assert validate(client, "v-a")["valid"]
    good(activate(client, "v-a"))
    abstain(client, WITH_LAMP)
    assert [q["kind"] for q in open_questions(client)] == ["outline"]
    sized = {"accessories": [{**LAMP, "widthMm": 96, "heightMm": 96}]}
    good(import_table(client, "v-b", sized, format="json"), 201)
    assert validate(client, "v-b")["valid"]
    good(activate(client, "v-b"))
    assert open_questions(client) == []
    good(estimate(client, WITH_LAMP), 201)


def test_row_that_is_activated_meanwhile_leaves_no_question_open(client: Client) -> None:
    """The abstention waits behind the activation that brings the row."""
    abstain(client, main_only("T-100"))
    stage(client, "v-a", row("T-100"))
    body = {"versionLabel": "v-a", "runRegression": False}
    activated, asked = send_in_line(
        client,
        client.asend("POST", f"{TABLES}/activate", key=ADMIN_API_KEY, json=body),
        client.asend("POST", "/v1/estimate/create", json=main_only("T-100")),
    )
    good(activated)
    good(asked, 201)
    assert open_questions(client) == []
