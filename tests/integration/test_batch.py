"""POST /v1/estimate/batch: each line is a create of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from kis.api import batch, batch_run
from kis.errors import ErrorCode
from kis.estimate.batch import Chunk, Computed
from kis.knowledge.active import Active
from tests.backends import SQLITE_ONLY
from tests.integration.batches import BATCH, NDJSON, body_of, send_batch
from tests.integration.lifecycle import audit_of, good, rows_of, verify_evidence
from tests.integration.problems import PROBLEM_FIELDS, problem_of
from tests.services import Client, board, running_client

CREATE = "/v1/estimate/create"
UNKNOWN = board(main={"model": "T-1", "poles": "4P"})


def keyed(key: str, **changes: Any) -> dict[str, Any]:
    return {"idempotencyKey": key, **board(**changes)}


def counts(client: Client) -> tuple[int, ...]:
    (found,) = rows_of(
        client.settings.home,
        "SELECT (SELECT count(*) FROM Estimate), (SELECT count(*) FROM evidence),"
        " (SELECT count(*) FROM audit_entry WHERE action = 'estimate.create'),"
        " (SELECT count(*) FROM idempotency_record)",
    )
    return tuple(found)


# --- lines ------------------------------------------------------------------------------


def test_each_line_is_an_estimate_with_all_that_belongs_to_it(client: Client) -> None:
    answers = send_batch(client, *(keyed(f"k-{n}", label=f"LP-{n}") for n in range(300)))
    assert [answer["line"] for answer in answers] == list(range(1, 301))
    assert [answer["estimate"]["request"]["label"] for answer in answers] == [
        f"LP-{n}" for n in range(300)
    ]
    assert counts(client) == (300, 300, 300, 300)
    for answer in answers[::100]:
        assert (answer["status"], answer["replayed"]) == (201, False)
        estimate = answer["estimate"]
        read = client.get(f"/v1/estimate/{estimate['id']}")
        assert read.json() == estimate
        assert verify_evidence(client, estimate["id"])["valid"]
        assert len(audit_of(client.settings.home, estimate["id"])) == 1
    ids = [answer["estimate"]["id"] for answer in answers]
    assert len(set(ids)) == 300


def test_an_estimate_has_the_bytes_that_create_sends(client: Client) -> None:
    created = client.post(CREATE, board(), headers={"Idempotency-Key": "k"})
    raw = client.request(
        "POST", BATCH, content=body_of([keyed("k")]), headers={"Content-Type": NDJSON}
    ).content
    assert b'"replayed":true' in raw
    assert b'"estimate":' + created.content + b"}\n" in raw


def test_a_refused_line_is_a_problem_with_its_number(client: Client) -> None:
    lines = [
        keyed("a"), b"{", b"\xff\xfe", [], board(colour="red"), b" ", {"idempotencyKey": ""},
        keyed("b", brand=None), {**UNKNOWN, "idempotencyKey": "c"}, board(),
    ]  # fmt: skip
    answers = send_batch(client, *lines)
    assert [a["line"] for a in answers] == [1, 2, 3, 4, 5, 7, 8, 9, 10]
    assert [(a["status"], a.get("code"), a.get("path"), a["idempotencyKey"]) for a in answers] == [
        (201, None, None, "a"),
        (400, "MALFORMED_JSON", "", None),
        (400, "MALFORMED_JSON", "", None),
        (400, "INVALID_REQUEST", "$", None),
        (400, "INVALID_REQUEST", "$.colour", None),
        (400, "INVALID_REQUEST", "$.idempotencyKey", None),
        (422, "REQ_MORE_INFO", "$.brand", "b"),
        (422, "NEED_KNOWLEDGE_UPDATE", "$.main.model", "c"),
        (201, None, None, None),
    ]
    for answer in answers:
        if "code" in answer:
            assert set(answer) == PROBLEM_FIELDS | {"line", "idempotencyKey", "replayed"}
    assert counts(client)[:3] == (2, 2, 2)


def test_a_refusal_is_told_as_create_tells_it(client: Client) -> None:
    alone = problem_of(client.post(CREATE, UNKNOWN), 422)
    (line,) = send_batch(client, UNKNOWN)
    for name in PROBLEM_FIELDS - {"requestId"}:
        assert line[name] == alone[name]


def test_nothing_in_nothing_out(client: Client) -> None:
    assert send_batch(client) == []
    assert send_batch(client, b"", b" ") == []


def test_a_line_that_is_too_long_is_its_own_error(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", MAX_BODY_BYTES="1024") as client:
        exact = json.dumps(board()).encode().ljust(1024)
        answers = send_batch(client, board(), exact, exact + b" ", b"x" * 100_000, board())
        assert [a["status"] for a in answers] == [201, 201, 413, 413, 201]
        assert answers[2]["code"] == ErrorCode.BODY_TOO_LARGE
        assert "1024" in answers[2]["detail"]


def test_lines_beyond_the_limit_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_run, "MAX_BOARDS", 5)
    answers = send_batch(client, *[board()] * 5)
    assert [a["status"] for a in answers] == [201] * 5
    answers = send_batch(client, *[board(), b""] * 9)
    assert [(a["line"], a["status"]) for a in answers] == [
        *((n, 201) for n in (1, 3, 5, 7, 9)), (11, 413)
    ]  # fmt: skip
    assert counts(client)[0] == 10


# --- the same line twice ----------------------------------------------------------------


def test_a_line_that_was_answered_is_replayed(client: Client) -> None:
    lines = [keyed("a", label="A"), keyed("b", brand=None), {"idempotencyKey": "c", **UNKNOWN}]
    first, again = send_batch(client, *lines), send_batch(client, *lines)
    assert [a["replayed"] for a in first] == [False, False, False]
    assert [a["replayed"] for a in again] == [True, True, False]
    assert again[0]["estimate"] == first[0]["estimate"]
    assert again[1] == {**first[1], "replayed": True}
    assert counts(client) == (1, 1, 1, 2)


def test_a_batch_that_is_sent_again_is_not_estimated_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[Computed] = []
    workers = client.application.services.workers
    compute = workers.compute

    async def watch(active: Active, chunk: Chunk) -> list[Computed]:
        found = await compute(active, chunk)
        computed.extend(found)
        return found

    monkeypatch.setattr(workers, "compute", watch)
    lines = [keyed(f"k-{n}", label=f"LP-{n}") for n in range(150)]
    first = send_batch(client, *lines)
    assert all(line.record for line in computed)
    computed.clear()
    new, other = keyed("new"), keyed("k-149", label="other")
    again = send_batch(client, *lines, new, other)
    assert [line.key and line.key.key for line in computed if line.record] == ["new"]
    assert again[:150] == [{**answer, "replayed": True} for answer in first]
    assert (again[150]["status"], again[151]["code"]) == (201, "IDEMPOTENCY_KEY_REUSED")


def test_an_answer_that_is_forgotten_meanwhile(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found before the line is computed, gone when it is to be given again: estimated anew."""
    (first,) = send_batch(client, keyed("k"))
    workers = client.application.services.workers
    compute = workers.compute

    async def forget(active: Active, chunk: Chunk) -> list[Computed]:
        rows_of(client.settings.home, "DELETE FROM idempotency_record")
        return await compute(active, chunk)

    monkeypatch.setattr(workers, "compute", forget)
    (second,) = send_batch(client, keyed("k"))
    assert (second["status"], second["replayed"]) == (201, False)
    assert second["estimate"]["id"] != first["estimate"]["id"]
    assert counts(client)[0] == 2


def test_lines_and_creates_share_their_keys(client: Client) -> None:
    by_create = good(client.post(CREATE, board(), headers={"Idempotency-Key": "k-1"}), 201)
    replayed, created = send_batch(client, keyed("k-1"), keyed("k-2"))
    assert (replayed["replayed"], replayed["estimate"]) == (True, by_create)
    again = client.post(CREATE, board(), headers={"Idempotency-Key": "k-2"})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == created["estimate"]


def test_one_key_twice_in_a_batch(client: Client) -> None:
    """The first line has it, however far apart they are."""
    between = [board()] * 150
    lines = [keyed("k"), keyed("k"), keyed("k", label="other"), *between, keyed("k")]
    answers = send_batch(client, *lines)
    first, same, other, last = answers[0], answers[1], answers[2], answers[-1]
    assert (first["replayed"], same["replayed"], last["replayed"]) == (False, True, True)
    assert first["estimate"] == same["estimate"] == last["estimate"]
    assert (other["status"], other["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    refused = send_batch(client, keyed("r", brand=None), keyed("r", brand=None))
    assert [a["replayed"] for a in refused] == [False, True]
    assert counts(client)[3] == 2


# --- what else is kept --------------------------------------------------------------------


def test_an_abstention_becomes_an_open_question(client: Client) -> None:
    send_batch(client, UNKNOWN, board(), UNKNOWN)
    (question,) = good(client.admin("GET", "/v1/knowledge/questions"))
    assert question["timesAsked"] == 2
    assert "T-1" in question["subject"]


def test_the_log_has_a_line_for_each_estimate(client: Client) -> None:
    send_batch(client, *[board()] * 200, UNKNOWN, board(brand=None), b"{")
    log = client.settings.log_file.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("1 cache_hit ") for line in log) == 200
    assert sum(line.startswith("0 cache_hit ") for line in log) == 1
    assert sum(" WARNING NEED_KNOWLEDGE_UPDATE " in line for line in log) == 1
    assert sum(" WARNING REQ_MORE_INFO " in line for line in log) == 1
    assert sum(f'"POST {BATCH}" 200' in line for line in log) == 1
    metrics = client.get("/metrics").text
    assert 'kis_estimates_total{outcome="created"} 200.0' in metrics
    assert 'kis_estimates_total{outcome="MALFORMED_JSON"} 1.0' in metrics
    assert 'kis_lookups_total{result="miss"} 1.0' in metrics


# --- the request as a whole ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/x-ndjson; charset=utf-8", "application/jsonl"])
def test_kinds_of_bodies(client: Client, kind: str) -> None:
    body = body_of([{}])
    assert client.request("POST", BATCH, content=body, headers={"Content-Type": kind}).is_success


def test_requests_that_are_no_batch(client: Client) -> None:
    problem_of(client.post(BATCH, board()), 415, "UNSUPPORTED_MEDIA_TYPE")
    zipped = {"Content-Type": NDJSON, "Content-Encoding": "gzip"}
    problem_of(client.request("POST", BATCH, content=b"", headers=zipped), 415)
    problem_of(client.request("POST", BATCH, key=None, content=b""), 401)
    problem_of(client.get(BATCH), 405, "METHOD_NOT_ALLOWED")


def test_a_batch_counts_as_one_request(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE="2") as client:
        assert [a["status"] for a in send_batch(client, *[board()] * 10)] == [201] * 10
        send_batch(client, board())
        headers = {"Content-Type": NDJSON}
        response = client.request("POST", BATCH, content=b"", headers=headers)
        problem_of(response, 429, "RATE_LIMITED")


def test_too_many_at_once_are_told_to_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_AT_ONCE", 0)
    response = client.request(
        "POST", BATCH, content=body_of([board()]), headers={"Content-Type": NDJSON}
    )
    problem_of(response, 503, "OVERLOADED")
    assert response.headers["retry-after"]
    monkeypatch.undo()
    assert send_batch(client, board())[0]["status"] == 201


@SQLITE_ONLY  # a file goes away; servers do in test_server_loss
def test_what_cannot_be_stored_is_each_lines_error(client: Client) -> None:
    path = client.settings.home / "data" / "kis.db"
    away = path.rename(path.with_name("away.db"))
    answers = send_batch(client, board(), b"{", keyed("k-1"), {"idempotencyKey": "\0"})
    assert {(a["status"], a["code"]) for a in answers} == {(503, "NOT_READY")}
    assert [a["idempotencyKey"] for a in answers] == [None, None, "k-1", None]
    away.rename(path)
    assert send_batch(client, board())[0]["status"] == 201
