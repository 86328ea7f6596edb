"""kis-backend knowledge import|validate|activate|rollback|versions|diff|replay|prune."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from kis.cli import prune, replay
from kis.cli.client import read_input, show_json, show_refusal
from kis.cli.connection import call
from kis.cli.knowledge_words import (
    words_of_activation,
    words_of_difference,
    words_of_import,
    words_of_regression,
    words_of_validation,
    words_of_versions,
)
from kis.cli.server import AsJson

app = typer.Typer(help="치수 지식을 관리한다. Maintain the knowledge.", no_args_is_help=True)
Label = Annotated[str, typer.Argument(help="버전 이름. Version label.")]
Reason = Annotated[str, typer.Option(help="사유. Why.")]
PATH = "/v1/knowledge"
KINDS = {".json": "json", ".xlsx": "xlsx"}


def _ask(method: str, path: str, *, as_json: bool, **more: Any) -> Any:
    """Send an admin request and return the answer; show it where JSON is wanted.

    Ends the program where the request is refused.
    """
    reply = call(method, path, is_admin=True, **more)
    if not reply.is_success:
        if not as_json:
            _show_regression(reply.json())
        show_refusal(reply, as_json=as_json)
    if as_json:
        show_json(reply)
    return reply.json()


def _show(lines: Iterable[str], *, as_json: bool) -> None:
    """Show the answer in words, unless it was shown as JSON."""
    for line in () if as_json else lines:
        typer.echo(line)


def _show_regression(problem: dict[str, Any]) -> None:
    """Show which boards an activation was refused for, before the refusal itself."""
    for finding in problem.get("findings", ()):
        if "regression" in finding["data"]:
            for line in words_of_regression(finding["data"]["regression"]):
                typer.echo(line, err=True)


@app.command("import", epilog="예 Example: kis-backend knowledge import new.csv v2026-01-01-01")
def import_(
    file: Annotated[str, typer.Argument(help="CSV, XLSX, JSON 파일. A CSV, XLSX or JSON file.")],
    label: Label,
    mode: Annotated[str, typer.Option(help="add | replace")] = "add",
    as_json: AsJson = False,
) -> None:
    """표를 새 버전으로 들여온다. Stage a file as a version."""
    kind = KINDS.get(Path(file).suffix.lower(), "csv")
    query = {"versionLabel": label, "mode": mode, "format": kind}
    answer = _ask(
        "POST", f"{PATH}/tables/import", as_json=as_json, raw=read_input(file), query=query
    )
    _show(words_of_import(label, answer), as_json=as_json)


@app.command(epilog="예 Example: kis-backend knowledge validate v2026-01-01-01")
def validate(
    label: Label,
    sample_size: Annotated[int, typer.Option(min=1, max=1000, help="표본 수. Samples.")] = 10,
    as_json: AsJson = False,
) -> None:
    """표본 견적으로 검증한다. Try a version with sample boards; exit code 1 when one fails."""
    body = {"versionLabel": label, "sampleSize": sample_size}
    answer = _ask("POST", f"{PATH}/tables/validate", as_json=as_json, body=body)
    _show(words_of_validation(label, answer), as_json=as_json)
    if not answer["valid"]:
        raise typer.Exit(1)


@app.command(epilog="예 Example: kis-backend knowledge activate v2026-01-01-01")
def activate(
    label: Label,
    regression: Annotated[bool, typer.Option(help="회귀 시험. Run the regression.")] = True,
    force: Annotated[bool, typer.Option(help="기준 사례가 달라도. Despite golden cases.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """버전을 활성화한다. Make a version active."""
    body = {
        "versionLabel": label, "runRegression": regression, "force": force, "reason": reason,
    }  # fmt: skip
    answer = _ask("POST", f"{PATH}/tables/activate", as_json=as_json, body=body)
    _show(words_of_activation(answer), as_json=as_json)


@app.command(epilog='예 Example: kis-backend knowledge rollback v2025-09-24-01 --reason "..."')
def rollback(label: Label, reason: Reason, as_json: AsJson = False) -> None:
    """이전 버전으로 되돌린다. Return to an earlier version."""
    body = {"targetVersionLabel": label, "reason": reason}
    answer = _ask("POST", f"{PATH}/tables/rollback", as_json=as_json, body=body)
    _show(words_of_activation(answer), as_json=as_json)


@app.command(epilog="예 Example: kis-backend knowledge versions")
def versions(as_json: AsJson = False) -> None:
    """모든 버전을 나열한다. List all versions."""
    answer = _ask("GET", f"{PATH}/versions", as_json=as_json)
    _show(words_of_versions(answer), as_json=as_json)


@app.command(epilog="예 Example: kis-backend knowledge diff v2026-01-01-01")
def diff(
    label: Label,
    against: Annotated[str, typer.Option(help="비교할 버전, 기본은 활성. Default: active.")] = "",
    as_json: AsJson = False,
) -> None:
    """다른 버전과의 차이를 보인다. Show what a version has otherwise than another."""
    query = {"against": against} if against else None
    answer = _ask("GET", f"{PATH}/versions/{label}/diff", as_json=as_json, query=query)
    _show(words_of_difference(label, answer), as_json=as_json)


replay.register(app)
prune.register(app)
