"""What a replay prints: tables in both languages, and a CSV that Excel opens."""

import csv
import io
from typing import Any

import msgspec
import pytest

from kis.cli.replay_words import (
    CSV_HEADER,
    MAX_SHOWN,
    csv_of_replay,
    show_replay,
    words_of_replay,
)
from kis.estimate.causes import RULES, Cause
from kis.estimate.replay import Counter, StoredSize, Tally
from kis.estimate.replay_report import report_of
from kis.estimate.verdict import Judgement, Verdict

REFUSED = Verdict(None, None, "NEED_KNOWLEDGE_UPDATE", "$.main.model", "모름", "unknown")
CAUSES = {
    "e1": (Cause("breakers", "changed", ("LS", "=X[b]", 3)),),
    "e2": (RULES,),
    "e3": (Cause("enclosures", "removed", ("HB506015",)),),
}


def report(afters: tuple[Verdict, ...] | None = None, against: str | None = None) -> Any:
    default = (
        Verdict((500, 600, 150), "HB506015"), Verdict((600, 600, 150), "HB606015"),
        Verdict((450.5, 600, 150)), REFUSED,
    )  # fmt: skip
    chosen = default if afters is None else afters
    rows = [
        StoredSize(f"e{n}", 500.0, 600.0, 150.0, "HB506015", "v1", b"{}")
        for n in range(len(chosen))
    ]
    found = Tally()
    counter = Counter(found, lambda row, *_: CAUSES.get(row.id, ()))
    counter.add(rows, map(Judgement, chosen))
    counter.settle()
    return msgspec.to_builtins(report_of(found, "v2", against))


def printed(answer: Any) -> str:
    file = io.StringIO()
    show_replay(answer, file)
    return file.getvalue()


def test_words() -> None:
    first, counts, fronts = words_of_replay(report())
    assert first == "v2 ← 답한 견적 (what was answered)"
    assert "변경 changed 2 (50.0%), 실패 failed 1 (25.0%)" in counts
    assert "0.6 → 0.6303 m²" in fronts


def test_compared_with_a_version() -> None:
    assert next(iter(words_of_replay(report(against="v1")))) == "v2 ← v1"


def test_tables() -> None:
    text = printed(report())
    for words in (
        "폭 W mm", "앞면 front m²", "차단기 breaker 변경 changed", "LS =X[b] 3P",
        "규칙 rules 변경 changed", "기성함 stock 삭제 removed", "NEED_KNOWLEDGE_UPDATE",
        "500x600x150 HB506015", "450.5x600x150 제작 made to order",
    ):  # fmt: skip
        assert words in text, words


def test_nothing_that_changes_needs_no_table() -> None:
    text = printed(report((Verdict((500, 600, 150), "HB506015"),)))
    assert len(text.splitlines()) == 2


def test_nothing_stored() -> None:
    assert "전체 total 0" in printed(report(()))


def test_ids_are_shown_whole_and_only_the_first_cases() -> None:
    answer = report((Verdict((600, 600, 150), "HB606015"),) * (MAX_SHOWN + 5))
    for case in answer["cases"]:
        case["id"] = f"019ab1c2-3d4e-7f00-8a1b-{case['id']:>012}"
    text = printed(answer)
    assert answer["cases"][MAX_SHOWN - 1]["id"] in text
    assert answer["cases"][MAX_SHOWN]["id"] not in text
    assert "25건 중 20 of 25" in text


@pytest.fixture
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of_replay(report()))))


def test_csv_has_a_row_for_everything(rows: list[dict[str, str]]) -> None:
    kinds = [row["kind"] for row in rows]
    assert [kinds.count(k) for k in ("total", "side", "failure", "cause", "case")] == [
        1, 4, 1, 3, 3,
    ]  # fmt: skip
    assert (rows[0]["name"], rows[0]["total"], rows[0]["changed"]) == ("v2", "4", "2")
    assert set(rows[0]) == set(CSV_HEADER)


def test_csv_of_a_case(rows: list[dict[str, str]]) -> None:
    case = next(row for row in rows if row["kind"] == "case" and row["name"] == "e2")
    assert (case["before"], case["beforeModel"]) == ("500x600x150", "HB506015")
    assert (case["after"], case["afterModel"]) == ("450.5x600x150", "")
    assert case["causes"] == "rules"


def test_csv_holds_no_formula() -> None:
    answer = report()
    answer["causes"][0]["part"] = "=1+1"
    (cell,) = (line for line in csv_of_replay(answer).splitlines() if "=1+1" in line)
    assert cell.startswith("cause,'=1+1")
