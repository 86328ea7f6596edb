"""Open questions: counted, grouped, closed by what answers them."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from kis.db.engine import Database
from kis.knowledge import questions_store, store
from kis.knowledge.active import Stale
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import Asking, OpenQuestion
from kis.knowledge.snapshot import Snapshot
from tests.unit.knowledge.conftest import NOON
from tests.unit.knowledge.rows import breaker, tables_of

MODEL = Question(kind="breakerModel", brand="LS", model="T-1", poles=3)
FRAME = Question(kind="breakerFrame", brand="LS", frame_size_a=99, poles=3, type="MCCB")
ACTIVE_ID = 1


def asking(*questions: Question, by: str = "api-x", hours: int = 0, version_id: int = 1) -> Asking:
    placed = tuple((f"$.branches[{n}].model", q) for n, q in enumerate(questions))
    return Asking(placed, by, NOON + timedelta(hours=hours), version_id)


def ask(database: Database, *askings: Asking) -> list[Stale | None]:
    return list(database.write_now(lambda c: questions_store.write_questions(c, askings)))


def listed(database: Database, *, closed: bool = False) -> list[OpenQuestion]:
    return database.read_now(lambda c: questions_store.list_questions(c, include_closed=closed))


def flood(database: Database, count: int, *, hours: int = 0) -> None:
    """Ask for `count` models that nobody asked for before, one a request."""
    first = max((question.id for question in listed(database, closed=True)), default=0)
    models = [f"F-{first + n}" for n in range(count)]
    ask(database, *(asking(Question(kind="breakerModel", model=m), hours=hours) for m in models))


def close(database: Database, *models: str, label: str = "v-a") -> list[str]:
    snapshot = Snapshot(tables_of(*(breaker(model) for model in models)), label=label)
    at = NOON + timedelta(days=1)
    return database.write_now(lambda c: questions_store.close_answered(c, snapshot, at))


def test_version_id_of_the_tests(database: Database) -> None:
    assert database.read_now(store.load_active_version).id == ACTIVE_ID


def test_question_is_kept_in_words(database: Database) -> None:
    assert ask(database, asking(MODEL)) == [None]
    (question,) = listed(database)
    assert (question.subject, question.kind) == ("breakerModel LS T-1 3P", "breakerModel")
    assert (question.times_asked, question.last_asked_by) == (1, "api-x")
    assert (question.first_asked_at, question.last_asked_at) == (NOON, NOON)
    assert "T-1" in question.question_ko
    assert "T-1" in question.question_en


def test_equal_questions_are_one_and_once_a_request(database: Database) -> None:
    ask(database, asking(MODEL, MODEL), asking(MODEL, by="admin-y", hours=2))
    (question,) = listed(database)
    assert (question.times_asked, question.last_asked_by) == (2, "admin-y")
    assert question.first_asked_at == NOON
    assert question.last_asked_at == NOON + timedelta(hours=2)


def test_most_asked_comes_first(database: Database) -> None:
    ask(database, asking(MODEL, FRAME), asking(FRAME))
    assert [(q.kind, q.times_asked) for q in listed(database)] == [
        ("breakerFrame", 2),
        ("breakerModel", 1),
    ]


def test_what_was_asked_of_another_version_is_not_counted(database: Database) -> None:
    outcomes = ask(database, asking(MODEL, version_id=99), asking(FRAME))
    assert [type(outcome) for outcome in outcomes] == [Stale, type(None)]
    assert [question.kind for question in listed(database)] == ["breakerFrame"]


def test_only_what_a_version_answers_is_closed(database: Database) -> None:
    ask(database, asking(MODEL, FRAME))
    assert close(database, "T-1") == ["breakerModel LS T-1 3P"]
    assert [question.kind for question in listed(database)] == ["breakerFrame"]
    closed = next(q for q in listed(database, closed=True) if q.kind == "breakerModel")
    assert (closed.closed_by, closed.closed_at) == ("v-a", NOON + timedelta(days=1))
    assert closed.times_asked == 1


def test_closed_question_is_not_closed_again(database: Database) -> None:
    ask(database, asking(MODEL))
    close(database, "T-1", label="v-a")
    assert close(database, "T-1", label="v-b") == []
    (question,) = listed(database, closed=True)
    assert question.closed_by == "v-a"


def test_closed_question_opens_when_it_is_asked_again(database: Database) -> None:
    ask(database, asking(MODEL))
    close(database, "T-1")
    assert listed(database) == []
    ask(database, asking(MODEL, hours=48))
    (question,) = listed(database)
    assert (question.times_asked, question.closed_at, question.closed_by) == (2, None, None)


# --- how many are kept ---------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions_store, "MAX_QUESTIONS", 30)
    monkeypatch.setattr(questions_store, "PRUNE_EVERY", 10)


def test_no_more_are_kept_than_the_most(database: Database, small: None) -> None:
    for _ in range(12):
        flood(database, 7)
        assert len(listed(database, closed=True)) <= 30
    assert len(listed(database)) > 20


def test_least_asked_and_longest_ago_are_dropped_first(database: Database, small: None) -> None:
    ask(database, asking(MODEL), asking(MODEL), asking(FRAME, hours=9))
    flood(database, 28, hours=1)
    kept = {question.subject for question in listed(database)}
    assert len(kept) == 20
    assert {MODEL.subject, FRAME.subject} <= kept
    flood(database, 1)
    assert len(listed(database)) == 21


def test_answered_ones_are_dropped_before_open_ones(database: Database, small: None) -> None:
    ask(database, asking(MODEL), asking(MODEL))
    close(database, "T-1")
    flood(database, 29)
    assert len(listed(database, closed=True)) == len(listed(database)) == 20


def test_one_request_adds_a_bounded_number(database: Database) -> None:
    """A request may name 10,000 brands before a gate finds it too large."""
    most = questions_store.MAX_ASKED_AT_ONCE
    ask(database, asking(*(Question(kind="brand", brand=f"B{n}") for n in range(most + 5))))
    assert len(listed(database)) == most


def test_question_that_is_known_already_is_one_statement(database: Database) -> None:
    """What a client repeats all day must not count, let alone sort, what is kept."""
    ask(database, asking(MODEL))
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement.split(maxsplit=1)[0])

    event.listen(database.write_engine, "before_cursor_execute", note)
    ask(database, asking(MODEL))
    # The pointer, then the question; one driver sends its own BEGIN.
    assert [word for word in statements if word != "BEGIN"] == ["SELECT", "UPDATE"]
