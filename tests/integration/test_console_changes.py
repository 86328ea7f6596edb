"""What a version would change, before anybody activates it."""

from typing import Any

from tests.integration.console_calls import SignedIn, sign_in, told, words_of
from tests.integration.lifecycle import (
    FIRST,
    HEADER,
    estimate,
    good,
    import_table,
    main_only,
    row,
    stage,
)
from tests.services import Client

HOME = "/console/knowledge"
MODEL = "ABN-103"


def replayed(owner: SignedIn, label: str, last: str = "1000") -> list[dict[str, Any]]:
    return told(owner, f"{HOME}/{label}/replay", data={"last": last})


def test_boards_that_would_change_are_listed_and_drawn(client: Client) -> None:
    owner = sign_in(client)
    named = {"label": "LP-1", "customer": "가나전기"}
    made = good(estimate(client, main_only(MODEL, **named)), 201)
    stage(client, "v-a", row(MODEL, width=400))
    page = words_of(owner.open(f"{HOME}/v-a/changes"))
    assert "개 그대로" in page
    *_, last = replayed(owner, "v-a")
    assert made["id"] in last["html"]
    assert "크기가 달라짐 1" in last["html"]
    assert f"차단기 LS {MODEL} 3P" in last["html"]
    assert "LP-1</a>" in last["html"]
    assert "가나전기" in last["html"]
    at = f"{HOME}/v-a/boards/{made['id']}"
    assert at in last["html"]
    board = owner.open(at, headers={"X-Console": "1"})
    assert board.text.count("<svg") == 2
    assert "style=" not in board.text
    assert "<html" not in board.text
    said = words_of(owner.open(at))
    assert "LP-1 가나전기 · ABN-103" in said


def test_a_board_that_could_not_be_answered_says_why(client: Client) -> None:
    owner = sign_in(client)
    made = good(estimate(client, main_only(MODEL)), 201)
    content = "\n".join((HEADER, row("T-1"))) + "\n"
    good(import_table(client, "v-a", content, mode="replace"), 201)
    owner.send(f"{HOME}/v-a/validate")
    *_, last = replayed(owner, "v-a", "10000")
    assert "견적 못 함 1" in last["html"]
    board = owner.open(f"{HOME}/v-a/boards/{made['id']}", headers={"X-Console": "1"})
    assert board.text.count("<svg") == 1
    assert "NEED_KNOWLEDGE_UPDATE" in board.text


def test_nothing_to_replay_and_nothing_to_replay_under(client: Client) -> None:
    owner = sign_in(client)
    *_, last = replayed(owner, FIRST)
    assert "아직 낸 견적이 없습니다" in last["html"]
    *_, last = replayed(owner, "v-none")
    assert "v-none" in last["problem"]
    assert owner.open(f"{HOME}/{FIRST}/boards/none").status_code == 404
