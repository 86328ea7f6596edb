"""/v1/knowledge/golden: what is pinned, at which size, and the way out of an old case."""

import re
from typing import Any

import pytest

from tests.integration.lifecycle import activate, ask, good, main_only, publish, refused, row, stage
from tests.services import Client

GOLDEN = "/v1/knowledge/golden"
REQUEST = main_only("ABN-53")


def pin(client: Client, **changes: Any) -> Any:
    return client.admin("POST", GOLDEN, {"name": "pinned", "request": REQUEST, **changes})


def test_sizes_are_told_as_estimates_tell_them(client: Client) -> None:
    text = client.admin("GET", GOLDEN).text
    assert '"W":400,' in text
    assert not re.search(r'":\d+\.0\b', text)


def test_shown_case_can_be_pinned_again(client: Client) -> None:
    shown = next(case for case in ask(client, GOLDEN))
    again = {key: shown[key] for key in ("request", "expected", "note")}
    pinned = good(pin(client, **again), 201)
    assert {key: pinned[key] for key in again} == again


def test_stated_size_must_be_what_the_board_comes_out_at(client: Client) -> None:
    actual = good(pin(client, name="measured"), 201)["expected"]
    wrong = {**actual, "W": actual["W"] + 100}
    problem = refused(pin(client, expected=wrong), 422, "GOLDEN_SIZE_MISMATCH")
    assert problem["path"] == "$.expected"
    assert problem["findings"][0]["data"] == {"expected": wrong, "actual": actual}
    for side in ("W", "H", "D"):
        assert str(actual[side]) in problem["detail"]
        assert str(wrong[side]) in problem["detailEn"]
    assert [case["name"] for case in ask(client, GOLDEN)].count("pinned") == 0
    as_floats = {side: float(length) for side, length in actual.items()}
    assert good(pin(client, expected=as_floats), 201)["expected"] == actual


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ({"W": 600, "H": 600}, "$.expected.D"),
        ({"W": "600", "H": 600, "D": 150}, "$.expected.W"),
        ({"W": 0, "H": 600, "D": 150}, "$.expected.W"),
        ({"W": True, "H": 600, "D": 150}, "$.expected.W"),
        ([600, 600, 150], "$.expected"),
    ],
)
def test_size_of_another_shape(client: Client, expected: object, path: str) -> None:
    response = pin(client, expected=expected)
    assert refused(response, 400, "INVALID_REQUEST")["path"].startswith(path)


def test_refused_activation_tells_how_an_old_case_is_mended(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    good(pin(client, request=main_only("T-100")), 201)
    stage(client, "v-b", row("T-100").replace(",155,", ",355,"))
    problem = refused(activate(client, "v-b"), 409, "REGRESSION_FAILED")
    for hint in (problem["hint"], problem["hintEn"]):
        assert GOLDEN in hint
    good(activate(client, "v-b", force=True, reason="catalogue"))
    good(client.admin("DELETE", f"{GOLDEN}/pinned"))
    good(pin(client, request=main_only("T-100")), 201)
    stage(client, "v-c", row("T-200"))
    assert good(activate(client, "v-c"))["regression"]["failed"] == 0
