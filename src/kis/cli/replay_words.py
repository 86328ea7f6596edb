"""The report of a replay for people: tables on the terminal, and one CSV for Excel."""

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

from rich.console import Console
from rich.table import Table

MAX_SHOWN = 20
WIDTH = 132
SIDES = {
    "width": "폭 W mm",
    "height": "높이 H mm",
    "depth": "깊이 D mm",
    "front": "앞면 front m²",
}
PARTS = {
    "breakers": "차단기 breaker",
    "enclosures": "기성함 stock",
    "accessories": "부속자재 accessory",
    "rules": "규칙 rules",
    "unknown": "알 수 없음 unknown",
}
CHANGES = {"changed": "변경 changed", "added": "추가 added", "removed": "삭제 removed"}
OUTCOMES = {"changed": "변경 changed", "failed": "실패 failed"}
MADE = "제작 made to order"
CSV_HEADER = (
    "kind", "name", "change", "total", "changed", "failed", "grown", "shrunk", "mean",
    "mostGrown", "mostShrunk", "before", "beforeModel", "after", "afterModel", "code", "causes",
)  # fmt: skip

Answer = dict[str, Any]


def show_replay(report: Answer, file: IO[str] | None = None) -> None:
    """Print `report` as tables on standard output, or into `file`."""
    # What is looked at in a pipe is as wide as a page, not as narrow as no terminal.
    console = Console(file=file, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    for line in words_of_replay(report):
        console.print(line)
    for table in _tables(report):
        console.print(table)


def words_of_replay(report: Answer) -> Iterator[str]:
    """Yield what was compared, and how many of the estimates are not as before."""
    against = report["against"] or "답한 견적 (what was answered)"
    yield f"{report['version']} ← {against}"
    total = report["total"]
    counts = (("그대로 same", "passed"), ("변경 changed", "changed"), ("실패 failed", "failed"))
    shares = (
        f"{word} {report[name]:,} ({report[name] / max(1, total):.1%})" for word, name in counts
    )
    yield f"전체 total {total:,}: {', '.join(shares)}"
    if report["changed"]:
        yield (
            f"기성함 → 제작함 stock → made to order {report['toMadeToOrder']:,},"
            f" 제작함 → 기성함 made to order → stock {report['toStock']:,},"
            f" 앞면 front {report['frontBeforeM2']:,} → {report['frontAfterM2']:,} m²"
        )


def csv_of_replay(report: Answer) -> str:
    """Return `report` as CSV; `kind` tells the rows apart: total, side, failure, cause, case."""
    target = io.StringIO()
    writer = csv.DictWriter(target, CSV_HEADER, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _csv_rows(report):
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return target.getvalue()


def _csv_rows(report: Answer) -> Iterator[dict[str, object]]:
    counts = {name: report[name] for name in ("total", "changed", "failed")}
    yield {"kind": "total", "name": report["version"], "before": report["against"] or "", **counts}
    for side in SIDES:
        figure = report[side]
        yield {
            "kind": "side", "name": side, "grown": figure["grown"], "shrunk": figure["shrunk"],
            "mean": figure["meanChange"], "mostGrown": figure["mostGrown"],
            "mostShrunk": figure["mostShrunk"],
        }  # fmt: skip
    for failure in report["failures"]:
        yield {
            "kind": "failure", "code": failure["code"], "failed": failure["count"],
            "name": failure["firstEstimate"],
        }  # fmt: skip
    for cause in report["causes"]:
        yield {
            "kind": "cause", "name": _row_name(cause), "change": cause["change"],
            "changed": cause["changed"], "failed": cause["failed"],
        }  # fmt: skip
    for case in report["cases"]:
        yield {
            "kind": "case", "name": case["id"], "change": case["outcome"],
            "before": _size(case["before"]), "beforeModel": case["beforeModel"] or "",
            "after": _size(case["after"]), "afterModel": case["afterModel"] or "",
            "code": case["code"], "causes": "; ".join(case["causes"]),
        }  # fmt: skip


def _inert(value: object) -> object:
    """Return `value` so that a spreadsheet takes no text of a table for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _tables(report: Answer) -> Iterator[Table]:
    if report["changed"]:
        yield _sides(report)
    if report["causes"]:
        yield _causes(report)
    if report["failures"]:
        yield _failures(report)
    if report["cases"]:
        yield _cases(report)


def _sides(report: Answer) -> Table:
    table = Table("", title="얼마나 바뀌나 By how much", title_justify="left")
    for heading in ("커짐 grown", "작아짐 shrunk", "평균 mean", "최대 + most", "최대 − most"):
        table.add_column(heading, justify="right")
    for side, word in SIDES.items():
        figure = report[side]
        names = ("grown", "shrunk", "meanChange", "mostGrown", "mostShrunk")
        table.add_row(word, *(f"{figure[name]:,}" for name in names))
    return table


def _causes(report: Answer) -> Table:
    more = _more(report["causeCount"])
    table = Table("무엇 때문에 Cause", "행 row", title=f"원인 Causes{more}", title_justify="left")
    table.add_column("변경 changed", justify="right")
    table.add_column("실패 failed", justify="right")
    for cause in report["causes"][:MAX_SHOWN]:
        words = f"{PARTS[cause['part']]} {CHANGES[cause['change']]}"
        row = " ".join(cause["row"].values()) or "-"
        table.add_row(words, row, f"{cause['changed']:,}", f"{cause['failed']:,}")
    return table


def _failures(report: Answer) -> Table:
    table = Table("코드 code", title="실패 Failures", title_justify="left")
    table.add_column("견적 수 estimates", justify="right")
    table.add_column("첫 견적 first estimate")
    for failure in report["failures"]:
        table.add_row(failure["code"], f"{failure['count']:,}", failure["firstEstimate"])
    return table


def _cases(report: Answer) -> Table:
    more = _more(report["changed"] + report["failed"])
    table = Table(title=f"실패하거나 크게 바뀌는 견적 Cases{more}", title_justify="left")
    # Whole: it is what the estimate is looked up by.
    table.add_column("견적 estimate", no_wrap=True, overflow="fold")
    for heading in ("", "이전 before", "이후 after", "원인 causes"):
        table.add_column(heading)
    for case in report["cases"][:MAX_SHOWN]:
        after = case["code"] or f"{_size(case['after'])} {case['afterModel'] or MADE}"
        before = f"{_size(case['before'])} {case['beforeModel'] or MADE}".strip()
        causes = ", ".join(case["causes"])
        table.add_row(case["id"], OUTCOMES[case["outcome"]], before, after, causes)
    return table


def _more(count: int) -> str:
    return f" ({count:,}건 중 {MAX_SHOWN} of {count:,})" if count > MAX_SHOWN else ""


def _row_name(cause: Answer) -> str:
    return " ".join((cause["part"], *cause["row"].values()))


def _size(size: Answer | None) -> str:
    return "" if size is None else f"{size['W']}x{size['H']}x{size['D']}"
