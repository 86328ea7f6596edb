"""Questions to the owner: in words, under one name, and closed by the row they ask for."""

from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import msgspec
import pytest

from kis.knowledge.model import Accessory, BreakerType
from kis.knowledge.questions import Question, RuleTable, ask, is_answered
from kis.knowledge.snapshot import Snapshot

from .rows import breaker, seed_tables, tables_of

QUESTIONS = {
    "brand ABB": Question(kind="brand", brand="ABB"),
    "breakerModel LS METASOL-600 4P": Question(
        kind="breakerModel", brand="LS", model="METASOL-600", poles=4
    ),
    "breakerModel METASOL-600": Question(kind="breakerModel", model="METASOL-600"),
    "breakerFrame LS 225AF 3P ELCB": Question(
        kind="breakerFrame", brand="LS", frame_size_a=225, poles=3, type="ELCB"
    ),
    "accessory RELAY-11": Question(kind="accessory", code="RELAY-11"),
    "outline FUSE-HOLDER": Question(kind="outline", code="FUSE-HOLDER"),
    "rule 1000AF depth": Question(kind="rule", frame_size_a=1000, rule_table="depth"),
    "rule 1000AF standardMain": Question(kind="rule", frame_size_a=1000, rule_table="standardMain"),
    "rule 10001AF standardBranch": Question(
        kind="rule", frame_size_a=10_001, rule_table="standardBranch"
    ),
    "rule 1000AF standardMainOnly": Question(
        kind="rule", frame_size_a=1000, rule_table="standardMainOnly"
    ),
}


def with_accessory(row: Accessory) -> Snapshot:
    seed = seed_tables()
    others = tuple(a for a in seed.accessories if a.code != row.code)
    return Snapshot(msgspec.structs.replace(seed, accessories=(*others, row)), label="new")


def with_rules(**parts: Any) -> Snapshot:
    seed = seed_tables()
    rules = msgspec.structs.replace(seed.rules, **parts)
    return Snapshot(msgspec.structs.replace(seed, rules=rules), label="new")


def with_last_frame(table: str, frame_size_a: int) -> Snapshot:
    """Return the shipped knowledge with one rule table going up to a frame."""
    rules = seed_tables().rules
    if table == "depth":
        row = msgspec.structs.replace(rules.depth.table[-1], max_frame_size_a=frame_size_a)
        depth = msgspec.structs.replace(rules.depth, table=(*rules.depth.table, row))
        return with_rules(depth=depth)
    rows = getattr(rules.standard, table)
    row = msgspec.structs.replace(rows[-1], max_frame_size_a=frame_size_a)
    return with_rules(standard=msgspec.structs.replace(rules.standard, **{table: (*rows, row)}))


def with_breaker(**fields: Any) -> Snapshot:
    return Snapshot(tables_of(breaker(**fields)), label="new")


METASOL_600 = with_breaker(model="METASOL-600", poles=4, frame_size_a=600)
ANSWERS = {
    "brand ABB": with_rules(brands=("LS", "SANGDO", "ABB")),
    "breakerModel LS METASOL-600 4P": METASOL_600,
    "breakerModel METASOL-600": METASOL_600,
    "breakerFrame LS 225AF 3P ELCB": with_breaker(frame_size_a=225, type="ELCB"),
    "accessory RELAY-11": with_accessory(Accessory("RELAY-11", "relay")),
    "outline FUSE-HOLDER": with_accessory(Accessory("FUSE-HOLDER", "fuse_holder", 300, 800)),
    "rule 1000AF depth": with_last_frame("depth", 1000),
    "rule 1000AF standardMain": with_last_frame("main", 1000),
    "rule 10001AF standardBranch": with_last_frame("branch", 10_001),
    "rule 1000AF standardMainOnly": with_last_frame("main_only", 1000),
}
STILL_OPEN = {
    "breakerModel LS METASOL-600 4P": [
        with_breaker(model="METASOL-600", poles=3),
        with_breaker(model="METASOL-600", poles=4, brand="SANGDO"),
        with_breaker(model="METASOL-60", poles=4),
    ],
    "breakerFrame LS 225AF 3P ELCB": [
        with_breaker(frame_size_a=225, type="MCCB"),
        with_breaker(frame_size_a=250, type="ELCB"),
        with_breaker(frame_size_a=225, type="ELCB", poles=4),
        with_breaker(frame_size_a=225, type="ELCB", grade="compact"),
        with_breaker(frame_size_a=225, type="ELCB", brand="SANGDO"),
    ],
    "outline FUSE-HOLDER": [with_accessory(Accessory("FUSE-HOLDER", "fuse_holder", None, 800))],
    "rule 1000AF depth": [with_last_frame("depth", 999), with_last_frame("main", 1000)],
}


@pytest.mark.parametrize("subject", QUESTIONS)
def test_subject_names_the_question(subject: str) -> None:
    assert QUESTIONS[subject].subject == subject


# What may be taken for something else: names with spaces, and names like other parts.
TRICKY = ("A", "B", "A B", " ", "3P", "100AF", "MCCB", "depth", '"', '"A"', "\\", "A 3P", '"A" "B"')
POLES = (0, 3, 4)


def any_question() -> Iterator[Question]:
    for name, poles in product(TRICKY, POLES):
        for brand in ("", *TRICKY):
            yield Question(kind="breakerModel", brand=brand, model=name, poles=poles)
        for frame, kind in product((50, 100), (None, *get_args(BreakerType))):
            yield Question(
                kind="breakerFrame", brand=name, frame_size_a=frame, poles=poles, type=kind
            )
    for name in TRICKY:
        yield Question(kind="brand", brand=name)
        yield Question(kind="accessory", code=name)
        yield Question(kind="outline", code=name)
    for table in get_args(RuleTable):
        yield Question(kind="rule", frame_size_a=100, rule_table=table)


def test_different_questions_have_different_subjects() -> None:
    by_subject: dict[str, set[Question]] = {}
    for question in any_question():
        by_subject.setdefault(question.subject, set()).add(question)
    assert [group for group in by_subject.values() if len(group) > 1] == []


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        (
            Question(kind="breakerModel", brand="LS", model="ABN 53", poles=3),
            'breakerModel LS "ABN 53" 3P',
        ),
        (Question(kind="breakerModel", model="3P"), 'breakerModel "3P"'),
        (Question(kind="breakerFrame", brand="한빛 전기", frame_size_a=50),
         'breakerFrame "한빛 전기" 50AF'),
        (Question(kind="accessory", code='1/2" A'), 'accessory "1/2\\" A"'),
    ],
)  # fmt: skip
def test_name_that_could_be_several_parts_is_quoted(question: Question, subject: str) -> None:
    assert question.subject == subject


@pytest.mark.parametrize("subject", QUESTIONS)
def test_question_in_both_languages(subject: str) -> None:
    question = QUESTIONS[subject]
    words = ask(question)
    assert words.ko.endswith(("?", "."))
    assert any("가" <= letter <= "힣" for letter in words.ko)
    assert words.en.endswith("?")
    known = (question.brand, question.model, question.code, question.rule_table or "")
    for name in filter(None, known):
        assert name in words.ko
        assert name in words.en


@pytest.mark.parametrize("subject", QUESTIONS)
def test_shipped_knowledge_leaves_it_open(subject: str) -> None:
    assert not is_answered(QUESTIONS[subject], Snapshot(seed_tables(), label="seed"))


@pytest.mark.parametrize("subject", QUESTIONS)
def test_row_that_is_asked_for_answers(subject: str) -> None:
    assert is_answered(QUESTIONS[subject], ANSWERS[subject])


@pytest.mark.parametrize(
    ("subject", "index"), [(name, i) for name, near in STILL_OPEN.items() for i in range(len(near))]
)
def test_row_that_only_comes_near_does_not(subject: str, index: int) -> None:
    assert not is_answered(QUESTIONS[subject], STILL_OPEN[subject][index])


def test_poles_that_were_not_stated_may_be_any() -> None:
    question = Question(kind="breakerModel", brand="LS", model="METASOL-600")
    assert is_answered(question, METASOL_600)


def test_kind_that_was_not_stated_is_an_mccb() -> None:
    question = Question(kind="breakerFrame", brand="LS", frame_size_a=225, poles=3)
    assert is_answered(question, with_breaker(frame_size_a=225, type="MCCB"))
    assert not is_answered(question, with_breaker(frame_size_a=225, type="ELCB"))


def test_question_survives_json() -> None:
    for question in QUESTIONS.values():
        assert msgspec.json.decode(msgspec.json.encode(question), type=Question) == question
