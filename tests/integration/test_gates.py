"""The three gates and the tables over HTTP: each code, where it points, and what it says."""

from typing import Any

import pytest

from kis.api.estimates import GATES
from tests.integration.lifecycle import good
from tests.integration.problems import HANGUL, codes_and_paths, problem_of
from tests.services import Client, board

CREATE = "/v1/estimate/create"
VALIDATE = "/v1/estimate/validate"
ITEM = {"code": "MC-22", "quantity": 1}
MIXED_BRANCH = {"brand": "LS", "model": "ABN-52", "poles": "2P"}


def without(name: str) -> dict[str, Any]:
    request = board()
    del request[name]
    return request


def with_branch(**line: Any) -> dict[str, Any]:
    """Return the board with one more branch line, the third."""
    return board(branches=[*board()["branches"], line])


def with_main(**line: Any) -> dict[str, Any]:
    return board(main=line)


def accessories(enabled: Any, items: Any) -> dict[str, Any]:
    return board(accessories={"enabled": enabled, "items": items})


CASES: list[tuple[dict[str, Any], str, str]] = [
    # what must be stated
    (without("brand"), "REQ_MORE_INFO", "$.brand"),
    (without("installation"), "REQ_MORE_INFO", "$.installation.location"),
    (board(installation={"mount": "WALL"}), "REQ_MORE_INFO", "$.installation.location"),
    (board(installation={"location": "INDOOR"}), "REQ_MORE_INFO", "$.installation.mount"),
    (without("main"), "REQ_MORE_INFO", "$.main"),
    (with_main(), "REQ_MORE_INFO", "$.main"),
    (with_main(af=50), "REQ_MORE_INFO", "$.main.poles"),
    ({**with_main(af=50, poles="4P"), "device": None}, "REQ_MORE_INFO", "$.device.type"),
    (without("branches"), "REQ_MORE_INFO", "$.branches"),
    (board(branches=None), "REQ_MORE_INFO", "$.branches"),
    (with_branch(af=30, type="ELCB"), "REQ_MORE_INFO", "$.branches[2].poles"),
    (with_branch(poles="2P"), "REQ_MORE_INFO", "$.branches[2]"),
    (without("accessories"), "REQ_MORE_INFO", "$.accessories"),
    (board(accessories={"items": []}), "REQ_MORE_INFO", "$.accessories"),
    (accessories(True, []), "REQ_MORE_INFO", "$.accessories.items"),
    # what contradicts itself
    (accessories(False, [ITEM]), "ACCESSORY_CONFLICT", "$.accessories.items"),
    (board(brand="MIXED"), "BRAND_CONFLICT", "$.brand"),
    (with_branch(**MIXED_BRANCH), "BRAND_CONFLICT", "$.branches[2].brand"),
    (with_branch(model="ABN-52", poles="2P"), "BRAND_CONFLICT", "$.branches[2].model"),
    (with_main(model="ABN-54"), "BRAND_CONFLICT", "$.main.model"),
    (with_main(model="SBS-54", poles="3P"), "POLES_MISMATCH", "$.main.poles"),
    (with_branch(model="SIE-32", poles="4P"), "POLES_MISMATCH", "$.branches[2].poles"),
    (board(device={"type": "ELCB"}), "DEVICE_TYPE_MISMATCH", "$.device.type"),
    (with_branch(model="SIE-32", type="MCCB"), "DEVICE_TYPE_MISMATCH", "$.branches[2].type"),
    (with_main(model="SBS-54", af=100), "FRAME_SIZE_MISMATCH", "$.main.af"),
    (with_main(model="SBS-54", at=60), "RATED_CURRENT_MISMATCH", "$.main.at"),
    (with_branch(model="SIE-32", at=999), "RATED_CURRENT_MISMATCH", "$.branches[2].at"),
    # what nobody knows
    (board(brand="ABB"), "NEED_KNOWLEDGE_UPDATE", "$.brand"),
    (with_main(model="METASOL-999"), "NEED_KNOWLEDGE_UPDATE", "$.main.model"),
    (with_main(af=63, poles="4P"), "NEED_KNOWLEDGE_UPDATE", "$.main.af"),
    (with_branch(model="NO-SUCH"), "NEED_KNOWLEDGE_UPDATE", "$.branches[2].model"),
    (with_branch(af=49, poles="2P"), "NEED_KNOWLEDGE_UPDATE", "$.branches[2].af"),
    (accessories(True, [{"code": "?"}]), "NEED_KNOWLEDGE_UPDATE", "$.accessories.items[0].code"),
    # what is too much
    (board(branches=[{"model": "SIE-32"}] * 101), "BOARD_TOO_LARGE", "$.branches"),
    (with_branch(model="SIE-32", quantity=1_000), "BOARD_TOO_LARGE", "$"),
    (accessories(True, [ITEM] * 101), "BOARD_TOO_LARGE", "$.accessories.items"),
]  # fmt: skip


def name_of(case: object) -> str | None:
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(("request_", "code", "path"), CASES, ids=name_of)
def test_each_refusal_names_its_place(
    shared_client: Client, request_: dict[str, Any], code: str, path: str
) -> None:
    problem = problem_of(shared_client.post(CREATE, request_), 422, code)
    assert problem["path"] == path
    finding = problem["findings"][0]
    assert HANGUL.search(finding["detail"])
    assert finding["detailEn"].strip()
    assert not HANGUL.search(finding["detailEn"])
    assert finding["hint"].strip()
    assert finding["hintEn"].strip()


@pytest.mark.parametrize(("request_", "code", "path"), CASES, ids=name_of)
def test_validate_tells_the_same(
    shared_client: Client, request_: dict[str, Any], code: str, path: str
) -> None:
    checked = good(shared_client.post(VALIDATE, request_))
    assert checked["valid"] is False
    refused = problem_of(shared_client.post(CREATE, request_), 422)
    assert checked["findings"] == refused["findings"]
    assert (code, path) in codes_and_paths(checked)


def test_every_code_of_a_board_is_among_the_cases() -> None:
    assert {code for _, code, _ in CASES} == set(GATES)


@pytest.mark.parametrize(
    ("request_", "expected", "actual", "has_models"),
    [
        (with_main(model="SBS-54", poles="3P"), "4P", "3P", True),
        (board(device={"type": "ELCB"}), "MCCB", "ELCB", True),
        (with_main(model="SBS-54", af=100), 50, 100, False),
        (with_main(model="ABN-54"), "LS", "SANGDO", False),
    ],
)
def test_mismatch_tells_what_would_be_right(
    shared_client: Client, request_: dict[str, Any], expected: object, actual: object,
    has_models: bool,
) -> None:  # fmt: skip
    """What was stated, what the model is, and models that are what was stated."""
    finding = problem_of(shared_client.post(CREATE, request_), 422)["findings"][0]
    models = finding["data"].pop("models", [])
    assert finding["data"] == {"expected": expected, "actual": actual}
    assert bool(models) == has_models
    assert str(expected) in finding["hint"]
    assert str(expected) in finding["hintEn"]


def test_abstention_asks_the_exact_question(shared_client: Client) -> None:
    finding = problem_of(shared_client.post(CREATE, with_main(model="METASOL-999", poles="4P")))
    assert finding["hintEn"] == (
        "What are width, height and depth (mm) of the breaker SANGDO METASOL-999 4P?"
    )
    assert finding["hint"] == "SANGDO METASOL-999 4P 차단기의 폭·높이·깊이(mm)는 얼마입니까?"
    question = finding["findings"][0]["data"]["question"]
    assert question["model"] == "METASOL-999"


def test_next_larger_frame_is_not_assumed(shared_client: Client) -> None:
    """SANGDO has 50 and 100 AF; 75 AF is asked for, not rounded up."""
    assert shared_client.post(CREATE, with_main(af=50, poles="4P")).status_code == 201
    assert shared_client.post(CREATE, with_main(af=100, poles="4P")).status_code == 201
    problem_of(
        shared_client.post(CREATE, with_main(af=75, poles="4P")), 422, "NEED_KNOWLEDGE_UPDATE"
    )


def test_branch_given_by_model_needs_no_type(shared_client: Client) -> None:
    """SIE-32 is an ELCB on a board of MCCB."""
    answer = good(shared_client.post(CREATE, board(branches=[{"model": "SIE-32"}])), 201)
    assert answer["layout"]["placements"][1]["model"] == "SIE-32"


def test_no_branches_and_no_accessories_are_statements(shared_client: Client) -> None:
    request = board(branches=[], accessories={"enabled": False, "items": []})
    good(shared_client.post(CREATE, request), 201)


def test_all_that_is_missing_is_told_at_once(shared_client: Client) -> None:
    problem = problem_of(shared_client.post(CREATE, {}), 422, "REQ_MORE_INFO")
    assert [path for _, path in codes_and_paths(problem)] == [
        "$.brand", "$.installation.location", "$.installation.mount",
        "$.main", "$.branches", "$.accessories",
    ]  # fmt: skip


def test_all_lines_that_are_unknown_are_told_at_once(shared_client: Client) -> None:
    lines = [{"model": "NO-1"}, {"model": "SIE-32"}, {"model": "NO-2"}]
    request = board(main={"model": "NO-0"}, branches=lines)
    problem = problem_of(shared_client.post(CREATE, request), 422, "NEED_KNOWLEDGE_UPDATE")
    paths = {path for _, path in codes_and_paths(problem)}
    assert paths == {"$.main.model", "$.branches[0].model", "$.branches[2].model"}


def test_most_devices_that_are_allowed(shared_client: Client) -> None:
    request = board(branches=[{"model": "SIE-32", "quantity": 999}])
    answer = good(shared_client.post(CREATE, request), 201)
    assert len(answer["layout"]["placements"]) == 1_000


def test_most_lines_that_are_allowed(shared_client: Client) -> None:
    lines = [{"model": "SIE-32", "name": f"회로 {number}"} for number in range(100)]
    good(shared_client.post(CREATE, board(branches=lines)), 201)
