"""kis-backend logs clean: deletes old rotated logs."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from kis.cli.age import days_of
from kis.cli.client import fail, prepare
from kis.cli.server import AsJson

app = typer.Typer(help="로그를 정리한다. Clean up logs.", no_args_is_help=True)
MIB = 1 << 20


@app.callback()
def group() -> None:
    """로그를 정리한다. Clean up logs."""


@app.command(epilog="예 Example: kis-backend logs clean --older-than 90d --dry-run")
def clean(
    older_than: Annotated[
        str, typer.Option(metavar="DAYS", help="이만큼 지난 것, 예 90d. As old as that.")
    ] = "90d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="삭제하지 않는다. Delete nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """돌려 둔 오래된 로그를 지운다. Delete old rotated logs, never the current one.

    logs/ 안의 kis-backend.log.1, .2.gz, -20260131.gz 같은 파일만 지우고, 묻지 않는다(cron).
    Only such files in logs/; it does not ask, so that cron can run it.
    """
    from kis import clock  # noqa: PLC0415 - only when the command runs
    from kis.ops import log_files  # noqa: PLC0415

    before = clock.now() - timedelta(days=days_of(older_than))
    log = prepare().settings.log_file
    try:
        aged = log_files.clean(log, before.timestamp(), dry_run=dry_run)
    except OSError as error:
        fail(f"지울 수 없습니다: {error}", f"Cannot be deleted: {error.filename}")
    if as_json:
        files = [{"name": file.name, "bytes": file.size} for file in aged]
        typer.echo(json.dumps({"dryRun": dry_run, "files": files}))
        return
    for file in aged:
        typer.echo(f"삭제 delete {file.name} ({file.size / MIB:.1f} MiB)")
    total = sum(file.size for file in aged) / MIB
    done = "지울 것 To delete" if dry_run else "지움 Deleted"
    typer.echo(f"{done}: {len(aged)} ({total:.1f} MiB), {log.parent}")
