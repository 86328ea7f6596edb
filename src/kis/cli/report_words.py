"""A report in words: tables for a terminal, or Markdown."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from kis.ops.report import ClientLine, CountLine, Latency, Report, VolumeLine
from kis.ops.report_volume import RULE

WIDTH = 120
TAG = re.compile(r"<(?=[A-Za-z/!?])")
KINDS = {"daily": "일간 보고서 Daily report", "weekly": "주간 보고서 Weekly report"}
VERDICTS = {
    "usual": "보통 usual",
    "more": "이례적으로 많음 unusually many",
    "less": "이례적으로 적음 unusually few",
    "unknown": "판정하지 않음 not judged",
}
NONE = "-"
VOLUME = ("날 day", "요청 requests", "앞 7일 7 days before", "판정 verdict")
CLIENT = ("클라이언트 client", "요청 requests", "견적 creates", "401", "403", "429")


class Section(NamedTuple):
    """A table of the report: a title, its headings, rows of text, and a remark below it."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    remark: str = ""

    @property
    def inert_rows(self) -> list[tuple[str, ...]]:
        """The rows, in which what a client sent cannot act on a terminal or begin a line."""
        return [tuple(map(_inert, row)) for row in self.rows]


def show_tables(report: Report) -> None:
    """Print the report as tables."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(_heading(report), soft_wrap=True)
    for section in sections_of(report):
        console.print(f"\n{section.title}")
        table = Table(*section.headings)
        for row in section.inert_rows:
            table.add_row(*row)
        console.print(table)
        if section.remark:
            console.print(section.remark, soft_wrap=True)


def show_markdown(report: Report) -> None:
    """Print the report as Markdown."""
    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    for line in markdown_of(report):
        console.print(line)


def markdown_of(report: Report) -> Iterator[str]:
    """Yield the lines of the report as Markdown."""
    yield f"# {_heading(report)}"
    for section in sections_of(report):
        yield ""
        yield f"## {section.title}"
        yield ""
        yield _row_of(section.headings)
        yield _row_of("---" for _ in section.headings)
        yield from (_row_of(row) for row in section.inert_rows)
        if section.remark:
            yield ""
            yield section.remark


def _inert(cell: str) -> str:
    """Return `cell` with control and bidi characters as escapes."""
    if cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cell)


def _row_of(cells: Iterable[str]) -> str:
    escaped = (TAG.sub("&lt;", cell.replace("|", "\\|")) for cell in cells)
    return f"| {' | '.join(escaped)} |"


def sections_of(report: Report) -> Iterator[Section]:
    """Yield the tables that have something to tell."""
    yield Section("요약 Summary", ("항목 What", "값 Value"), list(_summary(report)))
    yield Section(
        "요청량 Volume", VOLUME, [_volume(line) for line in report.volume],
        f"{RULE.ko} / {RULE.en}",
    )  # fmt: skip
    sections = (
        Section(
            "이례적인 요청량 Unusual volume",
            (VOLUME[0], "클라이언트 client", *VOLUME[1:]),
            [(line.day, line.client or "전체 all", *_volume(line)[1:]) for line in report.unusual],
        ),
        Section("클라이언트 Clients", CLIENT, [_client(line) for line in report.clients]),
        Section("거절 Denied (401, 403, 429)", CLIENT, [_client(line) for line in report.denied]),
        _counted("키 Keys", "키 id", report.keys),
        Section(
            "주소 Addresses", ("주소 address", "요청 requests", "p50", "p95", "p99"),
            [
                (line.route, f"{line.requests:,}", *_times(line.latency))
                for line in report.routes
            ],
        ),
        _counted("상태 Statuses", "상태 status", report.statuses),
        _counted("거절 사유 Refusals", "코드 code", report.refusals),
        _counted("없던 치수 What was not known", "치수 row", report.missing),
        _counted("많이 쓴 모델 Most used models", "모델 model", report.models or ()),
        Section("오류 Errors", ("최근 latest",), [(text,) for text in report.latest_errors]),
        Section(
            "읽지 못한 로그 Logs that could not be read", ("파일 file", "까닭 why"),
            [(file.name, file.trouble) for file in report.files if file.trouble],
        ),
    )  # fmt: skip
    yield from (section for section in sections if section.rows)


def _heading(report: Report) -> str:
    days = report.first_day
    if report.last_day != days:
        days = f"{days} ~ {report.last_day}"
    so_far = "" if report.is_complete else " (진행 중 so far)"
    return f"KIS {KINDS[report.kind]} {days}{so_far}"


def _summary(report: Report) -> Iterator[tuple[str, str]]:
    yield "기간 period (UTC)", f"{report.since} ~ {report.until}"
    yield "요청 requests", f"{report.requests:,}"
    yield "오류율 error rate (< 1%)", f"{_percent(report.error_rate)} ({report.errors:,} ERROR)"
    yield "5xx", f"{report.server_errors:,}"
    yield "p50 / p95 / p99", " / ".join(_times(report.latency))
    hits = f"{_percent(report.hit_rate)} ({report.lookups:,})"
    yield "조회 적중률 cache hit rate", hits
    yield "기권 abstentions", f"{report.abstentions:,}"
    yield "slow query", f"{report.slow_queries:,}"
    if report.models is None:
        yield "모델 models", f"물을 수 없음 cannot be asked for: {report.models_trouble}"
    files = ", ".join(file.name for file in report.files) or "로그 없음 no log"
    yield "읽은 로그 read", f"{files} ({report.lines:,})"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.2%}"


def _times(latency: Latency) -> tuple[str, ...]:
    return tuple(
        NONE if ms is None else f"{ms:,g} ms"
        for ms in (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    )


def _client(line: ClientLine) -> tuple[str, ...]:
    counts = line.requests, line.creates, line.unauthenticated, line.forbidden, line.rate_limited
    return line.client, *(f"{count:,}" for count in counts)


def _volume(line: VolumeLine) -> tuple[str, ...]:
    before = NONE
    if line.least_before is not None and line.most_before is not None:
        before = f"{line.least_before:,} ~ {line.most_before:,}"
    return line.day, f"{line.requests:,}", before, VERDICTS[line.verdict]


def _counted(title: str, name: str, lines: tuple[CountLine, ...]) -> Section:
    headings = (name, "횟수 times")
    return Section(title, headings, [(line.name, f"{line.count:,}") for line in lines])
