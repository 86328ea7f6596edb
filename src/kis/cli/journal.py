"""kis-backend journal status: of the running server, or of what is in the folder."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from kis.cli.client import fail, prepare, show_refusal
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.cli.connection import Reply
    from kis.settings import Settings

app = typer.Typer(no_args_is_help=True)
MIB = 1 << 20


@app.callback()
def journal() -> None:
    """연속 보호(SQLite): 커밋을 이어서 복사한다. Commits are copied as they come (SQLite)."""


@app.command(epilog="예 Example: kis-backend journal status --json")
def status(as_json: AsJson = False) -> None:
    """되돌릴 수 있는 시점, 지연, 크기. Moments that can be restored, lag, size; exit 1 for trouble.

    서버가 없어도, 데이터베이스가 없어져도 폴더를 읽어 답한다.
    Without a server, and without a database, it tells what the folder holds.
    """
    settings = prepare().settings
    if settings.database_file is None:
        fail(
            "연속 보호는 SQLite의 것입니다. PostgreSQL: docs/postgresql.md",
            "This is for SQLite. PostgreSQL: docs/postgresql.md.",
            2,
        )
    reply = _status_of(settings)
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    told = reply.json()
    if as_json:
        typer.echo(reply.body.decode())
    else:
        _show(told)
    if told["trouble"]:
        raise typer.Exit(1)


def _status_of(settings: "Settings") -> "Reply":
    """Ask the server; where none runs, look at the folder, which takes no database."""
    from pathlib import Path  # noqa: PLC0415 - only when the command runs

    import msgspec  # noqa: PLC0415

    from kis.cli.connection import Reply, call  # noqa: PLC0415
    from kis.ops.journal.protection import status_of  # noqa: PLC0415
    from kis.serving.lock import Locked, only_process  # noqa: PLC0415

    try:
        with only_process(settings, wait_s=0):
            pass
    except Locked as locked:
        if locked.address:
            return call("GET", "/v1/journal", is_admin=True)
    found = status_of(Path(settings.journal_dir), is_on=settings.journal_days > 0)
    return Reply(200, msgspec.json.encode(found))


def _show(told: dict[str, Any]) -> None:
    state = "켜짐 on" if told["isOn"] else "꺼짐 off (JOURNAL_DAYS=0)"
    typer.echo(f"연속 보호 Journal: {state}, {told['bytes'] / MIB:,.1f} MiB, {told['folder']}")
    if told["lagSeconds"] is None:
        typer.echo("서버가 실행 중이 아닙니다. No server is running.")
    else:
        typer.echo(f"지연 Behind by: {told['lagSeconds']:.1f} s")
    if told["trouble"]:
        typer.echo(f"이상 Trouble: {told['trouble']}")
    if not told["spans"]:
        typer.echo("되돌릴 수 있는 시점이 아직 없습니다. Nothing can be restored yet.")
        return
    typer.echo("되돌릴 수 있는 시점 Moments that can be restored:")
    for span in told["spans"]:
        typer.echo(f"  {_shown(span['first'])} ~ {_shown(span['last'])}")


def _shown(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%dT%H:%M:%S.%fZ}"
