"""Open questions answered by dimensions: what is typed becomes the rows of an upload. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kis.knowledge.questions import Question

BREAKERS = ("breakerModel", "breakerFrame")
ACCESSORIES = ("accessory", "outline")
ANSWERABLE = (*BREAKERS, *ACCESSORIES)
"""The kinds of questions that a row answers; the others ask for rules."""

_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


class Answer(NamedTuple):
    """What was typed beside a question, by name: `W`, `H`, `D`, `source`, and what it left open."""

    question: Question
    typed: Mapping[str, str]

    @property
    def is_given(self) -> bool:
        """Whether any dimension was typed."""
        return any(self._text(side) for side in ("W", "H", "D"))

    def value(self, name: str, known: object) -> Any:
        """Return what the question knows, else what was typed: a number where it is one."""
        text = self._text(name)
        return known or (float(text) if _NUMBER.fullmatch(text) else text or None)

    def _text(self, name: str) -> str:
        return self.typed.get(name, "").strip()


def upload_of(answers: Iterable[Answer]) -> tuple[dict[str, Any], dict[str, Question]]:
    """Return a JSON upload of rows, and by the path of each row the question that it answers.

    What is missing or wrong is left for the import to tell.
    """
    upload: dict[str, Any] = {}
    origins: dict[str, Question] = {}
    for answer in answers:
        is_breaker = answer.question.kind in BREAKERS
        part, row = ("breakers", _breaker(answer)) if is_breaker else ("accessories", _item(answer))
        rows = upload.setdefault(part, [])
        origins[f"$.{part}[{len(rows)}]"] = answer.question
        rows.append(row)
    return upload, origins


def _breaker(answer: Answer) -> dict[str, Any]:
    question = answer.question
    frame = answer.value("af", question.frame_size_a)
    return {
        "brand": question.brand or answer.typed.get("brand", ""),
        "series": answer.typed.get("series", "").strip() or "-",
        "model": question.model or answer.typed.get("model", "").strip(),
        "af": int(frame) if isinstance(frame, float) and frame.is_integer() else frame,
        "poles": f"{question.poles}P" if question.poles else answer.typed.get("poles", ""),
        "widthMm": answer.value("W", None),
        "heightMm": answer.value("H", None),
        "depthMm": answer.value("D", None),
        "meta": {
            "type": question.type or answer.typed.get("type", ""),
            "source": answer.typed.get("source", "").strip(),
        },
    }


def _item(answer: Answer) -> dict[str, Any]:
    return {
        "code": answer.question.code,
        "kind": answer.typed.get("kind", "").strip(),
        "widthMm": answer.value("W", None),
        "heightMm": answer.value("H", None),
        "depthMm": answer.value("D", None),
    }
