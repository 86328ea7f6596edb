"""kis-backend estimate."""

from typing import Annotated, Any

import typer

from kis.cli.client import fail, read_json, show_json, show_refusal
from kis.cli.connection import call
from kis.cli.server import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend estimate --batch boards.csv -o results.xlsx")(
        estimate
    )


def estimate(
    file: Annotated[
        str | None, typer.Argument(help="요청 JSON 파일, -는 표준 입력. Request, - for stdin.")
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="FILE",
            help="여러 반의 파일(.ndjson .csv .xlsx), -는 NDJSON 표준 입력. A file of many boards.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="결과 파일(.xlsx .csv .ndjson). 없으면 NDJSON을 출력. Results; else NDJSON.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """반을 견적하고 증거와 함께 저장한다. Estimate a board and store it with its evidence.

    --batch는 여러 반을 한 번에 견적한다. CSV와 Excel은 한 행에 차단기나 부속자재 하나이며, 반의
    첫 행에 반, 브랜드, 형식, 장소, 설치를 쓴다(sample의 boards.csv). 하나라도 거절되면 종료
    코드는 1이다.
    --batch estimates many; a sheet has a row for each breaker and accessory (see boards.csv of
    sample). The exit code is 1 when a board was refused.
    """
    if (file is None) == (batch is None) or (output is not None and batch is None):
        fail(
            "요청 파일 하나 또는 --batch 파일을 주십시오. -o는 --batch와 함께 씁니다.",
            "Give a request, or --batch and a file; -o goes with --batch.",
            2,
        )
    if batch is not None:
        from kis.cli.batch import estimate_file  # noqa: PLC0415 - only for a batch

        estimate_file(batch, output, as_json=as_json)
        return
    file = file or "-"
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
