"""kis-backend db migrate|check|copy."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kis.cli.client import fail, prepare, show_secrets
from kis.cli.replay import INTERRUPTED, MAX_WORKERS, SLOW_MS, signals
from kis.cli.server import AsJson
from kis.serving.lock import Locked, only_process

if TYPE_CHECKING:
    from kis.db.engine import Database
    from kis.ops.doctor import Checkup
    from kis.ops.moving import Moved
    from kis.settings import Settings

app = typer.Typer(
    help="데이터베이스를 갱신, 점검, 이전한다. Migrate, check and move the database.",
    no_args_is_help=True,
)
POSTGRESQL_PORT = 5432
Workers = Annotated[
    int, typer.Option(min=0, max=MAX_WORKERS, help="프로세스 수, 0은 코어 수. 0: all cores.")
]


@app.command(epilog="예 Example: kis-backend db migrate")
def migrate(as_json: AsJson = False) -> None:
    """스키마를 이 프로그램에 맞춘다. Bring the schema up to date; the server must be stopped."""
    from kis.db import migrate as schema  # noqa: PLC0415 - only when the command runs
    from kis.db.engine import open_database  # noqa: PLC0415

    settings = _settings()
    with (
        alone(settings),
        closing(
            open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
        ) as database,
    ):
        found = database.read_now(schema.stored_revision)
        schema.migrate(database)
    if as_json:
        typer.echo(json.dumps({"from": found, "to": schema.HEAD}))
    elif found == schema.HEAD:
        typer.echo(f"이미 {found} 개정입니다. The schema is at revision {found} already.")
    else:
        typer.echo(
            f"스키마: {found or '없음'} → {schema.HEAD}\n"
            f"Schema brought from {found or 'nothing'} to {schema.HEAD}."
        )


@app.command(epilog="예 Example: kis-backend db check --evidence 1000")
def check(
    evidence: Annotated[
        str, typer.Option(metavar="N|all", help="확인할 증거 수. How many to verify, by chance.")
    ] = "all",
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """데이터베이스를 점검한다. Check the database; exit code 1 when something is wrong.

    스키마, 표, 파일, 외래 키, 활성 지식, 증거를 본다. 읽기만 하므로 서버가 실행 중이어도 된다.
    Schema, tables, file, foreign keys, knowledge, evidence; also beside a running server.
    """
    from kis.estimate.workers import usable_cores  # noqa: PLC0415 - only when the command runs
    from kis.ops.keys.start import KeySources  # noqa: PLC0415
    from kis.ops.soundness import EvidenceOrder, look_over  # noqa: PLC0415

    settings = _settings()
    opener = KeySources.of(settings).opener
    order = EvidenceOrder(opener, count_or_all(evidence), workers or usable_cores())
    try:
        with progress(is_shown=not as_json) as tell:
            found = list(
                look_over(
                    settings.database_url, settings.database_file, order,
                    lambda done, total: tell("증거 evidence", done, total),
                )
            )  # fmt: skip
    except Interrupted:
        fail("중단했습니다.", "Interrupted.", INTERRUPTED)
    _show_checkups(found, as_json=as_json)
    if not all(checkup.is_good for checkup in found):
        raise typer.Exit(1)


@app.command(
    epilog="예 Example: kis-backend db copy --from sqlite:///kis.db --to postgresql://kis:pw@pg/kis"
)
def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="원본. Where it is.")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="빈 대상. Where to; empty.")],
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="복사하지 않고 비교만. Copy nothing, compare.")
    ] = False,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """설치를 다른 데이터베이스로 옮긴다. Move the installation to another database.

    행마다, 증거마다 확인한다. 중단해도 같은 명령으로 이어서 한다. 두 쪽 모두 서버를 멈춰야 한다.
    Verified row for row; once interrupted, the same command goes on. No server may be running.
    """
    from kis.cli.db_words import answer_of, show_move  # noqa: PLC0415 - only when it runs
    from kis.settings import env_file_of  # noqa: PLC0415

    settings = _settings()
    ends = _End(settings, source, "--from"), _End(settings, target, "--to")
    _require_two(*ends)
    with alone(ends[0].settings), alone(ends[1].settings):
        moved = _move(*ends, workers, verify_only=verify_only, is_shown=not as_json)
    answer = answer_of(moved, *(end.shown for end in ends))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        show_move(answer)
    if not moved.is_equal:
        fail(
            "대상이 원본과 달라 완료로 표시하지 않았습니다. 대상을 비우고 다시 복사하십시오.",
            "The target is not as the source, and not marked as done. Empty it and copy again.",
        )
    if not (as_json or verify_only):
        typer.echo(
            f"다음: {env_file_of(settings.home)} 파일에서 DATABASE_URL={ends[1].shown} 로 바꾸고"
            " 서버를 다시 시작하십시오.\n"
            "Next: set this DATABASE_URL (with its password) there, and restart the server."
        )


class _End:
    """Source or target, as settings that name it as the database."""

    def __init__(self, settings: "Settings", url: str, option: str) -> None:
        from sqlalchemy import make_url  # noqa: PLC0415 - only when the command runs
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

        from kis.setting_kinds import database_address  # noqa: PLC0415

        kind = database_address()
        try:
            self.url = str(kind.parse(url.strip()))
            parsed = make_url(self.url)
        except (ValueError, ArgumentError):
            what = kind.show(url)
            fail(
                f"{option}{what.ko} 값은 쓸 수 없습니다. 허용값: {kind.allowed.ko}",
                f"{option}{what.en} is not allowed. Allowed: {kind.allowed.en}",
                2,
            )
        self.settings = replace(settings, database_url=self.url)
        self.file = self.settings.database_file
        self.shown = parsed.render_as_string(hide_password=True)
        self.place = (
            (parsed.host, parsed.port or POSTGRESQL_PORT, parsed.database)
            if self.file is None
            else self.file.resolve()
        )


def _require_two(source: _End, target: _End) -> None:
    if source.place == target.place:
        fail(
            "원본과 대상이 같은 데이터베이스입니다.",
            "Source and target are the same database.",
            2,
        )
    if source.file is not None and not source.file.is_file():
        fail(f"원본 파일이 없습니다: {source.file}", f"There is no file {source.file}.", 2)


@contextmanager
def _opened(end: _End) -> Iterator["Database"]:
    from kis.db.engine import open_database  # noqa: PLC0415 - only when the command runs

    with closing(open_database(end.url, slow_query_ms=SLOW_MS)) as database:
        yield database


def _move(
    source: _End, target: _End, workers: int, *, verify_only: bool, is_shown: bool
) -> "Moved":
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - only when it runs

    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from kis.db.unavailable import DatabaseUnavailable  # noqa: PLC0415
    from kis.estimate.workers import usable_cores  # noqa: PLC0415
    from kis.ops.doctor import in_one_line  # noqa: PLC0415
    from kis.ops.endpoints import Refused  # noqa: PLC0415
    from kis.ops.evidence_pool import Places  # noqa: PLC0415
    from kis.ops.keys.start import KeySources  # noqa: PLC0415
    from kis.ops.moving import Move, move  # noqa: PLC0415
    from kis.ops.stored_table import Unfit  # noqa: PLC0415

    opener = KeySources.of(source.settings).opener
    with _opened(source) as origin, _opened(target) as arrived:
        try:
            with progress(is_shown=is_shown) as tell:
                places = Places(target.url, source.url, opener)
                order = Move(places, workers or usable_cores(), verify_only)
                return move(origin, arrived, order, tell)
        except Refused as refusal:
            fail(refusal.words.ko, refusal.words.en, 2)
        except Unfit as row:
            where = f"{row.table} [{row.where}]: {row.reason}"
            fail(f"옮길 수 없는 행이 있습니다: {where}", f"This row cannot be moved: {where}")
        except (SQLAlchemyError, DatabaseUnavailable, BrokenProcessPool) as error:
            reason = in_one_line(getattr(error, "orig", error))
            fail(
                f"끝내지 못했습니다: {reason}\n"
                "원인을 없앤 뒤 같은 명령을 다시 실행하면 이어서 합니다.",
                "Not completed. Once the cause is gone, the same command goes on from there.",
            )
        except Interrupted:
            fail(
                "중단했습니다. 같은 명령을 다시 실행하면 이어서 합니다.",
                "Interrupted. The same command goes on from there.",
                INTERRUPTED,
            )


def count_or_all(text: str) -> int | None:
    """Return how many are meant by `--evidence`; None: all."""
    if text == "all":
        return None
    if not (text.isascii() and text.isdigit()):
        fail(
            f"--evidence {text!r}: 수 또는 all을 쓰십시오.",
            f"--evidence {text!r} is neither a number nor all.",
            2,
        )
    return int(text)


def _show_checkups(found: list["Checkup"], *, as_json: bool) -> None:
    if as_json:
        fields = [
            {"what": c.what, "isGood": c.is_good, "ko": c.ko, "en": c.en} for c in found
        ]  # fmt: skip
        typer.echo(json.dumps(fields, ensure_ascii=False))
        return
    for checkup in found:
        mark = "OK  " if checkup.is_good else "문제"
        words = checkup.ko if checkup.ko == checkup.en else f"{checkup.ko} / {checkup.en}"
        typer.echo(f"{mark} {checkup.what}: {words}")


def _settings() -> "Settings":
    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    return prepared.settings


@contextmanager
def alone(settings: "Settings") -> Iterator[None]:
    """Be the only process on a SQLite file, or end with who else has it open."""
    try:
        with only_process(settings):
            yield
    except Locked as locked:
        _refuse_locked(settings, locked)


def _refuse_locked(settings: "Settings", locked: Locked) -> NoReturn:
    who = locked.address
    fail(
        f"{who or '다른 명령'}: 이 데이터베이스를 쓰고 있습니다({settings.database_file})."
        " 멈춘 뒤 다시 하십시오.",
        f"{who or 'Another command'} has this database open. Stop it, then try again.",
    )


class Interrupted(Exception):  # noqa: N818 - says what is the case
    """A signal came: what is under way ends at the next page."""


Tell = Callable[[str, int, int], None]
"""(what is done, how much of it, of how much)."""


@contextmanager
def progress(*, is_shown: bool) -> Iterator[Tell]:
    """Show how far it is, a bar for each thing that is done, where somebody looks.

    A second signal kills. What is yielded raises `Interrupted` after the first.
    """
    from rich.console import Console  # noqa: PLC0415 - only when a command runs
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    console = Console(stderr=True)
    bars: dict[str, TaskID] = {}
    is_hidden = not (is_shown and console.is_terminal)
    with signals() as seen, Progress(console=console, transient=True, disable=is_hidden) as shown:

        def tell(what: str, done: int, total: int) -> None:
            if seen:
                raise Interrupted
            if what not in bars:
                bars[what] = shown.add_task(what, total=total)
            shown.update(bars[what], completed=done, total=total)

        yield tell
