"""One key and one request are one estimate, whatever happens in between.

What "the same request" means: the board as KIS reads it. Whitespace, the order of
keys, escapes and fields that are null or left out make no difference. The order
of lines does, and so does a default that is stated: those are other bodies.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.lifecycle import FIRST, good, main_only, publish, roll_back, row, rows_of
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, Client, board, dumps, running_client

CREATE = "/v1/estimate/create"
REUSED = "IDEMPOTENCY_KEY_REUSED"
INCOMPLETE = board(branches=None)


def create(client: Client, request: object, idempotency_key: str = "k-1", **more: Any) -> Any:
    headers = {"Idempotency-Key": idempotency_key}
    return client.post(CREATE, request, headers=headers, **more)


def create_raw(client: Client, text: str, idempotency_key: str = "k-1") -> httpx.Response:
    headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
    return client.request("POST", CREATE, content=text, headers=headers)


def is_replay_of(again: httpx.Response, first: httpx.Response) -> bool:
    return (
        again.headers.get("idempotency-replayed") == "true"
        and again.content == first.content
        and again.status_code == first.status_code
        and again.headers["content-type"] == first.headers["content-type"]
    )


def estimates(client: Client) -> int:
    count: int = rows_of(client.settings.home, "SELECT COUNT(*) FROM Estimate")[0][0]
    return count


# --- the same request --------------------------------------------------------------------------


def test_same_request_is_answered_with_the_same_bytes(client: Client) -> None:
    first = create(client, board())
    good(first, 201)
    assert "idempotency-replayed" not in first.headers
    for _ in range(3):
        assert is_replay_of(create(client, board()), first)
    assert estimates(client) == 1


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(board(label="한빛"), indent=4),
        json.dumps(board(label="한빛"), sort_keys=True, separators=(",", ":")),
        json.dumps(dict(reversed(board(label="한빛").items()))),
        dumps(board(label="한빛")),
        dumps(board(label="한빛", customer="", note="")),
        " \n" + dumps(board(label="한빛")) + "\r\n",
        dumps(board(label="한빛")).replace('"model": "SEC-53"', '"model": "SEC-53", "af": null'),
        dumps(board(label="한빛")).replace("SEC", "\\u0053EC"),
    ],
    ids=["indent", "sorted", "reversed", "korean", "defaults", "space", "null", "escape"],
)
def test_other_spelling_is_the_same_request(client: Client, text: str) -> None:
    first = create(client, board(label="한빛"))
    assert is_replay_of(create_raw(client, text), first)


@pytest.mark.parametrize(
    "other",
    [
        board(label="LP-2"),
        board(form="STANDARD"),
        board(form=None),
        board(branches=board()["branches"][::-1]),
        board(branches=[]),
        {**board(), "installation": {**board()["installation"], "material": "STEEL"}},
        INCOMPLETE,
        main_only("NO-SUCH"),
    ],
    ids=["label", "form", "form left out", "line order", "branches", "default", "incomplete",
         "unknown"],
)  # fmt: skip
def test_other_request_under_the_same_key(client: Client, other: dict[str, Any]) -> None:
    first = create(client, board())
    refused = problem_of(create(client, other), 422, REUSED)
    assert refused["path"] == "Idempotency-Key"
    assert is_replay_of(create(client, board()), first)
    assert estimates(client) == 1


def test_key_outlives_the_process(tmp_path: Path) -> None:
    with running_client(tmp_path / "home") as client:
        first = create(client, board())
    with running_client(tmp_path / "home") as client:
        assert is_replay_of(create(client, board()), first)
        assert estimates(client) == 1


def test_key_outlives_the_knowledge(client: Client) -> None:
    """The row is unknown now, but the estimate was made when it was known."""
    publish(client, "v-2", row("T-100"))
    first = create(client, main_only("T-100"))
    good(first, 201)
    good(roll_back(client, FIRST))
    assert is_replay_of(create(client, main_only("T-100")), first)


def test_without_a_key_each_request_is_an_estimate(client: Client) -> None:
    ids = {good(client.post(CREATE, board()), 201)["id"] for _ in range(3)}
    assert len(ids) == estimates(client) == 3


# --- at once -----------------------------------------------------------------------------------


def test_thirty_two_at_once_are_one_estimate(client: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    answers = client.gather(
        *(client.asend("POST", CREATE, json=board(), headers=headers) for _ in range(32))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    for answer in answers:
        if answer.status_code == 409:
            problem_of(answer, 409, "IDEMPOTENCY_IN_FLIGHT")
            assert answer.headers["retry-after"] == "1"
    assert estimates(client) == 1
    assert is_replay_of(create(client, board()), made[0])


def test_thirty_two_keys_at_once_are_thirty_two_estimates(client: Client) -> None:
    answers = client.gather(
        *(
            client.asend("POST", CREATE, json=board(), headers={"Idempotency-Key": f"k-{n}"})
            for n in range(32)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == estimates(client) == 32


def test_different_requests_at_once_under_one_key(client: Client) -> None:
    """One is answered; the others learn that the key is taken, in one way or the other."""
    answers = client.gather(
        *(
            client.asend(
                "POST", CREATE, json=board(label=f"{n}"), headers={"Idempotency-Key": "k-1"}
            )
            for n in range(8)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == estimates(client) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert problem_of(answer)["code"] in (REUSED, "IDEMPOTENCY_IN_FLIGHT")


# --- refusals ----------------------------------------------------------------------------------


def test_abstention_leaves_the_key_free(client: Client) -> None:
    for _ in range(2):
        refused = create(client, main_only("T-100"))
        problem_of(refused, 422, "NEED_KNOWLEDGE_UPDATE")
        assert "idempotency-replayed" not in refused.headers
    publish(client, "v-2", row("T-100"))
    answered = create(client, main_only("T-100"))
    good(answered, 201)
    assert is_replay_of(create(client, main_only("T-100")), answered)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (INCOMPLETE, "REQ_MORE_INFO"),
        (board(accessories={"enabled": False, "items": [{"code": "X"}]}), "ACCESSORY_CONFLICT"),
        (board(branches=[{"model": "SIE-32"}] * 101), "BOARD_TOO_LARGE"),
    ],
    ids=["REQ_MORE_INFO", "ACCESSORY_CONFLICT", "BOARD_TOO_LARGE"],
)
def test_refusal_that_cannot_change_is_kept(
    client: Client, request_: dict[str, Any], code: str
) -> None:
    first = create(client, request_)
    problem_of(first, 422, code)
    assert is_replay_of(create(client, request_), first)
    problem_of(create(client, board()), 422, REUSED)
    assert estimates(client) == 0


@pytest.mark.parametrize(
    "request_",
    [
        board(brand="MIXED"),
        board(main={"model": "SBS-54", "poles": "3P"}),
        board(device={"type": "ELCB"}),
        board(main={"model": "SBS-54", "af": 100}),
        board(branches=[{"model": "NO-SUCH"}]),
    ],
    ids=["brand", "poles", "type", "frame", "unknown"],
)
def test_refusal_that_knowledge_or_settings_could_change_is_not_kept(
    client: Client, request_: dict[str, Any]
) -> None:
    for _ in range(2):
        refused = create(client, request_)
        problem_of(refused, 422)
        assert "idempotency-replayed" not in refused.headers
    good(create(client, board()), 201)


def test_ambiguity_of_the_tables_leaves_the_key_free(client: Client) -> None:
    """The request says no poles, which is enough until a table has the model twice."""
    request = board(brand="LS", main={"model": "T-100"}, branches=[])
    publish(client, "v-2", row("T-100", poles=3), row("T-100", poles=4))
    assert problem_of(create(client, request), 422, "REQ_MORE_INFO")["path"] == "$.main.poles"
    good(roll_back(client, FIRST))
    publish(client, "v-3", row("T-100", poles=3))
    good(create(client, request), 201)


def test_malformed_request_leaves_the_key_free(client: Client) -> None:
    problem_of(create(client, board(brand=1)), 400, "INVALID_REQUEST")
    problem_of(create_raw(client, "{"), 400, "MALFORMED_JSON")
    good(create(client, board()), 201)


# --- whose key, which key -----------------------------------------------------------------------


def test_key_belongs_to_its_owner(client: Client) -> None:
    mine = create(client, board())
    theirs = create(client, board(label="theirs"), key=ADMIN_API_KEY)
    assert good(mine, 201)["id"] != good(theirs, 201)["id"]
    assert is_replay_of(create(client, board()), mine)
    assert is_replay_of(create(client, board(label="theirs"), key=ADMIN_API_KEY), theirs)


def test_key_belongs_to_its_operation(client: Client) -> None:
    first = create(client, board())
    headers = {"Idempotency-Key": "k-1"}
    checked = client.post("/v1/estimate/validate", board(label="other"), headers=headers)
    assert good(checked)["valid"]
    assert "idempotency-replayed" not in checked.headers
    assert is_replay_of(create(client, board()), first)


@pytest.mark.parametrize(
    "key",
    [b"", b"k" * 256, "키".encode(), b"\xe9", b"a\tb", b"a\x00b", b"a\x7fb"],
    ids=["empty", "long", "utf-8", "latin-1", "tab", "nul", "delete"],
)
def test_key_that_cannot_be_kept(client: Client, key: bytes) -> None:
    refused = client.post(CREATE, board(), headers={"Idempotency-Key": key})
    assert problem_of(refused, 400, "INVALID_REQUEST")["path"] == "Idempotency-Key"
    assert estimates(client) == 0


@pytest.mark.parametrize("key", ["k", "k" * 255, "a b", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_key_that_can(client: Client, key: str) -> None:
    first = create(client, board(), key)
    good(first, 201)
    assert is_replay_of(create(client, board(), key), first)


@pytest.mark.parametrize(("days", "is_kept"), [(29, True), (31, False)])
def test_key_is_kept_for_thirty_days(tmp_path: Path, days: int, is_kept: bool) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        first = create(client, board())
    with closing(sqlite3.connect(home / "data" / "kis.db")) as connection, connection:
        aged = "strftime('%Y-%m-%d %H:%M:%f000', 'now', ?)"
        sql = f"UPDATE idempotency_record SET created_at = {aged}"
        assert connection.execute(sql, [f"-{days} days"]).rowcount == 1
    with running_client(home) as client:
        again = create(client, board())
        assert is_replay_of(again, first) is is_kept
        assert estimates(client) == (1 if is_kept else 2)


# --- what the operator sees ---------------------------------------------------------------------


def test_replays_in_the_log(client: Client) -> None:
    """A replay counts as what it repeats: a hit, or a refusal with its code."""
    for request in (board(), board(), INCOMPLETE, INCOMPLETE):
        create(client, request, "k-1" if request == board() else "k-2")
    log = client.settings.log_file.read_text(encoding="utf-8")
    assert log.count("1 cache_hit ") == 2
    assert "0 cache_hit " not in log
    assert log.count(" WARNING REQ_MORE_INFO $.branches ") == 2
