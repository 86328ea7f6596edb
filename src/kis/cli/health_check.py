"""kis-backend health-check."""

import json
import os
from typing import TYPE_CHECKING

import typer

from kis.cli.client import fail
from kis.cli.server import AsJson, address_here

if TYPE_CHECKING:
    from kis.ops.watch.observations import Observation

MARKS = {"ok": "정상 OK", "warning": "경고 WARN", "critical": "심각 CRIT", "unknown": "불명 ????"}
MARK_WIDTH = 12
CHECK_WIDTH = 10


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend health-check --json")(health_check)


def health_check(as_json: AsJson = False) -> None:
    """서비스를 살핀다. Look whether the service is well; exit code 1 for trouble, 2 when down.

    API, 지식, 디스크, 데이터베이스 크기, 백업, 오류율을 한 줄씩 말한다.
    A line each for the API, knowledge, disk, size of the database, backup and rate of errors.
    """
    from kis import clock  # noqa: PLC0415 - only when the command runs
    from kis.ops.watch.looking import look  # noqa: PLC0415
    from kis.ops.watch.observations import exit_code  # noqa: PLC0415
    from kis.settings import home_of, load_settings  # noqa: PLC0415

    # Not `prepare`: to look is not to install.
    home = home_of(os.environ)
    if not (home / "data").is_dir():
        fail(
            f"{home} 폴더에 아직 설치되지 않았습니다. kis-backend serve를 실행하면 설치됩니다.",
            f"There is no installation in {home} yet: kis-backend serve makes it.",
            2,
        )
    settings = load_settings(os.environ)
    observations = look(settings, address_here(settings), clock.now)
    code = exit_code(observations)
    if as_json:
        answer = {"exitCode": code, "checks": [_camel(each) for each in observations]}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        for each in observations:
            typer.echo(line_of(each))
    raise typer.Exit(code)


def line_of(observation: "Observation") -> str:
    """Return one line: state, what, and the words in both languages."""
    from rich.cells import set_cell_size  # noqa: PLC0415 - Korean letters are two columns wide

    mark = set_cell_size(MARKS[observation.state], MARK_WIDTH)
    return f"{mark}{observation.check:{CHECK_WIDTH}} {observation.ko} / {observation.en}"


def _camel(observation: "Observation") -> dict[str, object]:
    return {
        "check": observation.check,
        "state": observation.state,
        "ko": observation.ko,
        "en": observation.en,
        "value": observation.value,
        "limit": observation.limit,
    }
