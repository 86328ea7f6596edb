"""kis-backend estimate."""

from typing import Annotated, Any

import typer

from kis.cli.client import read_json, show_json, show_refusal
from kis.cli.connection import call
from kis.cli.server import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend estimate sample-request.json")(estimate)


def estimate(
    file: Annotated[
        str, typer.Argument(help="요청 JSON 파일, -는 표준 입력. Request, - for stdin.")
    ],
    as_json: AsJson = False,
) -> None:
    """반을 견적하고 증거와 함께 저장한다. Estimate a board and store it with its evidence."""
    reply = call("POST", "/v1/estimate/create", body=read_json(file))
    if not reply.is_success:
        show_refusal(reply, as_json=as_json)
    if as_json:
        show_json(reply)
        return
    _show(reply.json())


def _show(answer: dict[str, Any]) -> None:
    enclosure, required = answer["enclosure"], answer["required"]
    source = enclosure["model"] or "제작함 made to order"
    typer.echo(
        f"외함 Enclosure  {enclosure['W']} x {enclosure['H']} x {enclosure['D']} mm  ({source})"
    )
    typer.echo(
        f"필요 Required   {required['W']} x {required['H']} x {required['D']} mm"
        f"  사용률 {answer['layout']['utilisation']:.0%}"
    )
    for item in answer["billOfMaterials"]:
        model = item.get("model", "")
        specification = item.get("specification", "")
        typer.echo(f"  {item['name']}  {model}  {specification}  {item['quantity']} {item['unit']}")
    for warning in answer["warnings"]:
        typer.echo(f"주의 {warning['messageKo']}\n     {warning['messageEn']}")
    typer.echo(
        f"견적 {answer['id']}  지식 {answer['knowledgeVersion']}  증거 {answer['evidenceId']}"
    )
