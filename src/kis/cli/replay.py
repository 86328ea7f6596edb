"""kis-backend knowledge replay: reads the database itself, also beside a running server.

A replay only reads, on all cores and for long: neither the server's process nor the
lock that lets one process write is the place for it.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kis.cli.client import fail, prepare, show_json, show_refusal, show_secrets
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.db.engine import Database
    from kis.estimate.replay_report import ReplayReport
    from kis.ops.replay import Prepared, Replay, ReplayOrder
    from kis.ops.replay_pool import Sizer, Versions
    from kis.settings import Settings

    Begin = Callable[[Versions], AbstractContextManager[Sizer]]

SCHEME = "sqlite:///"
SLOW_MS = 60_000.0
INTERRUPTED = 130
"""What a shell says of a program that Ctrl+C ended."""
MAX_WORKERS = 64


def register(app: typer.Typer) -> None:
    """Add the command to the group `app`."""
    app.command(epilog="예 Example: kis-backend knowledge replay --version v2026-01-01-01")(replay)


def replay(  # noqa: PLR0913 - as many as there are options
    version: Annotated[str, typer.Option(help="다시 견적할 버전. Version to replay under.")],
    against: Annotated[
        str, typer.Option(help="비교할 버전, 기본은 답한 견적. Default: what was answered.")
    ] = "",
    last: Annotated[
        int | None, typer.Option(min=1, help="최근 몇 건만. Only the latest so many.")
    ] = None,
    since: Annotated[str, typer.Option(help="이때부터(UTC, 2026-01-31). From then on, UTC.")] = "",
    workers: Annotated[
        int, typer.Option(min=0, max=MAX_WORKERS, help="프로세스 수, 0은 코어 수. 0: all cores.")
    ] = 0,
    dask: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Dask 스케줄러 주소, 또는 local. On a Dask cluster: its scheduler, or local.",
        ),
    ] = "",
    csv: Annotated[
        Path | None, typer.Option(help="보고서를 CSV로도. Write the report as CSV too.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="이어서 하지 않는다. Do not go on, begin anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """저장된 견적을 다른 버전으로 다시 계산해 비교한다. Re-estimate what is stored, and compare.

    아무것도 바꾸지 않는다. 중단해도(Ctrl+C) 같은 명령으로 이어서 한다.
    It changes nothing. Once interrupted, the same command goes on where it stopped.
    """
    from kis.ops.replay import ReplayOrder  # noqa: PLC0415 - only when the command runs

    order = ReplayOrder(version, against or None, last, _moment(since))
    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    begin = _sizing(workers, dask)
    report = _report(prepared.settings, order, begin, restart=restart, as_json=as_json)
    _show(report, csv, as_json=as_json)


def _moment(text: str) -> datetime | None:
    """Return the moment of `--since`: a time without zone is UTC, as in answers."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        fail(
            f"--since {text!r}: 2026-01-31 이나 2026-01-31T09:00:00Z 처럼 쓰십시오.",
            f"--since {text!r} is no date such as 2026-01-31 or 2026-01-31T09:00:00Z.",
            2,
        )


def _report(
    settings: "Settings", order: "ReplayOrder", begin: "Begin", *, restart: bool, as_json: bool
) -> "ReplayReport":
    from kis.errors import DomainError  # noqa: PLC0415 - only when the command runs
    from kis.estimate.replay_report import report_of  # noqa: PLC0415
    from kis.knowledge.content import ContentError  # noqa: PLC0415
    from kis.ops import replay as ops  # noqa: PLC0415

    with _opened(settings) as database:
        try:
            prepared = database.read_now(lambda connection: ops.prepare(connection, order))
            found = ops.Replay(
                database, prepared, settings.home / "knowledge-staging", restart=restart
            )
            if not _run(found, prepared, begin):
                _tell_interrupted(found.tally.total, prepared.ids.size)
        except DomainError as refusal:
            _refuse(refusal, as_json=as_json)
        except ContentError as error:
            fail(f"저장된 지식이 손상되었습니다: {error}", "The stored knowledge is damaged.")
    return report_of(found.tally, order.version, order.against)


@contextmanager
def _opened(settings: "Settings") -> Iterator["Database"]:
    from kis.db.engine import open_database  # noqa: PLC0415 - only when the command runs
    from kis.db.migrate import HEAD, stored_revision  # noqa: PLC0415

    url = settings.database_url
    # Opening would make the file.
    is_there = not url.startswith(SCHEME) or Path(url.removeprefix(SCHEME)).exists()
    database = open_database(url, slow_query_ms=SLOW_MS) if is_there else None
    try:
        if database is None or database.read_now(stored_revision) != HEAD:
            fail(
                "이 프로그램의 데이터베이스가 아직 없습니다. 서버를 한 번 시작하십시오: make run",
                "There is no database of this program yet. Start the service once: make run",
            )
        yield database
    finally:
        if database is not None:
            database.close()


def _sizing(workers: int, dask: str) -> "Begin":
    """Return what begins to size: in processes of this machine, or on a cluster."""
    from kis.estimate.workers import usable_cores  # noqa: PLC0415
    from kis.ops.replay_pool import sizing  # noqa: PLC0415

    count = workers or usable_cores()
    if not dask:
        return lambda versions: sizing(versions, count)
    try:
        from kis.ops.replay_cluster import ClusterUnusable, sizing_on  # noqa: PLC0415
    except ModuleNotFoundError:
        fail(
            "--dask에는 Dask가 필요합니다: uv sync --locked --extra dask",
            "--dask needs Dask: uv sync --locked --extra dask",
            2,
        )

    @contextmanager
    def begin(versions: "Versions") -> "Iterator[Sizer]":
        try:
            with sizing_on(dask, versions, count) as sizer:
                yield sizer
        except ClusterUnusable as error:
            fail(f"Dask 클러스터를 쓸 수 없습니다: {error}", f"The cluster is unusable: {error}", 2)

    return begin


def _run(found: "Replay", prepared: "Prepared", begin: "Begin") -> bool:
    """Replay with a progress bar where somebody looks; False when a signal came first."""
    from concurrent.futures import BrokenExecutor  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    if found.resumed:
        typer.echo(
            f"{found.tally.total:,}건에 이어서 합니다. Going on after {found.tally.total:,}.",
            err=True,
        )
    with (
        signals() as seen,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("재견적 replay", total=prepared.ids.size)
        try:
            with begin(prepared.versions) as sizer:
                return found.run(
                    sizer,
                    is_stopped=lambda: bool(seen),
                    tell=lambda p: bar.update(task, completed=p.done, total=p.total),
                )
        except BrokenExecutor:
            # Killed, as by a system that is out of memory: it can be gone on with.
            return False


@contextmanager
def signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying of the first; the second one kills."""
    seen: list[int] = []

    def note(number: int, _frame: object) -> None:
        seen.append(number)
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_interrupted(done: int, total: int) -> NoReturn:
    fail(
        f"중단했습니다: {total:,}건 중 {done:,}건까지 기록했습니다."
        " 같은 명령을 다시 실행하면 이어서 합니다.",
        f"Interrupted after {done:,} of {total:,}. Run the same command to go on from there.",
        INTERRUPTED,
    )


def _refuse(refusal: Exception, *, as_json: bool) -> NoReturn:
    from kis.api.errors import problem_body, status_of  # noqa: PLC0415 - only when refused
    from kis.cli.connection import Reply  # noqa: PLC0415
    from kis.errors import DomainError  # noqa: PLC0415

    assert isinstance(refusal, DomainError)  # noqa: S101 - for the type checker
    show_refusal(Reply(status_of(refusal), problem_body(refusal, "")), as_json=as_json)


def _show(report: "ReplayReport", csv: Path | None, *, as_json: bool) -> None:
    import msgspec  # noqa: PLC0415 - only when the command runs

    from kis.cli.connection import Reply  # noqa: PLC0415
    from kis.cli.replay_words import csv_of_replay, show_replay  # noqa: PLC0415

    answer = msgspec.to_builtins(report)
    if csv is not None:
        try:
            csv.write_text(csv_of_replay(answer), encoding="utf-8-sig", newline="")
        except OSError as error:
            fail(f"쓸 수 없습니다: {error}", f"Cannot be written: {csv}", 2)
    if as_json:
        show_json(Reply(200, msgspec.json.encode(report)))
        return
    with suppress(BrokenPipeError):
        show_replay(answer)
