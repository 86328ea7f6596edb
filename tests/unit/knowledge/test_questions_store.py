"""Open questions: counted, grouped, closed by what answers them."""

from datetime import timedelta

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
