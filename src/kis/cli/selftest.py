"""kis-backend selftest."""

import json
import sys
import time
from typing import Annotated
from urllib.parse import urlsplit

import typer

from kis.cli.client import prepare, show_secrets
from kis.cli.connection import trusting_client
from kis.cli.server import AsJson
from kis.ops.reaching import Endpoint
from kis.serving.pid_file import endpoint_here

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend selftest --url http://127.0.0.1:3000")(selftest)


def selftest(
    url: Annotated[str, typer.Option(help="서버 주소, 기본은 이 홈의. Default: this home's.")] = "",
    as_json: AsJson = False,
) -> None:
    """실행 중인 설치를 끝까지 시험한다. Test a running installation; exit code 1 when it fails.

    재시작이나 복구 뒤에 쓴다. 견적 하나를 저장하고 검증한 뒤 되돌리므로 남는 것이 없다.
    After a restart or a restore. An estimate is stored, verified and undone: nothing of it stays.
    """
    from kis.cli.selftest_steps import NAMES, Caller, Outcome, take_steps  # noqa: PLC0415

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    settings = prepared.settings
    here = endpoint_here(settings)
    # Another address of this machine is the same server's: its certificate has other names.
    is_here = not url or urlsplit(url).hostname in LOOPBACK
    endpoint = Endpoint(url.rstrip("/") or here.url, here.certificate)
    address = endpoint.url
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with trusting_client(endpoint, by_name=not is_here) as client:
        for outcome in take_steps(Caller(address, settings, client), has_log=is_here):
            outcomes.append(outcome)
            if not as_json:
                mark = {True: "✓", False: "✗", None: "-"}[outcome.passed]
                words = outcome.ko if outcome.ko == outcome.en else f"{outcome.ko} / {outcome.en}"
                name = NAMES.get(outcome.name, outcome.name)
                typer.echo(f"{mark} {name}: {words} ({outcome.milliseconds:g} ms)")
    passed = all(outcome.passed is not False for outcome in outcomes)
    seconds = round(time.monotonic() - began, 3)
    if as_json:
        steps = [outcome._asdict() for outcome in outcomes]
        found = {"passed": passed, "url": address, "seconds": seconds, "steps": steps}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        words = "이상 없음 All is well" if passed else "실패 FAILED"
        typer.echo(f"{words}: {address} ({seconds:.1f} s)")
    if not passed:
        raise typer.Exit(1)
