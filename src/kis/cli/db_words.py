"""The report of a move, for people and for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from kis.ops.moving import Moved

WIDTH = 132
DIGITS_SHOWN = 16
WORDS = {
    "missing": "대상에 없음 / missing in the target",
    "extra": "대상에만 있음 / only in the target",
    "changed": "다름 / otherwise in the target",
}


def answer_of(moved: "Moved", source: str, target: str) -> dict[str, Any]:
    """Return the report for programs; addresses without passwords."""
    found = moved.evidence
    return {
        "from": source,
        "to": target,
        "complete": moved.is_equal,
        "seconds": round(moved.seconds, 3),
        "tables": [
            {
                "table": table.name,
                "rows": table.compared.rows,
                "copied": table.copied,
                "seconds": round(table.seconds, 3),
                "digest": f"{table.compared.digest:064x}",
                "verified": table.compared.is_equal,
                "differences": table.compared.different,
            }
            for table in moved.tables
        ],
        "differences": [
            {"table": told.table, "key": told.key, "what": told.what, "column": told.column}
            for table in moved.tables
            for told in table.compared.told
        ],
        "sequences": moved.sequences,
        "evidence": {
            "verified": found.checked,
            "valid": found.checked - found.faults,
            "invalidAsBefore": found.were_so,
            "invalid": [
                {"estimateId": fault.estimate_id, "reason": fault.reason, "asBefore": fault.was_so}
                for fault in found.told
            ],
        },
    }


def show_move(answer: dict[str, Any]) -> None:
    """Print the report as a table, and what is not in order below it."""
    # What is looked at in a pipe is as wide as a page, not as narrow as no terminal.
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(f"{answer['from']} → {answer['to']}", soft_wrap=True)
    table = Table(
        "표 table", "행 rows", "복사 copied", "초 s", "다이제스트 digest", "확인 verified"
    )
    for row in answer["tables"]:
        verdict = "같음 equal" if row["verified"] else f"다름 {row['differences']:,} differ"
        table.add_row(
            row["table"], f"{row['rows']:,}", f"{row['copied']:,}", f"{row['seconds']:.1f}",
            row["digest"][:DIGITS_SHOWN], verdict,
        )  # fmt: skip
    console.print(table)
    for line in _lines(answer):
        console.print(line, soft_wrap=True)


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    evidence = answer["evidence"]
    yield (
        f"증거 {evidence['verified']:,}건 확인, {evidence['valid']:,}건 유효."
        f" {evidence['valid']:,} of {evidence['verified']:,} evidence packages are valid."
    )
    if evidence["invalidAsBefore"]:
        yield (
            f"주의: {evidence['invalidAsBefore']:,}건은 원본에서도 유효하지 않습니다(db check)."
            f" Warning: {evidence['invalidAsBefore']:,} are not valid in the source either."
        )
    for fault in evidence["invalid"]:
        mark = (
            "원본과 같음 as in the source"
            if fault["asBefore"]
            else "원본과 다름 NOT as in the source"
        )
        yield f"  {fault['estimateId']}: {fault['reason']} ({mark})"
    for told in answer["differences"]:
        column = f".{told['column']}" if told["column"] else ""
        yield f"다름 {told['table']}{column} [{told['key']}]: {WORDS[told['what']]}"
    for name in answer["sequences"]:
        yield f"다름 {name}: 다음 id가 이미 쓰였습니다 / its next id was given before"
