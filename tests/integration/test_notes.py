"""/v1/estimate/{id}/note: noted beside an estimate, which never changes, and never lost."""

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kis.access.keys import Scope, key_id_for
from kis.estimate.notes import MAX_NOTE_CHARACTERS
from tests.integration.lifecycle import audit_of, estimate, good, refused, verify_evidence
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

NOBODY = "0199c0de-0000-7000-8000-000000000000"
EMPTY = {"note": "", "revision": 0, "updatedAt": None, "updatedBy": None}


@pytest.fixture
def made(shared_client: Client) -> Any:
    """A new estimate."""
    return good(estimate(shared_client, board(label="LP-1", note="도면 비고")), 201)


def read(client: Client, estimate_id: str) -> Any:
    return good(client.get(f"/v1/estimate/{estimate_id}/note"))


def write(
    client: Client, estimate_id: str, note: object, revision: object, key: str = API_KEY
) -> httpx.Response:
    body = {"note": note, "revision": revision}
    return client.request("PUT", f"/v1/estimate/{estimate_id}/note", key=key, json=body)


def test_nobody_has_noted_anything(shared_client: Client, made: Any) -> None:
    assert read(shared_client, made["id"]) == EMPTY


def test_note_is_written_and_changed(shared_client: Client, made: Any) -> None:
    first = good(write(shared_client, made["id"], "현장 실측 뒤 확정\n- 3월 납품", 0))
    assert datetime.fromisoformat(first.pop("updatedAt")) > datetime.fromisoformat(
        made["createdAt"]
    )
    by = key_id_for(Scope.API, API_KEY)
    assert first == {"note": "현장 실측 뒤 확정\n- 3월 납품", "revision": 1, "updatedBy": by}
    second = good(write(shared_client, made["id"], "확정", 1, key=ADMIN_API_KEY))
    assert (second["revision"], second["updatedBy"]) == (2, key_id_for(Scope.ADMIN, ADMIN_API_KEY))
    assert read(shared_client, made["id"]) == second
    cleared = good(write(shared_client, made["id"], "", 2))
    assert (cleared["note"], cleared["revision"]) == ("", 3)
    assert read(shared_client, made["id"]) == cleared


def test_estimate_and_its_evidence_do_not_change(shared_client: Client, made: Any) -> None:
    paths = [f"/v1/estimate/{made['id']}", f"/v1/evidence/{made['id']}"]
    before = [shared_client.get(path).content for path in paths]
    good(write(shared_client, made["id"], "확정", 0))
    assert [shared_client.get(path).content for path in paths] == before
    assert verify_evidence(shared_client, made["id"])["valid"]
    assert made["request"]["note"] == "도면 비고"


def test_notes_are_audited_without_their_words(shared_client: Client, made: Any) -> None:
    for revision, note in enumerate(("하나", "둘")):
        good(write(shared_client, made["id"], note, revision))
    refused(write(shared_client, made["id"], "셋", 0), 409, "NOTE_CHANGED")
    _, *noted = audit_of(shared_client.settings.home, made["id"])
    by = key_id_for(Scope.API, API_KEY)
    assert [entry[:3] for entry in noted] == [(by, "estimate.note", "")] * 2
    assert len({entry[3] for entry in noted}) == 2


# --- two at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [0, 1, 3, 1_000])
def test_other_revision_than_the_one_that_is_there(
    shared_client: Client, made: Any, revision: int
) -> None:
    good(write(shared_client, made["id"], "하나", 0))
    there = good(write(shared_client, made["id"], "둘", 1))
    response = write(shared_client, made["id"], "내 것", revision)
    problem = problem_of(response, 409, "NOTE_CHANGED")
    assert problem["path"] == "$.revision"
    assert "revision 2" in problem["detail"]
    # All that it takes to merge the two.
    assert problem["findings"][0]["data"] == there
    assert read(shared_client, made["id"]) == there


def test_first_note_takes_revision_0(shared_client: Client, made: Any) -> None:
    problem = problem_of(write(shared_client, made["id"], "하나", 1), 409, "NOTE_CHANGED")
    assert problem["findings"][0]["data"] == EMPTY
    assert read(shared_client, made["id"]) == EMPTY


@pytest.mark.parametrize("revision", [0, 1])
def test_of_many_at_once_one_is_written(shared_client: Client, made: Any, revision: int) -> None:
    if revision:
        good(write(shared_client, made["id"], "먼저", 0))
    path = f"/v1/estimate/{made['id']}/note"
    bodies = [{"note": f"메모 {number}", "revision": revision} for number in range(20)]
    answers = shared_client.gather(
        *(shared_client.asend("PUT", path, json=body) for body in bodies)
    )
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [problem_of(answer, 409, "NOTE_CHANGED") for answer in answers if answer.is_error]
    assert len(lost) == 19
    assert all(problem["findings"][0]["data"] == won for problem in lost)
    assert read(shared_client, made["id"]) == won


# --- what is taken -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("가" * MAX_NOTE_CHARACTERS, None),
        ("\U0001f600" * MAX_NOTE_CHARACTERS, None),
        ("\n\n  끝 \n", None),
        ("한 줄\r\n두 줄", "한 줄\n두 줄"),
        ("\r\n" * MAX_NOTE_CHARACTERS, "\n" * MAX_NOTE_CHARACTERS),
        ("'; DROP TABLE estimate_note; --", None),
        ("<script>alert(1)</script> %s {x} \\n", None),
    ],
    ids=range(7),
)
def test_text_is_stored_as_it_is(
    shared_client: Client, made: Any, sent: str, stored: str | None
) -> None:
    good(write(shared_client, made["id"], sent, 0))
    assert read(shared_client, made["id"])["note"] == (sent if stored is None else stored)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("가" * (MAX_NOTE_CHARACTERS + 1), "최대 4000자"),
        ("탭\t", "제어 문자"),
        ("\x00", "제어 문자"),
        ("줄\r끝", "제어 문자"),
        ("\x7f", "제어 문자"),
        (None, "문자열이어야 합니다"),
        (1, "문자열이어야 합니다"),
        (["a"], "문자열이어야 합니다"),
    ],
    ids=range(8),
)
def test_text_that_is_none(shared_client: Client, made: Any, note: object, said: str) -> None:
    problem = problem_of(write(shared_client, made["id"], note, 0), 400, "INVALID_REQUEST")
    assert problem["path"] == "$.note"
    assert said in problem["detail"]
    assert len(str(problem)) < 2_000
    assert read(shared_client, made["id"]) == EMPTY


@pytest.mark.parametrize("revision", [-1, 1.5, "0", None, True, 2**31 - 1, 2**53 - 1])
def test_revision_that_is_none(shared_client: Client, made: Any, revision: object) -> None:
    problem = problem_of(write(shared_client, made["id"], "x", revision), 400, "INVALID_REQUEST")
    assert problem["path"] == "$.revision"


@pytest.mark.parametrize("body", [{}, {"note": "x"}, {"revision": 0}, [], "x", 1])
def test_body_of_another_shape(shared_client: Client, made: Any, body: object) -> None:
    path = f"/v1/estimate/{made['id']}/note"
    problem_of(shared_client.request("PUT", path, json=body), 400, "INVALID_REQUEST")


def test_unknown_field(shared_client: Client, made: Any) -> None:
    body = {"note": "x", "revision": 0, "author": "me"}
    path = f"/v1/estimate/{made['id']}/note"
    problem = problem_of(shared_client.request("PUT", path, json=body), 400, "INVALID_REQUEST")
    assert problem["path"] == "$.author"


@pytest.mark.parametrize("name", [NOBODY, "create", "x", "%00", "x" * 65])
def test_estimate_that_is_none(shared_client: Client, name: str) -> None:
    expected = 404 if len(name) < 65 and name != "%00" else 400
    for response in (
        shared_client.get(f"/v1/estimate/{name}/note"),
        write(shared_client, name, "x", 0),
        write(shared_client, name, "x", 7),
    ):
        problem_of(response, expected)


def test_other_methods(shared_client: Client, made: Any) -> None:
    path = f"/v1/estimate/{made['id']}/note"
    for method in ("POST", "DELETE", "PATCH"):
        response = shared_client.request(method, path, json={"note": "x", "revision": 0})
        problem_of(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "GET, HEAD, PUT"


def test_log_has_no_words_of_a_note(shared_client: Client, made: Any) -> None:
    good(write(shared_client, made["id"], "비밀 거래처", 0))
    refused(write(shared_client, made["id"], "비밀 할인", 0), 409, "NOTE_CHANGED")
    log = Path(shared_client.settings.log_file).read_text(encoding="utf-8")
    assert "NOTE_CHANGED" in log
    assert "비밀" not in log
