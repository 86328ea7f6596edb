"""kis-backend knowledge prune: shows what goes and what stays, asks, deletes."""

import json
from typing import Annotated, Any

import typer

from kis.cli.age import days_of
from kis.cli.client import show_refusal
from kis.cli.server import AsJson

PATH = "/v1/knowledge/prune"
MIB = 1 << 20


def register(app: typer.Typer) -> None:
    """Add the command to the group `app`."""
    app.command(epilog="예 Example: kis-backend knowledge prune --older-than 30d --dry-run")(prune)


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="DAYS", help="이만큼 쓰지 않은 것, 예 30d. Unused for so long.")
    ] = "30d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="삭제하지 않는다. Delete nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="묻지 않는다. Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """오래 쓰지 않은 버전과 업로드를 지운다. Delete versions and uploads long unused.

    활성 버전과, 되돌리기가 갈 직전 활성 버전은 언제나 남는다. 지운 버전의 증거도 계속 검증된다.
    The active version and the one that a roll back goes to always stay. Evidence still verifies.
    """
    days = days_of(older_than)
    planned = _ask({"olderThanDays": days, "dryRun": True}, as_json=as_json)
    labels = [version["label"] for version in planned["versions"] if version["goes"]]
    if not as_json:
        _show(planned)
    if dry_run or not (labels or planned["uploads"]):
        if as_json:
            typer.echo(json.dumps(planned, ensure_ascii=False))
        return
    if not yes:
        typer.confirm("삭제할까요? Delete?", abort=True, err=True)
    # Nothing else than what was shown.
    done = _ask({"olderThanDays": days, "labels": labels}, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        deleted, uploads = done["deleted"], len(done["uploads"])
        typer.echo(f"버전 {deleted}개, 업로드 {uploads}개를 삭제했습니다.")
        typer.echo(f"Deleted {deleted} versions and {uploads} uploads.")


def _ask(body: dict[str, Any], *, as_json: bool) -> Any:
    from kis.cli.connection import call  # noqa: PLC0415 - only when the command runs

    reply = call("POST", PATH, is_admin=True, body=body)
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    return reply.json()


def _show(planned: dict[str, Any]) -> None:
    for version in planned["versions"]:
        mark = "삭제 delete" if version["goes"] else "유지 keep  "
        since = (version["unusedSince"] or "-")[:10]
        why = f"{version['ko']} / {version['en']}"
        typer.echo(f"{mark} {version['label']:24} {version['state']:10} {since:10} {why}")
    for upload in planned["uploads"]:
        typer.echo(f"삭제 delete 업로드 upload {upload['name']} ({upload['size'] / MIB:.1f} MiB)")
    if not (planned["uploads"] or any(version["goes"] for version in planned["versions"])):
        typer.echo(f"{planned['olderThanDays']}일 넘게 쓰지 않은 것이 없습니다. Nothing to delete.")
