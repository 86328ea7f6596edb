"""What the commands about knowledge print."""

from typing import Any

import pytest

from kis.cli.knowledge_words import (
    MAX_CASES,
    words_of_activation,
    words_of_difference,
    words_of_import,
    words_of_validation,
    words_of_versions,
)

SIZE = {"W": 600, "H": 700, "D": 150}
COUNTS = {"added": 1, "changed": 2, "removed": 0, "unchanged": 105}


def validation(**changes: Any) -> dict[str, Any]:
    plain = {
        "samples": [], "warnings": [], "baseVersion": "v-0", "rebased": False, "takenBack": False,
        "succeeded": 0, "failed": 0,
    }  # fmt: skip
    return plain | changes


def test_import_is_counted() -> None:
    (line,) = words_of_import("v-1", {"state": "staged", **COUNTS})
    assert line == "v-1 (staged): 추가 1, 변경 2, 삭제 0, 그대로 105"


# --- validation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "role", "name"),
    [
        (["LS", "Q-1", 4], "main", "LS Q-1 4P (메인 main)"),
        (["LS", "Q-1", 4], "branch", "LS Q-1 4P (분기 branch)"),
        (["T-METER"], "accessory", "T-METER (부속자재 accessory)"),
        (["T-BOX"], "enclosure", "T-BOX (외함 enclosure)"),
    ],
)
def test_samples_are_named_as_people_do(row: list[object], role: str, name: str) -> None:
    good = {"row": row, "role": role, "succeeded": True, "enclosure": SIZE}
    bad = {"row": row, "role": role, "succeeded": False, "code": "X", "messageKo": "모름"}
    lines = list(words_of_validation("v-1", validation(samples=[good, bad])))
    assert lines[:2] == [f"  성공 {name}: 600x700x150", f"  실패 {name}: X 모름"]


def test_validation_says_what_became_of_the_version() -> None:
    plain = list(words_of_validation("v-1", validation(succeeded=10)))
    assert plain == ["v-1: 성공 10, 실패 0"]
    remark = {"code": "LOW", "message": {"ko": "낮음", "en": "low"}}
    answer = validation(rebased=True, takenBack=True, failed=10, warnings=[remark])
    told, moved, counted, back = words_of_validation("v-1", answer)
    assert told == "  주의 LOW: 낮음"
    assert "v-0" in moved
    assert "Laid anew" in moved
    assert counted == "v-1: 성공 0, 실패 10"
    assert "staged" in back


# --- activation --------------------------------------------------------------------------


def case(number: int, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": f"e-{number}", "golden": False, "outcome": "changed", "before": SIZE,
        "after": {**SIZE, "W": 800},
    }  # fmt: skip
    return plain | changes


def activation(*cases: dict[str, Any], **counts: int) -> dict[str, Any]:
    report = {"total": 100, "passed": 90, "changed": 0, "failed": 0, **counts, "cases": cases}
    return {"activeVersion": "v-1", "previousVersion": "v-0", "regression": report, "workers": []}


def workers(*states: str) -> list[dict[str, str]]:
    return [{"worker": f"kis:{n}", "state": state} for n, state in enumerate(states)]


def test_activation_without_a_regression_and_rollback() -> None:
    answer = {"activeVersion": "v-1", "previousVersion": "v-0", "workers": workers("acknowledged")}
    assert list(words_of_activation(answer)) == ["활성 v-1 (이전 v-0)"]
    assert list(words_of_activation({**answer, "regression": None})) == ["활성 v-1 (이전 v-0)"]


def test_several_workers_are_counted_and_who_has_it_not_is_named() -> None:
    states = ("acknowledged", "acknowledged", "gone", "passed")
    answer = {"activeVersion": "v-1", "previousVersion": "v-0", "workers": workers(*states)}
    assert list(words_of_activation(answer))[1:] == [
        "워커 4개 중 2개 확인",
        "  kis:2: 응답 없음(종료된 것으로 봄)",
        "  kis:3: 그 사이 다른 버전이 활성화됨",
    ]


def test_cases_that_did_not_pass_are_listed_with_their_sizes() -> None:
    golden = case(1, name="HB606015", golden=True, outcome="failed")
    refused = case(2, outcome="failed", after=None, code="X", messageKo="모름")
    answer = activation(golden, refused, case(3), changed=1, failed=2)
    _, counted, *lines = words_of_activation(answer)
    assert counted == "회귀: 전체 100, 통과 90, 변경 1, 실패 2"
    assert lines == [
        "  실패 failed 기준 golden HB606015: 600x700x150 → 800x700x150",
        "  실패 failed 견적 estimate e-2: 600x700x150 → X 모름",
        "  변경 changed 견적 estimate e-3: 600x700x150 → 800x700x150",
    ]


def test_only_the_first_cases_are_listed() -> None:
    """The answer itself holds no more than some of them."""
    cases = [case(number) for number in range(MAX_CASES + 5)]
    *lines, last = words_of_activation(activation(*cases, changed=300))
    assert len(lines) == 2 + MAX_CASES
    assert f"{300 - MAX_CASES} more" in last


# --- versions and differences ------------------------------------------------------------


def test_versions() -> None:
    active = {
        "label": "v-1", "active": True, "state": "active", "totalRows": 108, "activatedAt": "T",
    }  # fmt: skip
    staged = {
        "label": "v-2", "active": False, "state": "staged", "totalRows": None,
        "activatedAt": None,
    }  # fmt: skip
    first, second = words_of_versions([active, staged])
    assert first.split() == ["*", "v-1", "active", "108", "T"]
    assert second.split() == ["v-2", "staged", "-"]


def part(*rows: dict[str, Any], **counts: int) -> dict[str, Any]:
    return {"rows": rows, "counts": {"added": 0, "changed": 0, "removed": 0} | counts}


def test_rows_of_a_difference_are_told_plainly() -> None:
    name = {"brand": "LS", "model": "T", "poles": "3P"}
    cells: list[dict[str, Any]] = [
        {"cell": "brand", "before": None, "after": "LS"},
        {"cell": "model", "before": None, "after": "T"},
        {"cell": "poles", "before": None, "after": 3},
        {"cell": "widthMm", "before": None, "after": 90},
    ]
    gone = [{**cell, "before": cell["after"], "after": None} for cell in cells]
    wider = [
        {"cell": "widthMm", "before": 90, "after": 95},
        {"cell": "grade", "before": None, "after": "economy"},
    ]
    breakers = part(
        {"change": "changed", "row": name, "cells": wider},
        {"change": "removed", "row": name, "cells": gone},
        {"change": "added", "row": name, "cells": cells},
        changed=1, removed=1, added=1,
    )  # fmt: skip
    difference = {
        "breakers": breakers, "enclosures": part(added=7), "accessories": part(), "rules": part(),
        "total": COUNTS,
    }  # fmt: skip
    assert list(words_of_difference("v-1", {"against": "v-0", "difference": difference})) == [
        "v-1 ← v-0",
        "  변경 changed breakers LS T 3P: widthMm 90 → 95, grade - → economy",
        "  삭제 removed breakers LS T 3P",
        "  추가 added breakers LS T 3P: widthMm 90",
        "  … 7개 더 있습니다. 7 more.",
        "추가 1, 변경 2, 삭제 0, 그대로 105",
    ]
