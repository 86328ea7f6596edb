"""kis-backend restore: shows what would be lost, asks, and puts a backup into its place."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from kis.cli.backup import Evidence, path_of, settings_of, told
from kis.cli.client import fail
from kis.cli.db import Workers, alone, count_or_all, progress
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.ops.backup.restoring import Restored, Supply
    from kis.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend restore --at 2026-11-22T10:15:00Z")(restore)


def restore(
    what: Annotated[
        str, typer.Argument(metavar="latest|FILE", help="백업. Which backup.")
    ] = "latest",
    at: Annotated[
        str,
        typer.Option(metavar="MOMENT", help="백업 대신 이 시점으로. A moment instead (SQLite)."),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="묻지 않는다. Do not ask.")] = False,
    evidence: Evidence = "200",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """백업이나 어느 시점으로 복구한다. Restore a backup, or a moment; the server must be stopped.

    백업을 점검하고, 무엇이 사라지는지 보여 주고, 묻고, 바꾼다. 지금의 데이터베이스는
    data/kis-before-restore-날짜_시각.db로 남는다(30일, 마지막 것은 계속).
    언제 중단되어도 전의 것이나 새것이 온전하다.
    키는 돌아가지 않는다: 그 뒤에 폐기한 키는 폐기된 채로, 만든 키는 통하는 채로 남는다.
    It is checked first; shows what would be lost; asks. The present database is kept beside it
    for 30 days, the last one for ever.
    Keys stay as they are now: those revoked since stay revoked, those made since go on working.
    되돌릴 수 있는 시점 Which moments there are: kis-backend journal status
    """
    from kis.ops.backup.restoring import of_backup  # noqa: PLC0415 - only when it runs
    from kis.ops.backup.source import source_of  # noqa: PLC0415

    settings = settings_of()
    supply = _of_moment(settings, at) if at else of_backup(path_of(source_of(settings), what))
    carry_out(settings, supply, count_or_all(evidence), workers, yes=yes, as_json=as_json)


def _of_moment(settings: "Settings", at: str) -> "Supply":
    from datetime import datetime  # noqa: PLC0415 - only when it runs
    from pathlib import Path  # noqa: PLC0415

    from kis.ops.journal.supplying import of_moment  # noqa: PLC0415

    if settings.database_file is None:
        fail(
            "PostgreSQL의 시점 복구는 docs/postgresql.md에 있습니다.",
            "See docs/postgresql.md for PostgreSQL.",
            2,
        )
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        fail(
            f"--at {at}: 시간대가 있는 시점이어야 합니다. 예: 2026-11-22T10:15:00Z",
            "It has to be a moment with its time zone, such as 2026-11-22T19:15:00+09:00.",
            2,
        )
    return of_moment(Path(settings.journal_dir), moment)


def carry_out(
    settings: "Settings", supply: "Supply", evidence: int | None, workers: int,
    *, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Restore what `supply` makes, once it was shown and agreed to, and show what was done."""
    from kis import clock  # noqa: PLC0415 - only when it runs
    from kis.cli.restore_words import answer_of, words_of_plan, words_of_restored  # noqa: PLC0415
    from kis.estimate.workers import usable_cores  # noqa: PLC0415
    from kis.ops.backup import restoring  # noqa: PLC0415
    from kis.ops.backup.checking import Order  # noqa: PLC0415
    from kis.ops.backup.source import source_of  # noqa: PLC0415

    source = source_of(settings)
    order = Order(source.opener, evidence, workers or usable_cores())
    restored: Restored
    with told(as_json=as_json), alone(settings):
        restoring.require_alone(source)
        with restoring.workplace(source) as place:
            with progress(is_shown=not as_json) as tell:
                prepared = restoring.prepare(place, supply, order, clock.now, tell)
            for line in words_of_plan(prepared):
                typer.echo(line, err=as_json)
            if not yes:
                typer.confirm("복구할까요? Restore?", abort=True, err=True)
            restored = restoring.swap(prepared, clock.now)
    if as_json:
        typer.echo(json.dumps(answer_of(restored), ensure_ascii=False))
        return
    for line in words_of_restored(restored):
        typer.echo(line)
