"""Answers about knowledge in words: what the commands print line by line."""

from collections.abc import Iterator
from typing import Any

MAX_CASES = 20
PARTS = ("breakers", "enclosures", "accessories", "rules")
ROLES = {
    "main": "메인 main",
    "branch": "분기 branch",
    "accessory": "부속자재 accessory",
    "enclosure": "외함 enclosure",
}
CHANGES = {"changed": "변경 changed", "added": "추가 added", "removed": "삭제 removed"}
STATES = {"gone": "응답 없음(종료된 것으로 봄)", "passed": "그 사이 다른 버전이 활성화됨"}
OUTCOMES = {"changed": "변경 changed", "failed": "실패 failed"}

Answer = dict[str, Any]


def words_of_import(label: str, answer: Answer) -> Iterator[str]:
    """Yield what an import did."""
    yield f"{label} ({answer['state']}): {_counts(answer)}"


def words_of_validation(label: str, answer: Answer) -> Iterator[str]:
    """Yield each sample, each remark, and what became of the version."""
    for sample in answer["samples"]:
        name = f"{_row_name(sample['row'])} ({ROLES[sample['role']]})"
        if sample["succeeded"]:
            yield f"  성공 {name}: {_size(sample['enclosure'])}"
        else:
            yield f"  실패 {name}: {sample['code']} {sample['messageKo']}"
    for remark in answer["warnings"]:
        yield f"  주의 {remark['code']}: {remark['message']['ko']}"
    base = answer["baseVersion"]
    if answer["rebased"]:
        yield f"  지금 활성인 {base} 위에 다시 얹었습니다. Laid anew on {base}, active now."
    yield f"{label}: 성공 {answer['succeeded']}, 실패 {answer['failed']}"
    if answer["takenBack"]:
        yield f"{label}: 이전 검증이 취소되어 다시 staged입니다. No longer validated: staged again."


def words_of_activation(answer: Answer) -> Iterator[str]:
    """Yield which version is active, and the regression where there was one."""
    yield f"활성 {answer['activeVersion']} (이전 {answer['previousVersion']})"
    workers = answer["workers"]
    if len(workers) > 1:
        has_it = sum(worker["state"] == "acknowledged" for worker in workers)
        yield f"워커 {len(workers)}개 중 {has_it}개 확인"
        yield from (
            f"  {worker['worker']}: {STATES[worker['state']]}"
            for worker in workers
            if worker["state"] != "acknowledged"
        )
    if answer.get("regression"):
        yield from words_of_regression(answer["regression"])


def words_of_regression(report: Answer) -> Iterator[str]:
    """Yield the counts, then the first cases that did not pass, sizes before and after."""
    yield (
        f"회귀: 전체 {report['total']}, 통과 {report['passed']},"
        f" 변경 {report['changed']}, 실패 {report['failed']}"
    )
    for case in report["cases"][:MAX_CASES]:
        kind = "기준 golden" if case.get("golden") else "견적 estimate"
        after = _size(case["after"]) if case.get("after") else f"{case['code']} {case['messageKo']}"
        name = f"{OUTCOMES[case['outcome']]} {kind} {case['name']}"
        yield f"  {name}: {_size(case['before'])} → {after}"
    yield from _more(report["changed"] + report["failed"] - MAX_CASES)


def words_of_versions(versions: list[Answer]) -> Iterator[str]:
    """Yield a line for each version, the active one with an asterisk."""
    for version in versions:
        mark = "*" if version["active"] else " "
        yield (
            f"{mark} {version['label']:24} {version['state']:10}"
            f" {_shown(version['totalRows']):>7} {version['activatedAt'] or ''}"
        )


def words_of_difference(label: str, answer: Answer) -> Iterator[str]:
    """Yield the rows of each part that are not the same, then how many there are."""
    yield f"{label} ← {answer['against']}"
    for part in PARTS:
        difference = answer["difference"][part]
        for row in difference["rows"]:
            name = " ".join(row["row"].values())
            cells = ", ".join(_cells(row))
            line = f"  {CHANGES[row['change']]} {part} {name}"
            yield f"{line}: {cells}" if cells else line
        counts = difference["counts"]
        others = counts["added"] + counts["changed"] + counts["removed"]
        yield from _more(others - len(difference["rows"]))
    yield _counts(answer["difference"]["total"])


def _cells(row: Answer) -> Iterator[str]:
    """Yield the values of a row, before and after where it has both.

    A row that is new has no values before, and of one that is gone its name says all.
    """
    if row["change"] == "changed":
        for cell in row["cells"]:
            yield f"{cell['cell']} {_shown(cell['before'])} → {_shown(cell['after'])}"
    elif row["change"] == "added":
        for cell in row["cells"]:
            if cell["cell"] not in row["row"]:
                yield f"{cell['cell']} {_shown(cell['after'])}"


def _counts(counts: Answer) -> str:
    return (
        f"추가 {counts['added']}, 변경 {counts['changed']},"
        f" 삭제 {counts['removed']}, 그대로 {counts['unchanged']}"
    )


def _row_name(row: list[str | int]) -> str:
    """Return the key of a row as people write it: the poles of a breaker are a number."""
    return " ".join(f"{step}P" if isinstance(step, int) else step for step in row)


def _size(size: Answer) -> str:
    return f"{size['W']}x{size['H']}x{size['D']}"


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"  … {count}개 더 있습니다. {count} more."
