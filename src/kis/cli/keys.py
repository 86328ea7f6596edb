"""kis-backend keys list|create|rotate|revoke."""

import os
import sys
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kis.cli.client import fail, prepare, show_json, show_refusal
from kis.cli.connection import Connection, Reply, connected
from kis.cli.server import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis.evidence.key_store import StoredSecret
    from kis.ops.keys.relocking import Relocked
    from kis.settings import Settings

app = typer.Typer(
    help="키를 나열하고 만들고 교체하고 폐기한다. List, make, rotate and revoke keys."
)
PATH = "/v1/keys"
STATES = {
    "active": "통함", "ending": "끝나 감", "expired": "끝남", "revoked": "폐기",
    "gone": ".env에 없음", "current": "봉인 중", "retired": "검증만", "compromised": "유출",
    "lost": "열 수 없음",
}  # fmt: skip


class KeyKind(StrEnum):
    """What a key is for."""

    API = "api"
    ADMIN = "admin"
    EVIDENCE = "evidence"


class Scope(StrEnum):
    """What a key that is made may do."""

    API = "api"
    ADMIN = "admin"


Kind = Annotated[KeyKind, typer.Argument(help="api | admin | evidence")]
Expires = Annotated[
    int | None,
    typer.Option("--expires", min=1, max=3650, help="며칠 뒤에 끝난다, 기본은 끝없음. In days."),
]


@app.callback(invoke_without_command=True, epilog="예 Example: kis-backend keys rotate api")
def keys(context: typer.Context, as_json: AsJson = False) -> None:
    """키를 나열하고 만들고 교체하고 폐기한다. List, make, rotate and revoke keys."""
    if context.invoked_subcommand is None:
        _list(None, as_json=as_json)


@app.command("list", epilog="예 Example: kis-backend keys list evidence")
def list_(
    kind: Annotated[KeyKind | None, typer.Argument(help="api | admin | evidence")] = None,
    as_json: AsJson = False,
) -> None:
    """키와 그 상태를 나열한다. 비밀값은 없다. List keys and their states, never secrets."""
    _list(kind, as_json=as_json)


@app.command(epilog='예 Example: kis-backend keys create api --label "ERP"')
def create(
    scope: Annotated[Scope, typer.Argument(help="api | admin")],
    label: Annotated[str, typer.Option(help="누구의 키인가. Whose key it is.")] = "",
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """키를 만들어 한 번 보여 준다. Make a key and show it, this once."""
    order = {"scope": scope, "label": label, "expiresDays": expires}
    with connected(is_admin=True) as connection:
        reply = _sent(connection, PATH, order, as_json=as_json)
    _show_new(reply, as_json=as_json)


@app.command(epilog="예 Example: kis-backend keys rotate api --overlap 7")
def rotate(
    kind: Kind,
    key_id: Annotated[
        str, typer.Argument(metavar="[KEY_ID]", help="여럿일 때만. Where there are several.")
    ] = "",
    overlap: Annotated[
        int | None,
        typer.Option(
            min=0, max=90, help="앞의 키가 더 통하는 일수, 기본 7. Days both work, 7 if not said."
        ),
    ] = None,
    expires: Expires = None,
    as_json: AsJson = False,
) -> None:
    """키를 새 키로 바꾼다. 재시작은 필요 없다. Replace a key, without a restart."""
    order = {"scope": kind, "overlapDays": overlap, "expiresDays": expires}
    with connected(is_admin=True) as connection:
        name = key_id or _only_one(connection, kind, as_json=as_json)
        reply = _sent(connection, f"{PATH}/{name}/rotate", order, as_json=as_json)
    _show_new(reply, as_json=as_json)


@app.command(epilog="예 Example: kis-backend keys revoke api api-bcdfghjk --reason 유출")
def revoke(
    kind: Kind,
    key_id: Annotated[str, typer.Argument(help="키의 id. Id of the key.")],
    compromised_since: Annotated[
        str,
        typer.Option(
            metavar="MOMENT",
            help="증거 키: 이때(UTC)부터 봉인된 증거는 무효. Evidence: invalid from then on.",
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="사유. Why.")] = "",
    as_json: AsJson = False,
) -> None:
    """키를 지금 폐기한다. End a key now; an evidence key has to be rotated first."""
    order = {"scope": kind, "reason": reason, "compromisedSince": compromised_since or None}
    with connected(is_admin=True) as connection:
        reply = _sent(connection, f"{PATH}/{key_id}/revoke", order, as_json=as_json)
    if as_json:
        show_json(reply)
        return
    _show_row(reply.json())


@app.command(epilog="예 Example: kis-backend keys master --forget-lost")
def master(
    forget_lost: Annotated[
        bool,
        typer.Option("--forget-lost", help="열 수 없는 것은 포기한다. Give up what stays locked."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="묻지 않는다. Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """증거 비밀값을 지금의 KIS_MASTER_KEY로 다시 암호화한다. Encrypt under the key set now.

    앞의 마스터 키는 표준 입력으로 받는다(잃었으면 빈 줄). 서버는 모두 멈춰야 한다.
    포기한 키는 지우지 않는다: 그 마스터 키를 찾으면 같은 명령으로 되살아난다.
    The key before comes by standard input, an empty line where it is lost. Stop all servers.
    What is given up is kept: once its master key is found, the same command brings it back.
    """
    import json  # noqa: PLC0415 - only when the command runs

    from kis.ops.endpoints import Refused  # noqa: PLC0415

    settings = prepare().settings
    if sys.stdin.isatty():
        before = typer.prompt("앞의 Before: KIS_MASTER_KEY", "", hide_input=True, err=True)
    else:
        before = sys.stdin.readline().strip()
    agree = (lambda _: None) if yes else _ask_about
    try:
        done = _relock(settings, before, agree if forget_lost else None)
    except Refused as refusal:
        fail(refusal.words.ko, refusal.words.en)
    if as_json:
        typer.echo(json.dumps(done._asdict()))
    else:
        typer.echo(f"다시 암호화 Encrypted anew: {', '.join(done.relocked) or '-'}")
        typer.echo(f"열 수 없음 Locked: {', '.join(done.locked) or '-'}")
        typer.echo(f"포기함 Given up: {', '.join(done.lost) or '-'}")
    if done.locked:
        raise typer.Exit(1)


def _ask_about(rows: "list[StoredSecret]") -> None:
    """Show what would be given up, and end unless that is agreed to."""
    from kis.evidence.keys import state_of  # noqa: PLC0415 - only when the command runs
    from kis.moments import moment_text  # noqa: PLC0415

    typer.echo("봉인한 증거가 검증되지 않게 될 키 Keys whose evidence will not verify:", err=True)
    for row in rows:
        state = state_of(row)
        made = moment_text(row.created_at)
        typer.echo(f"  {row.key_id}  {STATES[state]} {state}  만듦 made {made}", err=True)
    typer.confirm("포기할까요? Give up?", abort=True, err=True)


def _relock(
    settings: "Settings", before: str, agree: "Callable[[list[StoredSecret]], None] | None"
) -> "Relocked":
    """Relock; what stays locked is given up where there is `agree`, and that returns."""
    from kis import clock  # noqa: PLC0415 - only when the command runs
    from kis.cli.db import alone  # noqa: PLC0415
    from kis.db.engine import open_database  # noqa: PLC0415
    from kis.db.migrate import migrate  # noqa: PLC0415
    from kis.errors import Text  # noqa: PLC0415
    from kis.ops.endpoints import require_nobody_else  # noqa: PLC0415
    from kis.ops.keys.relocking import left_locked, relock  # noqa: PLC0415
    from kis.ops.keys.start import KeySources  # noqa: PLC0415

    opener = KeySources.of(settings).opener
    name = Text("데이터베이스", "database")
    with (
        alone(settings),
        closing(
            open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
        ) as database,
    ):
        require_nobody_else(database, name)
        migrate(database)
        rows = database.read_now(lambda c: left_locked(c, before, opener))
        lost = set()
        if agree is not None and rows:
            agree(rows)
            require_nobody_else(database, name)  # the answer may have taken its time
            lost = {row.key_id for row in rows}
        return database.write_now(
            lambda c: relock(c, before, opener, clock.now(), os.urandom, lost=lost)
        )


def _list(kind: KeyKind | None, *, as_json: bool) -> None:
    import json  # noqa: PLC0415 - only when the command runs

    with connected(is_admin=True) as connection:
        rows = [row for row in _rows(connection, as_json=as_json) if kind in (None, row["scope"])]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        _show_row(row)


def _rows(connection: Connection, *, as_json: bool) -> list[dict[str, Any]]:
    reply = connection.send("GET", PATH)
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    rows: list[dict[str, Any]] = reply.json()
    return rows


def _sent(connection: Connection, path: str, order: object, *, as_json: bool) -> Reply:
    reply = connection.send("POST", path, body=order)
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    return reply


def _only_one(connection: Connection, kind: KeyKind, *, as_json: bool) -> str:
    """Return the id of the one key of that kind that has no end yet."""
    found = [
        row["keyId"]
        for row in _rows(connection, as_json=as_json)
        if row["scope"] == kind and row["state"] in ("active", "current")
    ]
    if len(found) != 1:
        listed = ", ".join(found) or "-"
        fail(
            f"교체할 키의 id를 쓰십시오: {listed}",
            f"Say which key: {listed}. See kis-backend keys list.",
            2,
        )
    name: str = found[0]
    return name


def _show_row(row: dict[str, Any]) -> None:
    place = ".env" if row["source"] == "env" else "DB"
    state = f"{STATES[row['state']]} {row['state']}"
    words = [f"{row['keyId']:18} {row['scope']:9} {place:5} {row['name'] or '-':16} {state}"]
    replaced, broken = (
        ("교체 replaced", "유출 compromised since")
        if row["scope"] == KeyKind.EVIDENCE
        else ("끝 ends", "폐기 revoked")
    )
    for field, text in (
        ("expiresAt", replaced),
        ("revokedAt", broken),
        ("lastUsedAt", "최근 사용 last used"),
    ):
        if row[field]:
            words.append(f"{text} {row[field]}")
    typer.echo("  ".join(words))


def _show_new(reply: Reply, *, as_json: bool) -> None:
    if as_json:
        show_json(reply)
        return
    made = reply.json()
    _show_row(made["key"])
    if made["token"]:
        typer.echo(
            f"{made['token']}\n"
            "지금 한 번만 보여 줍니다. 이 키는 바로 통합니다.\n"
            "It is shown only this once, and works at once."
        )
    if made["replaced"]:
        typer.echo("앞의 키 Before:")
        _show_row(made["replaced"])
        _remind_of_env(made["replaced"])


def _remind_of_env(replaced: dict[str, Any]) -> None:
    """Say what to do about the .env, of which these very commands take their keys."""
    if replaced["source"] == "env" and replaced["name"] != "EVIDENCE_SECRET":
        from kis.settings import env_file_of  # noqa: PLC0415 - only when the command runs

        file = env_file_of(prepare().settings.home)
        typer.echo(
            f"{file}의 {replaced['name']}에도 새 키를 넣으십시오. 명령들이 그 키를 씁니다.\n"
            f"Put the new key into {replaced['name']} of that file too: commands use it."
        )
