"""kis-backend serve, doctor, sample."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from kis.cli.client import fail, prepare, show_secrets
from kis.ops.reaching import Endpoint, client_of, endpoint_of, url_of
from kis.serving.lock import Lock, Locked, lock_file, only_process
from kis.serving.pid_file import end_server, named_process, other_ports

if TYPE_CHECKING:
    import socket

    from kis.ops.doctor import Checkup
    from kis.settings import Settings

PATIENCE_S = 5.0
TLS = ("TLS_CERT", "TLS_KEY")
AsJson = Annotated[bool, typer.Option("--json", help="JSON으로 출력. Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(epilog="예 Example: kis-backend serve")(serve)
    app.command(epilog="예 Example: kis-backend stop")(stop)
    app.command(epilog="예 Example: kis-backend doctor --json")(doctor)


def serve(
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, help="프로세스 수(PostgreSQL). Processes (PostgreSQL)."),
    ] = 1,
    tls_cert: Annotated[
        str,
        typer.Option(metavar="FILE", help="인증서, TLS_CERT 대신. Certificate, for TLS_CERT."),
    ] = "",
    tls_key: Annotated[
        str,
        typer.Option(metavar="FILE", help="개인 키, TLS_KEY 대신. Private key, for TLS_KEY."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """서버를 시작한다. Start the service."""
    from kis.serving.process import CannotServe, listen, options_of  # noqa: PLC0415
    from kis.telemetry import configure_logging, shares_log  # noqa: PLC0415

    # Of this process, and of the workers that it starts.
    os.environ |= {name: text for name, text in zip(TLS, (tls_cert, tls_key), strict=True) if text}
    prepared = prepare()
    settings = prepared.settings
    if workers > 1 and settings.database_file is not None:
        _refuse_workers()
    configure_logging(settings)
    # The runbook sends stdout into the log: no secret and no "POST" belongs there.
    shown_on = sys.stderr if as_json else sys.stdout
    if not shares_log(shown_on.fileno()):
        show_secrets(prepared, shown_on)
    if not settings.admin_key_usable:
        _warn_of_equal_keys(is_shown=not shares_log(sys.stderr.fileno()))
    is_quiet = shares_log(sys.stdout.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        options = options_of(settings)
        shown = None if is_quiet else _announcement(settings, as_json=as_json)
        with (
            only_process(settings) as lock,
            listen(settings) as listener,
            named_process(settings),
        ):
            _run(settings, options, workers, lock, listener, shown)
    except CannotServe as error:
        fail(error.text.ko, error.text.en, 2)
    except Locked as locked:
        _tell_locked(settings, locked)


def stop(
    patience: Annotated[
        int,
        typer.Option(
            min=1, max=600, help="이만큼(초) 기다린 뒤 강제 종료. Seconds before it is killed."
        ),
    ] = 15,
    as_json: AsJson = False,
) -> None:
    """이 홈의 서버를 끝낸다. End the server of this home; what it has begun is answered first."""
    settings = prepare().settings
    outcome = end_server(settings, patience)
    if outcome == "not running" and (ports := other_ports(settings)):
        # A port may be given to `serve` alone: "not running" would be taken for "all is off".
        fail(
            f"포트 {settings.port}의 서버는 없지만, 이 홈의 서버가 다른 포트에서 돌고 있습니다."
            f" 끝내려면: PORT={ports[0]} kis-backend stop",
            f"No server runs at port {settings.port}, but one of this home does at another."
            f" To end it: PORT={ports[0]} kis-backend stop",
        )
    if outcome == "out of reach":
        fail(
            "이 홈의 서버가 다른 컨테이너에서 돌고 있어 여기서 끝낼 수 없습니다.",
            "The server of this home runs in another container: end it there.",
        )
    if as_json:
        typer.echo(json.dumps({"outcome": outcome}))
        return
    typer.echo(
        {
            "not running": "실행 중인 서버가 없습니다. No server is running.",
            "ended": "서버를 끝냈습니다. The server has ended.",
            "killed": f"서버가 {patience}초 안에 끝나지 않아 강제로 끝냈습니다."
            f" The server did not end within {patience} s and was killed.",
        }[outcome]
    )


def _tell_locked(settings: "Settings", locked: Locked) -> NoReturn:
    fail(
        f"다른 프로세스({locked.address or '명령'})가 데이터베이스를 쓰고 있습니다:"
        f" {lock_file(settings)}",
        "Another process has this database open"
        f" ({locked.address or 'a command'}). SQLite takes one server at a time.",
        2,
    )


def _refuse_workers() -> NoReturn:
    fail(
        "SQLite 파일에는 한 프로세스만 쓸 수 있어 --workers는 1이어야 합니다.\n"
        "여러 프로세스로 돌리려면 PostgreSQL을 쓰십시오:"
        " DATABASE_URL=postgresql://사용자:암호@서버/데이터베이스",
        "One process at a time may write to a SQLite file, so --workers has to be 1."
        " For more, use PostgreSQL: DATABASE_URL=postgresql://user:password@host/database",
        2,
    )


def _warn_of_equal_keys(*, is_shown: bool) -> None:
    """Tell the log, and the console where `is_shown`: the operator's next step would be a 403."""
    import logging  # noqa: PLC0415 - only when the server starts

    from kis.settings import EQUAL_KEYS  # noqa: PLC0415

    logging.getLogger("kis").warning("%s / %s", EQUAL_KEYS.ko, EQUAL_KEYS.en)
    if is_shown:
        sys.stderr.write(f"주의 Warning: {EQUAL_KEYS.ko}\n{EQUAL_KEYS.en}\n")


def _end(_number: int, _frame: object) -> None:
    """End well. uvicorn repeats the signal that stopped it, once all requests are answered."""
    raise SystemExit(0)


def _run(
    settings: "Settings",
    options: dict[str, Any],
    workers: int,
    lock: Lock,
    listener: "socket.socket",
    announcement: str | None,
) -> None:
    """Serve until a signal comes; show `announcement` once requests are answered."""
    from kis.serving.notify import READY, STOPPING, notify  # noqa: PLC0415 - only for a server

    def tell_ready() -> None:
        lock.name(endpoint_of(settings))
        notify(READY)
        if announcement:
            typer.echo(announcement)
            sys.stdout.flush()

    def tell_ending() -> None:
        lock.name(None)
        notify(STOPPING)

    if workers == 1:
        from kis.serving.process import serve_here  # noqa: PLC0415 - only for a server

        serve_here(settings, options, listener, on_ready=tell_ready, on_end=tell_ending)
        return
    from kis.serving.workers import serve_with_workers  # noqa: PLC0415 - only for several

    serve_with_workers(
        settings, options, workers, listener, on_ready=tell_ready, on_end=tell_ending
    )


def _announcement(settings: "Settings", *, as_json: bool) -> str:
    from kis.settings import env_file_of  # noqa: PLC0415 - only when the server starts

    address = url_of(settings, _name_of(settings) or settings.host)
    trust = f" --cacert '{settings.tls_cert}'" if settings.tls_cert else ""
    env_file = env_file_of(settings.home)
    if as_json:
        return json.dumps({"address": address, "docs": f"{address}/api-docs"})
    board = json.dumps(json.loads(_sample("sample-request.json")), ensure_ascii=False)
    return (
        f"KIS {address}\n"
        f"콘솔 Console: {address}\n"
        f"API 문서 API docs: {address}/api-docs\n"
        "첫 견적 A first estimate:\n"
        f"curl -s{trust} {address}/v1/estimate/create"
        f" -H \"X-API-Key: $(sed -n 's/^API_KEY=//p' '{env_file}')\""
        f" -H 'Content-Type: application/json' -d '{board}'"
    )


def _name_of(settings: "Settings") -> str:
    """Return the name that browsers know the server by; empty: any that leads here."""
    if not settings.tls_cert:
        return ""
    from kis.serving.certificate import name_in  # noqa: PLC0415 - only under TLS

    return name_in(Path(settings.tls_cert))


def _sample(name: str) -> str:
    from importlib.resources import files  # noqa: PLC0415 - only when a sample is shown

    return (files("kis") / "seed" / "samples" / name).read_text(encoding="utf-8")


def doctor(as_json: AsJson = False) -> None:
    """설치를 점검한다. Check the installation; exit code 1 when something is wrong."""
    from kis.ops.doctor import examine  # noqa: PLC0415 - only when the command runs
    from kis.settings import home_of, load_settings  # noqa: PLC0415

    # Not `prepare`: it would mend what is to be found.
    home = home_of(os.environ)
    if not (home / "data").is_dir():
        fail(
            f"{home} 폴더에 아직 설치되지 않았습니다. kis-backend serve를 실행하면 설치됩니다.",
            f"There is no installation in {home} yet: kis-backend serve makes it.",
        )
    settings = load_settings(os.environ)
    try:
        with only_process(settings, wait_s=0):
            findings = examine(settings, owns_database=True)
    except Locked as locked:
        complaints = _complaints_of(locked.endpoint)
        findings = examine(settings, owns_database=False, complaints=complaints)
    if as_json:
        typer.echo(json.dumps([_camel(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            mark = "OK  " if finding.is_good else "문제"
            typer.echo(f"{mark} {finding.what}: {finding.ko} / {finding.en}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


def _camel(finding: "Checkup") -> dict[str, object]:
    return {"what": finding.what, "isGood": finding.is_good, "ko": finding.ko, "en": finding.en}


def _complaints_of(endpoint: Endpoint) -> list[str]:
    """Return why the server at `endpoint` is not ready; [] when it is, or when none is named."""
    import httpx  # noqa: PLC0415 - only when a server runs

    if not endpoint.url:
        return []
    try:
        with client_of(endpoint, PATIENCE_S) as client:
            complaints: list[str] = client.get("/readyz").json()["reasons"]
    except (httpx.HTTPError, OSError, ValueError, KeyError):
        return [f"{endpoint.url} 서버가 답하지 않습니다 / it does not answer at {endpoint.url}"]
    return complaints
