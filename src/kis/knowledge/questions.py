"""What nobody knows yet: the question that an abstention asks the owner."""

import re
from typing import Literal

import msgspec

from kis.errors import Text
from kis.knowledge.model import BreakerType
from kis.knowledge.rules import row_for_frame
from kis.knowledge.snapshot import Snapshot

QuestionKind = Literal["brand", "breakerModel", "breakerFrame", "accessory", "outline", "rule"]
RuleTable = Literal["depth", "standardMain", "standardBranch", "standardMainOnly"]

_RULE_TABLES_KO: dict[RuleTable, str] = {
    "depth": "깊이",
    "standardMain": "표준형 메인",
    "standardBranch": "표준형 분기",
    "standardMainOnly": "표준형 메인 단독",
}

_AMBIGUOUS = re.compile(r'[ "]|^[0-9]+(AF|P)$')


class Question(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A row that an estimate asked for. Equal questions are one question."""

    kind: QuestionKind
    brand: str = ""
    model: str = ""
    frame_size_a: int = 0
    poles: int = 0
    type: BreakerType | None = None
    code: str = ""
    rule_table: RuleTable | None = None

    @property
    def subject(self) -> str:
        """One line that identifies the question: `breakerModel LS METASOL-600 4P`.

        Names that could be taken for several parts, or for another part, are
        quoted: `breakerModel LS "ABN 53" 3P`. No two questions share a subject.
        """
        parts = (
            self.kind,
            _quoted(self.brand),
            _quoted(self.model),
            f"{self.frame_size_a}AF" if self.frame_size_a else "",
            f"{self.poles}P" if self.poles else "",
            self.type or "",
            _quoted(self.code),
            self.rule_table or "",
        )
        return " ".join(part for part in parts if part)


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode() if _AMBIGUOUS.search(name) else name


def ask(question: Question) -> Text:
    """Put `question` in words, as the owner would be asked."""
    name = question.subject.partition(" ")[2]
    match question.kind:
        case "brand":
            return Text(
                f"{question.brand} 브랜드의 차단기 치수표가 필요합니다.",
                f"Which breakers does the brand {question.brand} have?",
            )
        case "breakerModel" | "breakerFrame":
            return Text(
                f"{name} 차단기의 폭·높이·깊이(mm)는 얼마입니까?",
                f"What are width, height and depth (mm) of the breaker {name}?",
            )
        case "accessory" | "outline":
            return Text(
                f"부속자재 {question.code}의 폭·높이(mm)는 얼마입니까?",
                f"What are width and height (mm) of the accessory {question.code}?",
            )
        case "rule":
            rule = rule_in_korean(question.rule_table)
            return Text(
                f"{question.frame_size_a}AF에 적용할 {rule} 규칙은 무엇입니까?",
                f"Which {question.rule_table} rule applies at {question.frame_size_a} AF?",
            )


def rule_in_korean(table: RuleTable | None) -> str:
    """Return the name of a table of rules for people, and for programs beside it."""
    return f"{_RULE_TABLES_KO[table]}({table})" if table else ""


def is_answered(question: Question, snapshot: Snapshot) -> bool:
    """Whether `snapshot` has the row that `question` asks for."""
    match question.kind:
        case "brand":
            return question.brand in snapshot.rules.brands
        case "breakerModel":
            return any(
                question.brand in ("", row.brand) and question.poles in (0, row.poles)
                for row in snapshot.breakers_by_model(question.model)
            )
        case "breakerFrame":
            kind = question.type or "MCCB"
            rows = snapshot.breakers_by_frame(
                question.brand, question.frame_size_a, question.poles, kind
            )
            return any(row.grade != "compact" for row in rows)
        case "accessory":
            return snapshot.accessory(question.code) is not None
        case "outline":
            row = snapshot.accessory(question.code)
            return row is not None and None not in (row.width_dmm, row.height_dmm)
        case "rule":
            return _has_rule(question, snapshot)


def _has_rule(question: Question, snapshot: Snapshot) -> bool:
    rules = snapshot.rules
    frame = question.frame_size_a
    match question.rule_table:
        case "depth":
            return row_for_frame(rules.depth.table, frame) is not None
        case "standardMain":
            return row_for_frame(rules.standard.main, frame) is not None
        case "standardBranch":
            return row_for_frame(rules.standard.branch, frame) is not None
        case _:
            return row_for_frame(rules.standard.main_only, frame) is not None
