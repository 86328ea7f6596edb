"""The units and the crontab: systemd takes them, they ask for the same, and are locked in."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.program import PROGRAM
from tests.ops.told import OPS
from tests.programs import needs

FOLDER = OPS / "systemd"
INSTALLED = "/usr/local/bin/kis-backend"
CRONTAB = (OPS / "cron" / "crontab").read_text(encoding="utf-8")
RESTARTS = " --restart-command kis-restart"
"""What systemd does by itself."""
EXPOSED_AT_MOST = 20
"""Of 100, as `systemd-analyze security` counts."""
SCHEDULES = {
    "health-check": ("*:0/5", "*/5 * * * *"),
    "backup": ("*-*-* 02:00", "0 2 * * *"),
    "backup-verify": ("Fri *-*-* 04:00", "0 4 * * 5"),
    "maintenance": ("Sun *-*-* 03:00", "0 3 * * 0"),
    "drill": ("*-*-01 04:30", "30 4 1 * *"),
    "report": ("*-*-* 06:00", "0 6 * * *"),
}


def lines_of(file: str, name: str) -> list[str]:
    """Return the values of a setting."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def in_the_crontab(task: str) -> list[tuple[str, str]]:
    """Return the times of a task, with the command."""
    line = rf"^((?:\S+ ){{5}})kis-backend (.*) 2>&1 \| logger -t kis-{task}$"
    found = re.findall(line, CRONTAB, re.MULTILINE)
    return [(when.strip(), command.replace(RESTARTS, "")) for when, command in found]


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The units as they are installed, but for where the program is."""
    for path in (path for path in FOLDER.rglob("*") if path.is_file()):
        copy = tmp_path / path.relative_to(FOLDER)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8").replace(INSTALLED, PROGRAM))
    return [str(path) for path in sorted(tmp_path.glob("kis-*.*")) if path.is_file()]


def analyze(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *words], env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs("systemd-analyze")
def test_systemd_takes_the_units(units: list[str], tmp_path: Path) -> None:
    said = analyze(tmp_path, "verify", *units)
    assert "kis-" not in said


@needs("systemd-analyze")
def test_services_are_locked_in(units: list[str], tmp_path: Path) -> None:
    for unit in units:
        if unit.endswith(".service"):
            analyze(tmp_path, "security", "--offline=true", f"--threshold={EXPOSED_AT_MOST}", unit)


def test_service_is_watched_and_comes_back() -> None:
    settings = {
        "Type": "notify", "WatchdogSec": "15", "NotifyAccess": "all", "Restart": "always",
        "RestartSec": "500ms", "ExecStart": f"{INSTALLED} serve", "WantedBy": "multi-user.target",
    }  # fmt: skip
    for name, value in settings.items():
        assert lines_of("kis-backend.service", name) == [value]


def test_what_the_service_says_reaches_the_journal() -> None:
    """Its stack when it hung, and what is wrong with its settings: stderr follows stdout."""
    assert not lines_of("kis-backend.service", "StandardOutput")
    assert not lines_of("kis-backend.service", "StandardError")


def test_service_that_was_asked_to_end_stays_ended() -> None:
    """`kis-backend stop`, then `restore`, as the runbook has it."""
    assert lines_of("kis-backend.service", "RestartPreventExitStatus") == ["0"]


def test_every_timer_has_its_service() -> None:
    timers = {path.stem for path in FOLDER.glob("*.timer")}
    services = {path.stem for path in FOLDER.glob("*.service")}
    assert timers == {f"kis-{task}" for task in SCHEDULES}
    assert services == timers | {"kis-backend"}


@pytest.mark.parametrize("task", list(SCHEDULES))
def test_crontab_does_what_the_timers_do(task: str) -> None:
    calendar, cron = SCHEDULES[task]
    assert lines_of(f"kis-{task}.timer", "OnCalendar") == [calendar]
    commands = lines_of(f"kis-{task}.service", "ExecStart")
    of_cron = in_the_crontab(task)
    assert [f"{INSTALLED} {command}" for _, command in of_cron] == commands
    assert of_cron[0][0] == cron


def test_crontab_has_nothing_else() -> None:
    at_times = re.findall(r"^[0-9*].*$", CRONTAB, re.MULTILINE)
    assert len(at_times) == sum(len(in_the_crontab(task)) for task in SCHEDULES)
