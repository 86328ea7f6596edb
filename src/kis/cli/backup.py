"""kis-backend backup: reads the database itself, also beside a running server.

A backup only reads, and must be had when the server hangs: it takes neither the lock nor
the server. One at a time is at work in the folder of backups. That it was made is written into
the audit trail then, by the server where one has the database.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kis.cli.client import fail, prepare, show_secrets
from kis.cli.db import Interrupted, Workers, count_or_all, progress
from kis.cli.replay import INTERRUPTED
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from kis.errors import DomainError
    from kis.ops.backup.folder import Stored
    from kis.ops.backup.manifest import Manifest
    from kis.ops.backup.source import Source
    from kis.ops.reaching import Endpoint
    from kis.settings import Settings

app = typer.Typer(invoke_without_command=True)
NICER_BY = 10
ANSWER_WITHIN_S = 10.0
"""A server that hangs is not waited for: the backup is made."""
Evidence = Annotated[
    str, typer.Option(metavar="N|all", help="확인할 증거 수. How many to verify, by chance.")
]


@app.callback()
def backup(
    context: typer.Context,
    logs: Annotated[
        bool,
        typer.Option("--logs", help="로그도 지금. The logs too, not only on Sundays."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """데이터베이스를 백업한다. Back the database up while the server goes on; list, verify.

    backups/kis-backup-날짜_시각.db.gz(PostgreSQL은 .dump). 점검한 뒤에야 latest 링크를 옮긴다.
    30일 지난 백업은 지우되 마지막 정상 백업은 남긴다. 일요일에는 로그도 백업한다(90일).
    Made, checked, and only then `latest`. Kept for 30 days, the last good one for ever.
    """
    if context.invoked_subcommand is not None:
        return
    import msgspec  # noqa: PLC0415 - only when the command runs

    from kis import clock  # noqa: PLC0415
    from kis.cli.backup_words import words_of_backup  # noqa: PLC0415
    from kis.ops.backup.archive import make_backup  # noqa: PLC0415
    from kis.ops.backup.folder import WAIT_S  # noqa: PLC0415
    from kis.ops.backup.source import source_of  # noqa: PLC0415

    settings = settings_of()
    # The server is to have the processor.
    os.nice(NICER_BY)
    with told(as_json=as_json), progress(is_shown=not as_json) as tell:
        made = make_backup(
            source_of(settings), clock.now, tell, settings.log_file.parent,
            with_logs=logs, wait_s=WAIT_S,
        )  # fmt: skip
    _note(settings, made.manifest)
    if as_json:
        typer.echo(msgspec.json.encode(made._asdict()).decode())
        return
    for line in words_of_backup(made):
        typer.echo(line)


def _note(settings: "Settings", manifest: "Manifest") -> None:
    """Have the audit trail tell of a backup, which is one all the same if that fails."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - only when the command runs

    from kis import clock  # noqa: PLC0415
    from kis.db.unavailable import DatabaseUnavailable  # noqa: PLC0415
    from kis.ops.backup.noting import note_here  # noqa: PLC0415
    from kis.serving.lock import Locked, only_process  # noqa: PLC0415
    from kis.settings import SettingsError  # noqa: PLC0415

    reason = ""
    try:
        with only_process(settings):
            note_here(settings, manifest, clock.now)
    except Locked as locked:
        reason = _have_noted(settings, locked.endpoint, manifest.file)
    except (SQLAlchemyError, DatabaseUnavailable, SettingsError, OSError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason:
        typer.echo(f"감사 기록에 남기지 못했습니다. 백업은 정상입니다: {reason}", err=True)
        typer.echo("The backup is good, but the audit trail does not tell of it.", err=True)


def _have_noted(settings: "Settings", endpoint: "Endpoint", file: str) -> str:
    """Have the server write it down; return why it did not."""
    from kis.cli.connection import Connection, to_server  # noqa: PLC0415 - only beside a server

    if not endpoint.url:
        return "kis.lock, another command"
    try:
        with to_server(endpoint, ANSWER_WITHIN_S) as request:
            reply = Connection(request, settings.admin_api_key).send(
                "POST", f"/v1/backups/{file}/note"
            )
    except typer.Exit:
        return endpoint.url
    return "" if reply.is_success else f"{endpoint.url} {reply.status}"


@app.command("list", epilog="예 Example: kis-backend backup list")
def list_(as_json: AsJson = False) -> None:
    """백업을 나열한다. List the backups, newest first."""
    import msgspec  # noqa: PLC0415 - only when the command runs

    from kis.cli.backup_words import words_of_list  # noqa: PLC0415 - only when the command runs
    from kis.ops.backup.folder import answer_of  # noqa: PLC0415

    stored = _stored(_source(settings_of()))
    if as_json:
        typer.echo(msgspec.json.encode([answer_of(each) for each in stored]).decode())
        return
    for line in words_of_list(stored):
        typer.echo(line)


@app.command(epilog="예 Example: kis-backend backup verify --all")
def verify(
    file: Annotated[
        str, typer.Argument(help="백업 파일, 기본은 latest. Default: latest.")
    ] = "latest",
    all_: Annotated[bool, typer.Option("--all", help="모든 백업. All backups.")] = False,
    evidence: Evidence = "200",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """백업을 검증한다. Unpack backups and look into them; exit code 1 when one is not sound.

    SHA-256, 압축, 무결성, 외래 키, 행 수, 지식, 증거를 목록(.json)과 비교한다.
    Digests, gzip, integrity, foreign keys, rows, knowledge, evidence, against the manifest.
    """
    from kis.cli.backup_words import verified_answer, words_of_verified  # noqa: PLC0415
    from kis.estimate.workers import usable_cores  # noqa: PLC0415
    from kis.ops.backup.checking import Order  # noqa: PLC0415
    from kis.ops.backup.verifying import verify as verify_backups  # noqa: PLC0415

    settings = settings_of()
    source = _source(settings)
    paths = [each.path for each in _stored(source)] if all_ else [path_of(source, file)]
    order = Order(source.opener, count_or_all(evidence), workers or usable_cores())
    with told(as_json=as_json), progress(is_shown=not as_json) as tell:
        found = list(verify_backups(source, paths, order, tell))
    if as_json:
        typer.echo(json.dumps([verified_answer(each) for each in found], ensure_ascii=False))
    else:
        for each in found:
            typer.echo(words_of_verified(each))
    if not found:
        fail("백업이 없습니다.", "There are no backups.")
    if any(each.trouble for each in found):
        raise typer.Exit(1)


def settings_of() -> "Settings":
    """Return the settings, and show secrets that had to be made."""
    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    return prepared.settings


def _source(settings: "Settings") -> "Source":
    from kis.ops.backup.source import source_of  # noqa: PLC0415 - only when a command runs

    return source_of(settings)


def _stored(source: "Source") -> "list[Stored]":
    from kis import clock  # noqa: PLC0415 - only when a command runs
    from kis.ops.backup.folder import stored_backups  # noqa: PLC0415
    from kis.ops.backup.naming import zone_of  # noqa: PLC0415

    return stored_backups(source.folder, zone_of(clock.now().astimezone()))


def path_of(source: "Source", what: str) -> Path:
    """Return the backup that is meant: `latest`, a path, or a name in the folder of backups."""
    from kis.ops.backup.naming import LATEST, latest_name  # noqa: PLC0415 - only when it runs

    if what == LATEST:
        path = source.folder / latest_name(source.kind)
        if not path.is_file():
            fail("아직 백업이 없습니다.", "There is no backup yet.")
        return path.resolve()
    path = Path(what)
    # A bare name is one of the list.
    found = next((each for each in (path, source.folder / what) if each.is_file()), None)
    if found is None:
        fail(f"파일이 없습니다: {what}", f"There is no file {what}.", 2)
    return found.resolve()


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Tell what is refused, in words or as JSON, and end."""
    from kis.errors import DomainError  # noqa: PLC0415 - only when a command runs

    try:
        yield
    except DomainError as error:
        _show(error, as_json=as_json)
        raise typer.Exit(1) from None
    except Interrupted:
        fail("중단했습니다.", "Interrupted.", INTERRUPTED)


def _show(error: "DomainError", *, as_json: bool) -> None:
    main = error.main
    if as_json:
        fields = {
            "code": main.code, "detail": main.message.ko, "detailEn": main.message.en,
            "hint": main.hint.ko, "hintEn": main.hint.en,
        }  # fmt: skip
        typer.echo(json.dumps(fields, ensure_ascii=False))
        return
    typer.echo(f"{main.code}\n  {main.message.ko} / {main.message.en}", err=True)
    typer.echo(f"  → {main.hint.ko} / {main.hint.en}", err=True)
