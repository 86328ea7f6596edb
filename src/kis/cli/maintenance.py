"""kis-backend maintenance: through whoever has the database open, or alone with --full."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from kis.cli.client import fail, prepare, show_json, show_refusal, show_secrets
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.cli.connection import Reply

MIB = 1 << 20
MARKS = {"done": "✓", "left": "-", "failed": "✗"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend maintenance --json")(maintenance)


def maintenance(
    full: Annotated[
        bool, typer.Option("--full", help="서버를 멈추고 VACUUM까지. All, with no server running.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """데이터베이스를 정비한다. Maintain the database while estimates go on.

    통계(ANALYZE, 표본으로)와 작은 표의 REINDEX. 파일을 줄이는 VACUUM은 SQLite에서 --full로만 한다.
    PostgreSQL에서는 VACUUM (ANALYZE)와 REINDEX CONCURRENTLY.
    Statistics from samples, and small tables' indexes. What shrinks a SQLite file takes --full.
    """
    from kis.cli.connection import Reply, call  # noqa: PLC0415 - only when the command runs

    if full:
        reply = Reply(200, _fully(is_shown=not as_json))
    else:
        reply = call("POST", "/v1/maintenance", is_admin=True)
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    if as_json:
        show_json(reply)
    else:
        _show(reply.json())
    _fail_if_failed(reply)


def _fully(*, is_shown: bool) -> bytes:
    import sqlite3  # noqa: PLC0415 - only when it runs

    import msgspec  # noqa: PLC0415

    from kis import clock  # noqa: PLC0415
    from kis.cli.db import alone  # noqa: PLC0415
    from kis.ops.doctor import in_one_line  # noqa: PLC0415
    from kis.ops.maintenance import NoRoom, maintain_fully  # noqa: PLC0415

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    settings = prepared.settings
    file = settings.database_file
    if file is None:
        fail(
            "PostgreSQL에는 --full이 없습니다: maintenance가 실행 중에 모두 합니다.",
            "There is no --full for PostgreSQL: maintenance does everything while it runs.",
            2,
        )
    if not file.is_file():
        fail(f"파일이 없습니다: {file}", f"There is no file {file}.", 2)

    def tell(statement: str) -> None:
        if is_shown:
            typer.echo(f"{statement} ...", err=True)

    with alone(settings):
        try:
            done = maintain_fully(settings.database_url, file, clock.now(), tell)
        except NoRoom as room:
            _refuse_room(room.needed, room.free)
        except sqlite3.Error as error:
            reason = in_one_line(error)
            fail(
                f"끝내지 못했습니다: {reason}. 데이터는 그대로입니다.",
                f"Not completed: {reason}. The data is as it was.",
            )
    return msgspec.json.encode(done)


def _refuse_room(needed: int, free: int) -> NoReturn:
    fail(
        f"디스크에 {needed / MIB:,.0f} MiB가 필요한데 {free / MIB:,.0f} MiB뿐입니다.",
        f"It takes {needed / MIB:,.0f} MiB on the disk; {free / MIB:,.0f} MiB are free.",
    )


def _show(answer: dict[str, Any]) -> None:
    for step in answer["steps"]:
        why = "" if not step["ko"] else f" ({step['ko']} / {step['en']})"
        if step["ko"] == step["en"] and why:
            why = f" ({step['ko']})"
        typer.echo(f"{MARKS[step['state']]} {step['name']}: {step['milliseconds']:g} ms{why}")
    for table in answer["tables"]:
        typer.echo(f"  {table['table']:24} {table['rows']:>12,}")
    before, after = (_size(answer[when]) for when in ("before", "after"))
    typer.echo(f"크기 Size: {before} → {after}")
    if answer["kind"] == "sqlite" and not answer["full"]:
        typer.echo(f"가장 오래 쓰기를 막은 시간 Writers waited at most: {answer['longestMs']:g} ms")
    for words in (answer["remarkKo"], answer["remarkEn"]):
        if words:
            typer.echo(words)


def _size(sizes: dict[str, int]) -> str:
    shown = f"{sizes['database'] / MIB:,.1f} MiB"
    if sizes["free"]:
        shown += f" (빈 공간 free {sizes['free'] / MIB:,.1f})"
    return f"{shown} + WAL {sizes['log'] / MIB:,.1f}" if sizes["log"] else shown


def _fail_if_failed(reply: "Reply") -> None:
    failed = [step["name"] for step in json.loads(reply.body)["steps"] if step["state"] == "failed"]
    if failed:
        raise typer.Exit(1)
