"""kis-backend serve, doctor, sample."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kis.cli.client import Locked, fail, only_process, prepare, show_secrets

if TYPE_CHECKING:
    import socket

    from kis.settings import Settings

DRAIN_S = 10
BACKLOG = 2048
SWITCH_INTERVAL_S = 0.001
GC_THRESHOLD = 50_000
AsJson = Annotated[bool, typer.Option("--json", help="JSON으로 출력. Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="예 Example: kis-backend serve")(serve)
    app.command(epilog="예 Example: kis-backend doctor --json")(doctor)
    app.command(epilog="예 Example: kis-backend sample boards")(sample)


def serve(as_json: AsJson = False) -> None:
    """서버를 시작한다. Start the service."""
    import uvicorn  # noqa: PLC0415 - only when the server starts

    from kis.app import create_app  # noqa: PLC0415
    from kis.telemetry import configure_logging, shares_log  # noqa: PLC0415

    prepared = prepare()
    settings = prepared.settings
    configure_logging(settings)
    # The runbook sends stdout into the log: no secret and no "POST" belongs there.
    is_quiet = shares_log(sys.stdout.fileno())
    if not is_quiet:
        show_secrets(prepared, sys.stdout)
    try:
        with only_process(settings), _listen(settings) as listener:
            app = create_app(settings).asgi
            config = uvicorn.Config(
                app, log_config=None, access_log=False, loop="uvloop", http="httptools",
                server_header=False, proxy_headers=False, timeout_graceful_shutdown=DRAIN_S, backlog=BACKLOG,
            )  # fmt: skip
            _tune()
            if not is_quiet:
                _announce(settings, as_json=as_json)
            uvicorn.Server(config).run(sockets=[listener])
    except Locked:
        fail(
            f"다른 프로세스가 {settings.home / 'data'} 의 데이터베이스를 쓰고 있습니다.",
            "Another process has this database open. SQLite takes one server at a time.",
            2,
        )


def _listen(settings: "Settings") -> "socket.socket":
    import socket  # noqa: PLC0415 - only when the server starts

    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG
        )
    except OSError as error:
        fail(
            f"{settings.host}:{settings.port} 에서 들을 수 없습니다: {error}",
            "Another program may use this port: set PORT to a free one.",
            2,
        )


def _tune() -> None:
    """Keep long computations in threads, and the collector, from holding up answers."""
    import gc  # noqa: PLC0415 - only when the server starts

    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 50, 100)


def _announce(settings: "Settings", *, as_json: bool) -> None:
    from kis.settings import env_file_of  # noqa: PLC0415 - only when the server starts

    address = f"http://{settings.host}:{settings.port}"
    env_file = env_file_of(settings.home)
    if as_json:
        typer.echo(json.dumps({"address": address, "docs": f"{address}/api-docs"}))
        return
    board = json.dumps(json.loads(_sample("sample-request.json")), ensure_ascii=False)
    typer.echo(
        f"KIS {address}\n"
        f"API 문서 API docs: {address}/api-docs\n"
        "첫 견적 A first estimate:\n"
        f"curl -s {address}/v1/estimate/create"
        f" -H \"X-API-Key: $(sed -n 's/^API_KEY=//p' '{env_file}')\""
        f" -H 'Content-Type: application/json' -d '{board}'"
    )
    sys.stdout.flush()


def _sample(name: str) -> str:
    from importlib.resources import files  # noqa: PLC0415 - only when a sample is shown

    return (files("kis") / "seed" / "samples" / name).read_text(encoding="utf-8")


def sample(
    folder: Annotated[Path, typer.Argument(help="쓸 폴더. The folder to write to.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """런북의 sample-request.json과 실제 같은 반 몇 개를 쓴다. Write sample requests."""
    from importlib.resources import files  # noqa: PLC0415 - only when a sample is written

    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for source in sorted(files("kis").joinpath("seed", "samples").iterdir(), key=str):
            target = folder / source.name
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
            written.append(str(target))
    except OSError as error:
        fail(f"쓸 수 없습니다: {error}", f"Cannot write to {folder}.", 2)
    typer.echo(json.dumps(written) if as_json else "\n".join(written))


def doctor(as_json: AsJson = False) -> None:
    """설치를 점검한다. Check the installation; exit code 1 when something is wrong."""
    from kis.ops.doctor import examine  # noqa: PLC0415 - only when the command runs

    prepared = prepare()
    show_secrets(prepared, sys.stderr)
    try:
        with only_process(prepared.settings):
            findings = examine(prepared.settings, owns_database=True)
    except Locked:
        findings = examine(prepared.settings, owns_database=False)
    if as_json:
        typer.echo(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            mark = "OK  " if finding.is_good else "문제"
            typer.echo(f"{mark} {finding.what}: {finding.ko} / {finding.en}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)
