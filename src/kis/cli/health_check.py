"""kis-backend health-check."""

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kis.cli.client import fail
from kis.cli.server import AsJson
from kis.moments import second_text
from kis.serving.pid_file import endpoint_here

if TYPE_CHECKING:
    from kis.ops.watch.alerting import Delivery, Round
    from kis.ops.watch.incidents import Incident
    from kis.ops.watch.observations import Observation
    from kis.ops.watch.wording import Sender
    from kis.settings import Settings

MARKS = {"ok": "정상 OK", "warning": "경고 WARN", "critical": "심각 CRIT", "unknown": "불명 ????"}
SENT, NOT_SENT, OPEN, ALERTS = "전송 SENT", "실패 FAIL", "진행 OPEN", "알림 NOTE"
MARK_WIDTH = 12
CHECK_WIDTH = 10
NOBODY = (
    "알림을 받을 곳이 없습니다: ALERT_SMTP_URL과 ALERT_TO, 또는 ALERT_WEBHOOK_URL"
    " / nobody is told: set ALERT_SMTP_URL and ALERT_TO, or ALERT_WEBHOOK_URL"
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend health-check --json")(health_check)


def health_check(
    alerts: Annotated[
        bool, typer.Option("--alerts/--no-alerts", help="알림을 보낸다. Tell whom ALERT_* names.")
    ] = True,
    restart_command: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help="응답이 없으면 실행할 명령(systemd가 없을 때). Run when it is down.",
        ),
    ] = "",
    test_alerts: Annotated[
        bool,
        typer.Option("--test-alerts", help="단계마다 시험 알림만 보낸다. Only send tests."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """서비스를 살피고 알린다. Look whether all is well, and tell; exit code 1: trouble, 2: down.

    API, 지식, 디스크, 데이터베이스 크기, 연속 보호, 백업, 오류율을 한 줄씩 말한다.
    알림은 문제마다 한 번, 해소되면 한 번. 서비스가 15분, 30분 동안 멈춰 있으면 다음 단계를 부른다.
    A line each for what is looked at. Trouble is told once, and again when it is over; while the
    service is down the next level is called after 15 and 30 minutes.
    """
    from kis import clock  # noqa: PLC0415 - only when the command runs
    from kis.ops.watch.alerting import send_test  # noqa: PLC0415
    from kis.ops.watch.looking import look  # noqa: PLC0415
    from kis.ops.watch.observations import exit_code  # noqa: PLC0415

    settings = _settings()
    if test_alerts:
        deliveries = send_test(settings, _sender(settings), clock.now())
        _show_tests(deliveries, as_json=as_json)
        raise typer.Exit(0 if deliveries and all(_is_good(each) for each in deliveries) else 1)
    seen = look(settings, endpoint_here(settings), clock.now)
    code = exit_code(seen)
    answer: dict[str, object] = {"checks": [_camel(each) for each in seen]}
    lines = [line_of(each) for each in seen]
    if alerts:
        told = _raise_alerts(settings, seen, restart_command)
        code = max(code, 0 if told.is_good else 1)
        answer |= _camel_round(told)
        lines += _lines_of(told, has_ways=_has_ways(settings))
    if as_json:
        typer.echo(json.dumps({"exitCode": code, **answer}, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines))
    raise typer.Exit(code)


def _settings() -> "Settings":
    from kis.settings import home_of, load_settings  # noqa: PLC0415 - only when the command runs

    # Not `prepare`: to look is not to install.
    home = home_of(os.environ)
    if not (home / "data").is_dir():
        fail(
            f"{home} 폴더에 아직 설치되지 않았습니다. kis-backend serve를 실행하면 설치됩니다.",
            f"There is no installation in {home} yet: kis-backend serve makes it.",
            2,
        )
    return load_settings(os.environ)


def _sender(settings: "Settings") -> "Sender":
    import socket  # noqa: PLC0415 - only when somebody is told

    from kis.ops.watch.wording import Sender  # noqa: PLC0415

    host = socket.gethostname()
    address = settings.alert_from or f"kis@{host}"
    home, log = str(settings.home), str(settings.log_file)
    return Sender(host, home, log, settings.alert_phones, address)


def _has_ways(settings: "Settings") -> bool:
    from kis.ops.watch.alerting import LEVELS  # noqa: PLC0415 - only when somebody is told
    from kis.ops.watch.sending import ways_of  # noqa: PLC0415

    return any(ways_of(settings, level) for level in LEVELS)


def _raise_alerts(settings: "Settings", seen: "list[Observation]", restart_command: str) -> "Round":
    from kis import clock  # noqa: PLC0415 - only when somebody is told
    from kis.ops.watch.alerting import Round, raise_alerts  # noqa: PLC0415
    from kis.ops.watch.book import Busy  # noqa: PLC0415

    sender = _sender(settings)
    try:
        return raise_alerts(settings, sender, seen, clock.now(), restart_command)
    except Busy:
        return Round((), (), "", "another health-check is still at it")


def line_of(observation: "Observation") -> str:
    """Return one line: state, what, and the words in both languages."""
    words = f"{observation.ko} / {observation.en}"
    return _line(MARKS[observation.state], observation.check, words)


def _line(mark: str, what: str, words: str) -> str:
    from rich.cells import set_cell_size  # noqa: PLC0415 - Korean letters are two columns wide

    return f"{set_cell_size(mark, MARK_WIDTH)}{what:{CHECK_WIDTH}} {words}"


def _lines_of(told: "Round", *, has_ways: bool) -> list[str]:
    lines = [_line(OPEN, each.check, _since(each)) for each in told.incidents]
    lines += [_delivery_line(each) for each in told.deliveries]
    if told.restart:
        lines.append(_line(ALERTS, "restart", told.restart))
    if told.trouble:
        lines.append(_line(NOT_SENT, "alerts", told.trouble))
    if not has_ways:
        lines.append(_line(ALERTS, "alerts", NOBODY))
    return lines


def _since(incident: "Incident") -> str:
    at = second_text(incident.since)
    return f"{at}부터, {incident.level}단계 / since {at}, level {incident.level}"


def _delivery_line(delivery: "Delivery") -> str:
    trouble = f": {delivery.trouble}" if delivery.trouble else ""
    mark = SENT if delivery.is_sent else NOT_SENT
    return _line(mark, delivery.way, f"{delivery.notice.id}{trouble}")


def _is_good(delivery: "Delivery") -> bool:
    return delivery.is_sent and not delivery.trouble


def _show_tests(deliveries: "list[Delivery]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"alerts": [_camel_delivery(each) for each in deliveries]}))
        return
    for each in deliveries:
        typer.echo(_delivery_line(each))
    if not deliveries:
        sys.stderr.write(f"{NOBODY}\n")


def _camel(observation: "Observation") -> dict[str, object]:
    return {
        "check": observation.check,
        "state": observation.state,
        "ko": observation.ko,
        "en": observation.en,
        "value": observation.value,
        "limit": observation.limit,
    }


def _camel_round(told: "Round") -> dict[str, object]:
    return {
        "incidents": [
            {"check": each.check, "since": second_text(each.since), "level": each.level}
            for each in told.incidents
        ],
        "alerts": [_camel_delivery(each) for each in told.deliveries],
        "restart": told.restart,
        "trouble": told.trouble,
    }


def _camel_delivery(delivery: "Delivery") -> dict[str, object]:
    return {
        "id": delivery.notice.id,
        "way": delivery.way,
        "sent": delivery.is_sent,
        "trouble": delivery.trouble,
    }
