"""Open questions answered on the spot, and golden cases reviewed."""

import re

import pytest

from tests.integration.console_calls import SignedIn, sign_in, words_of
from tests.integration.lifecycle import (
    activate,
    ask,
    audit_of,
    estimate,
    good,
    main_only,
    row,
    stage,
    validate,
)
from tests.services import Client

HOME = "/console/knowledge"
QUESTIONS, GOLDEN = f"{HOME}/questions", f"{HOME}/golden"
UNKNOWN = "METASOL-700X"


@pytest.fixture
def owner(client: Client) -> SignedIn:
    return sign_in(client)


def number_of(owner: SignedIn) -> str:
    """Return the number of the only question."""
    found = re.search(r'name="q(\d+)\.W"', owner.open(QUESTIONS).text)
    assert found is not None
    return found[1]


def test_answers_become_a_version_that_closes_the_question(client: Client, owner: SignedIn) -> None:
    assert "모르는 치수가 없습니다" in words_of(owner.open(QUESTIONS))
    estimate(client, main_only(UNKNOWN))
    assert "1개." in words_of(owner.open(HOME))
    number = number_of(owner)
    typed = {"W": "210", "H": "275", "D": "103", "af": "800", "type": "MCCB"}
    form = {"label": "v-a", **{f"q{number}.{name}": value for name, value in typed.items()}}
    refused = owner.send(QUESTIONS, data=form)
    assert "출처가 없습니다" in words_of(refused, 422)
    form[f"q{number}.source"] = "실측, 김 대리"
    wrong = owner.send(QUESTIONS, data={**form, f"q{number}.W": "2l0"})
    assert f"LS {UNKNOWN} 3P, 폭 W: '2l0'" in words_of(wrong, 422)
    done = owner.send(QUESTIONS, data=form)
    assert done.headers["location"] == f"{HOME}/v-a?done=imported"
    assert "실측, 김 대리" in audit_of(client.settings.home, "v-a")[0][2]
    assert validate(client, "v-a")["valid"]
    good(activate(client, "v-a"))
    assert ask(client, "/v1/knowledge/questions") == []
    good(estimate(client, main_only(UNKNOWN)), 201)


def test_nothing_typed_is_no_version(client: Client, owner: SignedIn) -> None:
    estimate(client, main_only(UNKNOWN))
    assert "적은 치수가 없습니다" in words_of(owner.send(QUESTIONS, data={"label": "v-a"}), 422)
    assert owner.send(QUESTIONS, data={"label": "a b"}).status_code == 400


def test_estimate_is_pinned_and_its_change_accepted(client: Client, owner: SignedIn) -> None:
    made = good(estimate(client, main_only("ABN-103")), 201)
    pinned = owner.send(GOLDEN, data={"estimate": made["id"], "name": "메인 단독", "note": "확인"})
    assert pinned.headers["location"] == GOLDEN
    said = words_of(owner.open(GOLDEN))
    assert "메인 단독" in said
    assert "달라짐" not in said
    stage(client, "v-a", row("ABN-103", width=400))
    activation = {"confirm": "v-a", "reason": "폭이 바뀜"}
    refused = owner.send(f"{HOME}/v-a/activate", data=activation)
    assert "메인 단독" in words_of(refused, 409)
    assert 'name="force"' in refused.text
    done = owner.send(f"{HOME}/v-a/activate", data={**activation, "force": "yes"})
    assert done.status_code == 303
    said = words_of(owner.open(GOLDEN))
    assert "달라짐" in said
    accept = f"{GOLDEN}/메인 단독/accept"
    assert owner.send(accept, data={"reason": ""}).status_code == 422
    assert owner.send(accept, data={"reason": "새 카탈로그"}).status_code == 303
    assert "새 크기를 받아들이기" not in words_of(owner.open(GOLDEN))
    assert owner.send(f"{GOLDEN}/메인 단독/delete").status_code == 303
    assert "메인 단독" not in words_of(owner.open(GOLDEN)).partition("마지막 회귀")[0]


def test_what_cannot_be_pinned(owner: SignedIn) -> None:
    assert owner.send(GOLDEN, data={"estimate": "none", "name": "x"}).status_code == 404
