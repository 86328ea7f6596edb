"""kis-backend drill: what has to work on a bad day is tried on a good one."""

import json
from typing import Annotated

import typer

from kis.cli.backup import Evidence, path_of, settings_of, told
from kis.cli.db import Workers, count_or_all, progress
from kis.cli.server import AsJson

app = typer.Typer(
    help="복구를 연습한다. Practise what has to work on a bad day.", no_args_is_help=True
)


@app.callback()
def drills() -> None:
    """Keep `restore` a command of a group, though it is the only one."""


@app.command(epilog="예 Example: kis-backend drill restore")
def restore(
    what: Annotated[
        str, typer.Argument(metavar="latest|FILE", help="백업. Which backup.")
    ] = "latest",
    evidence: Evidence = "200",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """백업을 빈자리에 복구해 보고 지금과 비교한다. Restore into a scratch place, and compare.

    서버는 계속 돈다. 온전하지 않으면 종료 코드 1. 남기는 것이 없다.
    The server goes on; exit code 1 when it cannot be restored. Nothing is left behind.
    """
    from kis import clock  # noqa: PLC0415 - only when it runs
    from kis.cli.restore_words import answer_of_prepared, words_of_drill  # noqa: PLC0415
    from kis.estimate.workers import usable_cores  # noqa: PLC0415
    from kis.ops.backup.checking import Order  # noqa: PLC0415
    from kis.ops.backup.folder import WAIT_S  # noqa: PLC0415
    from kis.ops.backup.restoring import of_backup, prepare, workplace  # noqa: PLC0415
    from kis.ops.backup.source import source_of  # noqa: PLC0415

    source = source_of(settings_of())
    order = Order(source.opener, count_or_all(evidence), workers or usable_cores())
    with (
        told(as_json=as_json),
        progress(is_shown=not as_json) as tell,
        workplace(source, wait_s=WAIT_S, tell=tell) as place,
    ):
        # Not before: whoever was waited for may have made a newer one, and deleted old ones.
        supply = of_backup(path_of(source, what))
        prepared = prepare(place, supply, order, clock.now, tell)
    if as_json:
        typer.echo(json.dumps(answer_of_prepared(prepared), ensure_ascii=False))
        return
    for line in words_of_drill(prepared):
        typer.echo(line)
