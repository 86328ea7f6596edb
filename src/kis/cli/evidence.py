"""kis-backend evidence show|verify|collect."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kis.cli.client import prepare, read_json, show_json, show_refusal
from kis.cli.connection import call, connected
from kis.cli.server import AsJson

app = typer.Typer(help="증거를 보고 검증한다. Show and verify evidence.", no_args_is_help=True)
EstimateId = Annotated[str, typer.Argument(help="견적 id. Id of the estimate.")]


@app.command(epilog="예 Example: kis-backend evidence show 0198... > evidence.json")
def show(estimate_id: EstimateId, as_json: AsJson = False) -> None:
    """견적의 증거 묶음을 출력한다. Print the evidence package of an estimate."""
    reply = call("GET", f"/v1/evidence/{estimate_id}")
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    show_json(reply)


@app.command(epilog="예 Example: kis-backend evidence verify evidence.json")
def verify(
    file: Annotated[str, typer.Argument(help="증거 파일, -는 표준 입력. Package, - for stdin.")],
    as_json: AsJson = False,
) -> None:
    """증거를 단계별로 검증한다. Verify a package, step by step; exit code 1 when invalid."""
    reply = call("POST", "/v1/evidence/verify", body=read_json(file))
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    result = reply.json()
    if as_json:
        show_json(reply)
    else:
        marks = {"passed": "통과", "failed": "실패", "skipped": "생략"}
        for check in result["checks"]:
            where = f" {check['path']}" if check["path"] else ""
            typer.echo(
                f"{check['step']} {marks[check['outcome']]} {check['name']}{where}:"
                f" {check['detailKo']} / {check['detailEn']}"
            )
        typer.echo(
            "유효한 증거입니다. Valid." if result["valid"] else "유효하지 않습니다. NOT valid."
        )
    if not result["valid"]:
        raise typer.Exit(1)


@app.command(epilog="예 Example: kis-backend evidence collect --last 10")
def collect(
    last: Annotated[int, typer.Option(min=1, max=500, help="최근 몇 건. How many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """최근 증거를 evidence-samples/에 모은다. Collect recent packages in evidence-samples/."""
    folder = prepare().settings.home / "evidence-samples"
    written: list[str] = []
    with connected() as connection:
        page = connection.send("GET", "/v1/estimate", query={"limit": str(last)})
        if not page.is_success:
            show_refusal(page, as_json=as_json)
        for line in page.json()["items"]:
            package = connection.send("GET", f"/v1/evidence/{line['id']}")
            if not package.is_success:
                show_refusal(package, as_json=as_json)
            path: Path = folder / f"evidence-{line['id']}.json"
            path.write_bytes(package.body)
            written.append(str(path))
    typer.echo(json.dumps(written) if as_json else "\n".join(written))
