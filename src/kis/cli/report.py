"""kis-backend report daily|weekly: reads the log itself, and asks the service for models."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from kis.cli.client import fail, prepare
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.ops.report import Kind, Models, Period, Report

app = typer.Typer(
    help="하루나 한 주를 로그에서 요약한다. What the log says of a day or a week.",
    no_args_is_help=True,
)
Day = Annotated[
    str,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", help="마지막 날, 기본은 어제. Last day; else yesterday."
    ),
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Markdown으로 출력. Print Markdown.")]


@app.command(epilog="예 Example: kis-backend report daily --date 2026-01-31")
def daily(day: Day = "", as_markdown: AsMarkdown = False, as_json: AsJson = False) -> None:
    """하루의 요청, 오류, 거절, 이례적인 양. A day's requests, errors, refusals, odd volume.

    날은 이 컴퓨터의 시간대로 센다. 앞 7일과 비교한다. 돌려 둔 로그(.1, .gz)도 읽는다.
    Days are those of this machine's time zone, compared with the 7 before; rotated logs are read.
    """
    _show("daily", day, as_markdown=as_markdown, as_json=as_json)


@app.command(epilog="예 Example: kis-backend report weekly --markdown")
def weekly(day: Day = "", as_markdown: AsMarkdown = False, as_json: AsJson = False) -> None:
    """한 주의 요청, 오류, 거절, 이례적인 양. A week's requests, errors, refusals, odd volume.

    주어진 날에 끝나는 7일이다. The 7 days that end with the one given.
    """
    _show("weekly", day, as_markdown=as_markdown, as_json=as_json)


def _show(kind: "Kind", day: str, *, as_markdown: bool, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415 - only when the command runs

    from kis.cli.report_words import show_markdown, show_tables  # noqa: PLC0415

    if as_markdown and as_json:
        fail("--markdown과 --json 가운데 하나만 쓰십시오.", "Either --markdown or --json.", 2)
    report = _report(kind, _date_of(day))
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    elif as_markdown:
        show_markdown(report)
    else:
        show_tables(report)


def _date_of(text: str) -> date:
    from kis import clock  # noqa: PLC0415 - only when the command runs

    try:
        if text:
            return date.fromisoformat(text)
        return clock.now().astimezone().date() - timedelta(days=1)
    except ValueError:
        fail(
            f"--date {text!r}: 2026-01-31 처럼 쓰십시오.",
            f"--date {text!r} is no date such as 2026-01-31.",
            2,
        )


def _report(kind: "Kind", last: date) -> "Report":
    from kis import clock  # noqa: PLC0415 - only when the command runs
    from kis.ops.report import compose, midnight, period_of, read_log  # noqa: PLC0415

    try:
        period = period_of(kind, last, midnight)
    except OverflowError:
        fail(f"--date {last}: 너무 이르거나 늦습니다.", f"--date {last} is out of range.", 2)
    log = prepare().settings.log_file
    # The log first: to ask leaves a line in it.
    tally, files = read_log(log, period)
    return compose(period, tally, files, _models(period), clock.now())


def _models(period: "Period") -> "Models":
    """Ask for the most used models; a database that cannot be read spoils no report."""
    from kis.cli.connection import call  # noqa: PLC0415 - only when the command runs
    from kis.db.unavailable import DatabaseUnavailable  # noqa: PLC0415
    from kis.ops.report import TOP, CountLine, Models  # noqa: PLC0415

    query = {
        "since": period.since.isoformat(), "until": period.until.isoformat(), "limit": str(TOP)
    }  # fmt: skip
    try:
        reply = call("GET", "/v1/report/models", is_admin=True, query=query)
    except DatabaseUnavailable as error:
        return Models(None, str(error))
    if not reply.is_success:
        return Models(None, reply.json()["detail"])
    return Models(tuple(CountLine(line["mainModel"], line["count"]) for line in reply.json()))
