"""Open questions, answered on the spot: what is typed becomes a staged version."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import get_args

import msgspec
from starlette.responses import RedirectResponse, Response

from kis.access.keys import Scope
from kis.api.knowledge import ImportRequest
from kis.errors import LANGUAGES, DomainError, ErrorCode, Finding, Text, refusal
from kis.estimate.request import Poles, parse_body
from kis.knowledge.answering import ANSWERABLE, BREAKERS, Answer, upload_of
from kis.knowledge.model import BreakerType
from kis.knowledge.questions import Question
from kis.knowledge.questions_store import OpenQuestion
from kis.knowledge.staging import ImportOrder
from kis.web.forms import read_form
from kis.web.pages.knowledge_words import suggested_label
from kis.web.parts import Parts
from kis.web.visit import Page, Visit
from kis.web.words import Words, words_of

HERE = "/console/knowledge/questions"
A_PAGE = 15
"""Each has up to ten fields, and a form may have two hundred."""


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts)
    return (
        Page("GET", HERE, about.show, Scope.ADMIN),
        Page("POST", HERE, about.answer, Scope.ADMIN),
    )


class _Pages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts.knowledge
        self._active = parts.active

    async def show(self, visit: Visit) -> Response:
        """Show the questions, the most asked first."""
        found = await self._parts.versions.list_questions(include_closed=False)
        first = visit.count_asked("from")
        versions = await self._parts.versions.list_versions()
        snapshot = self._active.current.snapshot
        asked = [(each, _decoded(each)) for each in found[first : first + A_PAGE]]
        return visit.show(
            "knowledge/questions.html", asked=asked, total=len(found), first=first,
            a_page=A_PAGE, answerable=ANSWERABLE, of_breakers=BREAKERS,
            brands=list(snapshot.rules.brands), poles=get_args(Poles), types=get_args(BreakerType),
            kinds={q.code: item.kind for _, q in asked if (item := snapshot.accessory(q.code))},
            label=suggested_label({version.label for version in versions}),
        )  # fmt: skip

    async def answer(self, visit: Visit) -> Response:
        """Make a version of what was answered."""
        form = await read_form(visit.request)
        label = form.get("label", "").strip()
        parse_body(ImportRequest, {"format": "json", "content": {}, "versionLabel": label})
        found = await self._parts.versions.list_questions(include_closed=False)
        given = [answer for each in found if (answer := _answer(each, form)).is_given]
        _check(given)
        upload, origins = upload_of(given)
        sources = "; ".join(f"{a.question.subject}: {a.typed['source'].strip()}" for a in given)
        order = ImportOrder(label, "json", upload, "add", sources)
        try:
            await self._parts.staging.import_tables(order, visit.actor)
        except DomainError as error:
            raise DomainError(*_about(error.findings, origins)) from error
        return RedirectResponse(f"/console/knowledge/{label}?done=imported", 303)


def _decoded(question: OpenQuestion) -> Question:
    return msgspec.json.decode(question.detail, type=Question)


def _answer(question: OpenQuestion, form: Mapping[str, str]) -> Answer:
    begin = f"q{question.id}."
    typed = {n.removeprefix(begin): value for n, value in form.items() if n.startswith(begin)}
    return Answer(_decoded(question), typed)


def _check(given: list[Answer]) -> None:
    """Refuse what has no dimension at all, or one that nobody can look up again."""
    if not given:
        raise refusal(
            ErrorCode.REQ_MORE_INFO,
            Text("적은 치수가 없습니다.", "No dimension was typed."),
            Text("W, H, D를 한 질문 이상에 적으십시오.", "Type W, H, D of at least one."),
            "$",
        )
    missing = [
        Finding(
            ErrorCode.REQ_MORE_INFO,
            "$.source",
            Text(
                f"{answer.question.subject}: 출처가 없습니다.",
                f"{answer.question.subject}: no source is given.",
            ),
            Text(
                "어느 카탈로그, 누구의 실측인지 적으십시오.", "Name the catalogue, or who measured."
            ),
        )
        for answer in given
        if not answer.typed.get("source", "").strip()
    ]
    if missing:
        raise DomainError(*missing)


def _about(findings: Iterable[Finding], origins: Mapping[str, Question]) -> Iterable[Finding]:
    """Name the question that each finding is about."""
    for finding in findings:
        row, _, column = finding.path.partition("].")
        question = origins.get(f"{row}]")
        if question is None:
            yield finding
            continue
        name = question.subject.partition(" ")[2]
        ko, en = (_column(column, words_of(language)) for language in LANGUAGES)
        message = finding.message
        words = Text(f"{name}, {ko}: {message.ko}", f"{name}, {en}: {message.en}")
        yield replace(finding, message=words)


def _column(column: str, words: Words) -> str:
    return words.by_name.get(f"knowledge.cells.{column}", column)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len("10000") else 0
