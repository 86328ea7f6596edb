"""The estimating screen without a browser: what it is answered as one types."""

import copy
import re
from typing import Any

import httpx
import pytest

from kis.api.examples import BOARD
from tests.integration.lifecycle import rows_of
from tests.services import API_KEY, Client

PAGE = "/console/estimate"
TOKEN = re.compile(r'csrf-token" content="([0-9a-f]+)"')


class Desk:
    """Somebody who is signed in and types."""

    def __init__(self, client: Client) -> None:
        """Sign in."""
        self.client = client
        opened = client.request("POST", "/console/sign-in", key=None, data={"key": API_KEY})
        self.cookie = f"kis_session={opened.cookies['kis_session']}"
        found = TOKEN.search(self.open(PAGE).text)
        assert found
        self.headers = {"Cookie": self.cookie, "X-CSRF-Token": found[1], "X-Console": "1"}

    def open(self, path: str) -> httpx.Response:
        return self.client.request("GET", path, key=None, headers={"Cookie": self.cookie})

    def send(self, path: str, board: Any, **headers: str) -> httpx.Response:
        sent = {**self.headers, **headers}
        return self.client.request("POST", PAGE + path, key=None, json=board, headers=sent)


@pytest.fixture
def desk(client: Client) -> Desk:
    return Desk(client)


def board_with(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BOARD), **changes}


def estimates_of(client: Client) -> int:
    return len(rows_of(client.settings.home, 'SELECT id FROM "Estimate"'))


def test_preview_shows_what_create_would_answer(desk: Desk, client: Client) -> None:
    answer = desk.send("/preview", BOARD)
    assert answer.status_code == 200
    assert "600 × 600 × 150" in answer.text
    assert "HB606015" in answer.text
    assert '"branches[1]": {' in answer.text
    assert estimates_of(client) == 0


def test_preview_tells_what_is_wrong_where_and_what_instead(desk: Desk) -> None:
    branches = [{"model": "SIE-32", "poles": "3P"}, {"af": 50, "poles": "3P", "type": "ELCB"}]
    answer = desk.send("/preview", board_with(branches=branches))
    assert answer.status_code == 200
    assert 'data-field="branches[0].poles" data-code="POLES_MISMATCH"' in answer.text
    assert 'data-fix="branches[0].poles" data-value="2P"' in answer.text
    unreadable = desk.send("/preview", board_with(branches=[{"model": "SIE-32", "quantity": "x"}]))
    assert 'data-field="branches[0].quantity" data-code="INVALID_REQUEST"' in unreadable.text


def test_an_estimate_is_saved_once_for_a_key(desk: Desk, client: Client) -> None:
    made = [desk.send("", BOARD, **{"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert estimates_of(client) == 1
    stored = client.get(f"/v1/estimate/{made[0].json()['id']}")
    assert stored.json()["request"]["label"] == "LP-1"


def test_a_board_that_cannot_be_estimated_is_not_saved(desk: Desk, client: Client) -> None:
    stated = board_with()
    del stated["accessories"]
    for _ in range(2):  # the second one is the answer that was kept
        answer = desk.send("", stated, **{"Idempotency-Key": "k-2"})
        assert answer.status_code == 422
        assert 'data-field="accessories"' in answer.text
        assert 'data-fix="accessories" data-value="none"' in answer.text
    assert estimates_of(client) == 0


def test_an_unknown_breaker_leads_to_a_question(desk: Desk, client: Client) -> None:
    unknown = board_with(main={"model": "SBS-999", "poles": "4P"})
    before = desk.send("/preview", unknown).text
    assert "data-ask" in before
    assert client.admin("GET", "/v1/knowledge/questions").json() == []
    asked = desk.send("/questions", unknown)
    assert asked.status_code == 200
    assert "data-ask" not in asked.text
    (question,) = client.admin("GET", "/v1/knowledge/questions").json()
    assert "SBS-999" in question["subject"]
    assert "열린 질문" in desk.send("/preview", unknown).text


def test_a_variant_begins_with_the_stored_board(desk: Desk, client: Client) -> None:
    made = client.post("/v1/estimate/create", BOARD).json()
    page = desk.open(f"{PAGE}?from={made['id']}")
    assert f'"source": "{made["id"]}"' in page.text
    assert '"model": "SBS-54"' in page.text
    assert desk.open(f"{PAGE}?from=0-0").status_code == 404


def test_a_stored_estimate_that_is_damaged_is_told(desk: Desk, client: Client) -> None:
    made = client.post("/v1/estimate/create", BOARD).json()
    rows_of(client.settings.home, """UPDATE "Estimate" SET answer = '{'""")
    for path in (f"{PAGE}?from={made['id']}", f"/console/estimates/{made['id']}"):
        page = desk.open(path)
        assert (page.status_code, "저장된 견적이 손상되었습니다" in page.text) == (500, True)


def test_models_are_completed(desk: Desk) -> None:
    found = desk.open("/console/models?q=sie32&brand=SANGDO").json()
    assert "SIE-32" in [item["model"] for item in found["items"]]
    assert desk.open(f"/console/models?q={'x' * 500}").json()["items"] == []


def test_it_is_where_everybody_begins(desk: Desk) -> None:
    for path in ("/", "/console"):
        assert desk.open(path).headers["location"] == PAGE


def test_refusals_of_the_rim_are_told(desk: Desk) -> None:
    answer = desk.send("", BOARD, **{"Idempotency-Key": "x" * 256})
    assert answer.status_code == 400
    assert "<html" not in answer.text
    assert desk.send("/preview", BOARD, **{"X-CSRF-Token": "0"}).status_code == 403
