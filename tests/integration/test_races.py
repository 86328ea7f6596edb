"""Two servers on one PostgreSQL want the same thing at the same instant: one gets it.

Each unique constraint is raced on. A third session locks the table until both
servers wait to write into it, so that both have looked before either writes.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import UniqueConstraint

import kis.app  # noqa: F401 - so that every table is known
from kis.db.metadata import metadata
from tests.integration.batches import send_batch
from tests.integration.lifecycle import (
    FIRST,
    TABLES,
    VERSIONS,
    activate,
    ask,
    audit_of,
    estimate,
    good,
    import_table,
    main_only,
    refused,
    roll_back,
    row,
    rows_of,
    stage,
    staged_files,
    table,
    validate,
)
from tests.integration.program import until
from tests.integration.racing import (
    Pair,
    Request,
    one_of,
    race,
    race_on_row,
    running_pair,
    statuses,
)
from tests.postgres import wait_for_locks
from tests.services import ADMIN_API_KEY, Server, board

CREATE = "/v1/estimate/create"
GOLDEN = "/v1/knowledge/golden"
ROUNDS = 5
RACED_ON = {
    "pk_idempotency_record": "one estimate, both get its answer",
    "pk_knowledge_document": "kept once, both versions have it",
    "uq_knowledge_version_label": "VERSION_ALREADY_EXISTS",
    "pk_knowledge_pointer": "ACTIVATION_CONFLICT",
    "uq_knowledge_question_subject": "counted for both",
    "pk_golden_case": "GOLDEN_CASE_EXISTS",
    "pk_rate_limit": "counted for both",
    "pk_estimate_note": "NOTE_CHANGED",
    "pk_sign_in_failure": "counted for both",
    "pk_worker_since": "the first one stays",
}
NEVER_EQUAL = {
    "pk_Estimate", "pk_evidence",  # 74 random bits
    "pk_console_session",  # random
    "pk_worker", "pk_commit_mark",  # each process has a name of its own
    "pk_api_key", "pk_evidence_key",  # random, and stored one process at a time
    "pk_audit_entry", "pk_knowledge_version", "pk_knowledge_activation", "pk_knowledge_question",
    "pk_knowledge_pending",
}  # fmt: skip
"""The database numbers the others itself."""

_numbers = count()


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("races"), request, per_minute=0) as both:
        yield both


def new_label() -> str:
    return f"v-race-{next(_numbers)}"


def with_key(key: str, body: dict[str, Any]) -> Request:
    return lambda to: to.request("POST", CREATE, json=body, headers={"Idempotency-Key": key})


def test_every_unique_constraint_is_known_here() -> None:
    names = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in (table.primary_key, *table.constraints)
        if constraint is table.primary_key or isinstance(constraint, UniqueConstraint)
    }
    names |= {str(i.name) for t in metadata.tables.values() for i in t.indexes if i.unique}
    assert names == RACED_ON.keys() | NEVER_EQUAL


# --- workers -----------------------------------------------------------------------------------


def test_two_workers_speak_first_after_a_crash(pair: Pair) -> None:
    with psycopg.connect(pair.url) as session:
        session.execute("LOCK TABLE worker_since IN SHARE MODE")
        wait_for_locks(pair.url, 2)
        session.execute("DELETE FROM worker_since")
    until(lambda: rows_of(pair.first.home, "SELECT count(*) FROM worker_since") == [(1,)])
    for server in (pair.first, pair.second):
        good(estimate(server, board()), 201)


# --- the console --------------------------------------------------------------------------------


def test_two_wrong_keys_of_one_address(pair: Pair) -> None:
    signing_in: Request = lambda to: to.request(  # noqa: E731
        "POST", "/console/sign-in", key=None, data={"key": "wrong"}
    )
    assert statuses(race(pair, "sign_in_failure", signing_in, signing_in)) == [401, 401]
    assert rows_of(pair.first.home, "SELECT failures FROM sign_in_failure") == [(2,)]


# --- notes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [0, 1])
def test_two_notes_on_one_estimate(pair: Pair, revision: int) -> None:
    """Both have looked before either writes: nobody's words are overwritten."""
    path = f"/v1/estimate/{good(estimate(pair.first, board()), 201)['id']}/note"
    if revision:
        good(pair.first.request("PUT", path, json={"note": "first", "revision": 0}))

    def noting(note: str) -> Request:
        return lambda to: to.request("PUT", path, json={"note": note, "revision": revision})

    answers = race(pair, "estimate_note", noting("one"), noting("other"))
    assert statuses(answers) == [200, 409]
    winner, answer = one_of(pair, answers, 200)
    loser, problem = one_of(pair, answers, 409)
    there = good(answer)
    assert refused(problem, 409, "NOTE_CHANGED")["findings"][0]["data"] == there
    assert good(loser.request("GET", path)) == good(winner.request("GET", path)) == there


# --- versions ----------------------------------------------------------------------------------


def test_two_uploads_under_one_new_label(pair: Pair) -> None:
    label = new_label()
    uploads = [table(row(f"R-{label}", width=width)) for width in (90, 95)]
    answers = race(
        pair, "knowledge_version",
        lambda to: import_table(to, label, uploads[0]),
        lambda to: import_table(to, label, uploads[1]),
    )  # fmt: skip
    assert statuses(answers) == [201, 409]
    loser, answer = one_of(pair, answers, 409)
    refused(answer, 409, "VERSION_ALREADY_EXISTS")
    assert not [name for name in staged_files(loser.home) if name.startswith(f"{label}-")]
    counted = "SELECT count(*) FROM knowledge_version WHERE label = ?"
    assert rows_of(pair.first.home, counted, [label]) == [(1,)]
    assert len(audit_of(pair.first.home, label)) == 1
    assert validate(loser, label)["valid"]


def test_one_upload_sent_to_both(pair: Pair) -> None:
    label = new_label()
    upload = table(row(f"R-{label}"))
    importing: Request = lambda to: import_table(to, label, upload)  # noqa: E731
    answers = race(pair, "knowledge_version", importing, importing)
    assert statuses(answers) == [200, 201]
    _, answer = one_of(pair, answers, 200)
    assert answer.json()["repeated"] is True
    assert len(audit_of(pair.first.home, label)) == 1


def test_two_versions_with_the_same_new_content(pair: Pair) -> None:
    labels = new_label(), new_label()
    for label in labels:
        good(import_table(pair.first, label, table(row(f"R-{labels[0]}"))), 201)
    answers = race(
        pair, "knowledge_document",
        lambda to: validate(to, labels[0]), lambda to: validate(to, labels[1]),
    )  # fmt: skip
    assert [answer["valid"] for answer in answers] == [True, True]
    assert answers[0]["digest"] == answers[1]["digest"]


def test_content_of_a_version_that_is_deleted_meanwhile(pair: Pair) -> None:
    """One deletes the last version with these breakers while another takes them over."""
    old, new = new_label(), new_label()
    for label in (old, new):
        good(import_table(pair.first, label, table(row(f"R-{old}"))), 201)
    assert validate(pair.first, old)["valid"]
    deleted, validated = race(
        pair, "audit_entry",
        lambda to: delete_version(to, old), lambda to: validate(to, new),
    )  # fmt: skip
    assert (deleted.status_code, validated["valid"]) == (200, True)
    good(activate(pair.first, new, runRegression=False))
    good(roll_back(pair.first, FIRST))


def delete_version(to: Server, label: str) -> httpx.Response:
    return to.request("DELETE", f"{VERSIONS}/{label}", key=ADMIN_API_KEY)


def test_a_version_is_deleted_and_activated(pair: Pair) -> None:
    label = new_label()
    assert stage(pair.first, label, row(f"R-{label}"))["valid"]
    answers = race(
        pair, "audit_entry",
        lambda to: delete_version(to, label),
        lambda to: activate(to, label, runRegression=False),
    )  # fmt: skip
    codes = tuple(answer.json().get("code") for answer in answers)
    assert codes in [(None, "VERSION_NOT_FOUND"), ("VERSION_ACTIVE", None)]
    if codes[1] is None:
        good(roll_back(pair.first, FIRST))


def test_a_version_is_validated_again_and_activated(pair: Pair) -> None:
    """What is active has the content that was activated."""
    label = new_label()
    assert stage(pair.first, label, row(f"R-{label}"))["valid"]
    validated, activated = race(
        pair, "audit_entry",
        lambda to: to.request(
            "POST", f"{TABLES}/validate", key=ADMIN_API_KEY,
            json={"versionLabel": label, "sampleSize": 1},
        ),
        lambda to: activate(to, label, runRegression=False),
    )  # fmt: skip
    codes = tuple(answer.json().get("code") for answer in (validated, activated))
    assert codes in [(None, None), ("ACTIVATION_CONFLICT", None)]
    assert good(estimate(pair.first, main_only(f"R-{label}")), 201)["knowledgeVersion"] == label
    good(roll_back(pair.first, FIRST))


def test_two_activations(pair: Pair) -> None:
    labels = new_label(), new_label()
    for label in labels:
        assert stage(pair.first, label, row(f"R-{label}"))["valid"]
    answers = race(
        pair, "knowledge_activation",
        lambda to: activate(to, labels[0], runRegression=False),
        lambda to: activate(to, labels[1], runRegression=False),
    )  # fmt: skip
    assert statuses(answers) == [200, 409]
    _, answer = one_of(pair, answers, 409)
    refused(answer, 409, "ACTIVATION_CONFLICT")
    good(roll_back(pair.first, FIRST))


# --- golden cases and questions ----------------------------------------------------------------


def test_two_golden_cases_of_one_name(pair: Pair) -> None:
    name = new_label()
    adding: Request = lambda to: to.request(  # noqa: E731
        "POST", GOLDEN, key=ADMIN_API_KEY, json={"name": name, "request": board()}
    )
    answers = race(pair, "golden_case", adding, adding)
    assert statuses(answers) == [201, 409]
    refused(one_of(pair, answers, 409)[1], 409, "GOLDEN_CASE_EXISTS")
    assert len(audit_of(pair.first.home, name)) == 1
    deleting: Request = lambda to: to.request(  # noqa: E731
        "DELETE", f"{GOLDEN}/{name}", key=ADMIN_API_KEY
    )
    assert statuses(race(pair, "golden_case", deleting, deleting)) == [200, 404]


def test_one_new_question_of_both(pair: Pair) -> None:
    model = f"Q-{next(_numbers)}"
    subject = f"breakerModel LS {model} 3P"
    asked = f"""
        INSERT INTO knowledge_question (subject, kind, question_ko, question_en, times_asked,
            first_asked_at, last_asked_at, last_asked_by, detail)
        VALUES ('{subject}', '', '', '', 0, '', '', '', '')"""
    asking: Request = lambda to: estimate(to, main_only(model))  # noqa: E731
    for answer in race_on_row(pair, asked, asking, asking):
        refused(answer, 422, "NEED_KNOWLEDGE_UPDATE")
    found = {q["subject"]: q["timesAsked"] for q in ask(pair.first, "/v1/knowledge/questions")}
    assert found[subject] == 2


def test_the_same_questions_in_another_order(pair: Pair) -> None:
    models = [f"Q-{next(_numbers)}" for _ in range(20)]
    boards = [unknown_branches(models), unknown_branches(models[::-1])]
    for _ in range(ROUNDS):
        answers = race(
            pair, "knowledge_question",
            lambda to: estimate(to, boards[0]), lambda to: estimate(to, boards[1]),
        )  # fmt: skip
        for answer in answers:
            refused(answer, 422, "NEED_KNOWLEDGE_UPDATE")
    found = {q["subject"]: q["timesAsked"] for q in ask(pair.first, "/v1/knowledge/questions")}
    assert {found[f"breakerModel SANGDO {model} 3P"] for model in models} == {2 * ROUNDS}


def unknown_branches(models: list[str]) -> dict[str, Any]:
    return board(branches=[{"model": m, "poles": "3P", "quantity": 1} for m in models])


# --- idempotency keys --------------------------------------------------------------------------


def test_one_key_and_one_board(pair: Pair) -> None:
    key = new_label()
    sending = with_key(key, board(label=key))
    answers = race(pair, "idempotency_record", sending, sending)
    assert statuses(answers) == [201, 201]
    assert answers[0].content == answers[1].content
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert sorted(replayed, key=str) == [None, "true"]
    stored = "SELECT count(*) FROM Estimate WHERE label = ?"
    assert rows_of(pair.first.home, stored, [key]) == [(1,)]
    (answered,) = {answer.json()["id"] for answer in answers}
    kept = "SELECT estimate_id FROM idempotency_record WHERE key = ?"
    assert rows_of(pair.first.home, kept, [key]) == [(answered,)]


@pytest.mark.parametrize("other", [board(note="other"), board(branches=None)])
def test_one_key_for_an_estimate_and_another_request(pair: Pair, other: dict[str, Any]) -> None:
    key = new_label()
    answers = race(pair, "idempotency_record", with_key(key, board()), with_key(key, other))
    codes = [a.json().get("code", "") for a in answers]
    assert codes in (["", "IDEMPOTENCY_KEY_REUSED"], ["IDEMPOTENCY_KEY_REUSED", codes[1]])
    kept = "SELECT count(*) FROM idempotency_record WHERE key = ?"
    assert rows_of(pair.first.home, kept, [key]) == [(1,)]


def test_one_key_for_one_refusal(pair: Pair) -> None:
    key = new_label()
    sending = with_key(key, board(branches=None))
    answers = race(pair, "idempotency_record", sending, sending)
    assert statuses(answers) == [422, 422]
    assert answers[0].content == answers[1].content
    refused(answers[0], 422, "REQ_MORE_INFO")


def test_one_key_for_two_refusals(pair: Pair) -> None:
    key = new_label()
    answers = race(
        pair, "idempotency_record",
        with_key(key, board(branches=None)), with_key(key, board(main=None)),
    )  # fmt: skip
    codes = sorted(answer.json()["code"] for answer in answers)
    assert codes == ["IDEMPOTENCY_KEY_REUSED", "REQ_MORE_INFO"]


def test_two_batches_with_the_same_keys(pair: Pair) -> None:
    """In opposite orders; every third line is a refusal that is kept."""
    run = new_label()
    lines = [
        board(idempotencyKey=f"{run}-{n}", label=run, **({} if n % 3 else {"branches": None}))
        for n in range(30)
    ]
    first, second = race(
        pair, "idempotency_record",
        lambda to: send_batch(to, *lines), lambda to: send_batch(to, *lines[::-1]),
    )  # fmt: skip
    for mine, theirs in zip(first, second[::-1], strict=True):
        told = {name: mine[name] for name in mine if name not in ("line", "replayed")}
        assert told == {name: theirs[name] for name in told}
        assert mine["status"] in (201, 422)
        assert mine["replayed"] is not theirs["replayed"]
    stored = "SELECT count(*) FROM Estimate WHERE label = ?"
    assert rows_of(pair.first.home, stored, [run]) == [(20,)]


# --- the rate limit ----------------------------------------------------------------------------


def test_first_request_of_a_client_to_both(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with running_pair(tmp_path, request, per_minute=1) as limited:
        asking: Request = lambda to: estimate(to, board())  # noqa: E731
        answers = race(limited, "rate_limit", asking, asking)
    assert statuses(answers) == [201, 429]
