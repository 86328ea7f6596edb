"""`kis-backend health-check` beside a server, and where there is none."""

import os
import signal
from pathlib import Path

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import estimate, good
from tests.integration.program import Program, is_clear
from tests.receivers import Hook, MailBox
from tests.services import Server, board, free_port

DISK_NEVER_FULL = {"ALERT_DISK_PERCENT": "100"}


def states_of(program: Program, code: int) -> dict[str, str]:
    checks = program.json("health-check", code=code, **DISK_NEVER_FULL)["checks"]
    return {each["check"]: each["state"] for each in checks}


def beside(server: Server) -> Program:
    return Program(server.home, PORT=str(server.port), DATABASE_URL=server.environ["DATABASE_URL"])


def told(server: Server, mail_port: int, hook_port: int) -> Program:
    """Return the program, whose alerts go to these ports of this machine."""
    program = beside(server)
    program.environ |= {
        "ALERT_SMTP_URL": f"smtp://127.0.0.1:{mail_port}", "ALERT_TO": "team@maker.kr",
        "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{hook_port}/", "ALERT_FROM": "kis@maker.kr",
    }  # fmt: skip
    return program


def test_nothing_installed(tmp_path: Path) -> None:
    done = Program(tmp_path / "home").run("health-check")
    assert done.returncode == 2
    assert is_clear(done)
    assert not (tmp_path / "home").exists()


def test_running_server_that_was_never_backed_up(server: Server) -> None:
    good(estimate(server, board()), 201)
    program = beside(server)
    journal = {} if "postgresql" in server.environ["DATABASE_URL"] else {"journal": "ok"}
    expected = {
        "api": "ok", "knowledge": "ok", "disk": "ok", "database": "ok", **journal,
        "backup": "warning", "errors": "ok",
    }  # fmt: skip
    assert states_of(program, 1) == expected
    done = program.run("health-check", "--no-alerts", **DISK_NEVER_FULL)
    lines = done.stdout.splitlines()
    assert [line.split()[2] for line in lines] == list(expected)
    assert all(" / " in line for line in lines)


def test_hung_server_is_down(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    states = states_of(beside(server), 2)
    assert (states["api"], states["knowledge"]) == ("critical", "unknown")


def test_server_that_has_ended_is_down(server: Server) -> None:
    server.stop()
    assert states_of(beside(server), 2)["api"] == "critical"


@SQLITE_ONLY
def test_an_outage_is_told_once_and_its_end_once(server: Server) -> None:
    box, hook = MailBox(), Hook()
    with box.listening() as mail_port, hook.listening() as hook_port:
        program = told(server, mail_port, hook_port)
        away = {**DISK_NEVER_FULL, "PORT": str(free_port())}
        first = program.run("health-check", **away)
        assert first.stdout.count("전송 SENT") == 4  # two things, by two ways
        assert "전송 SENT" not in program.run("health-check", **away).stdout
        # The first good look is not yet the end.
        assert program.json("health-check", code=1, **DISK_NEVER_FULL)["alerts"] == []
        last = program.json("health-check", code=1, **DISK_NEVER_FULL)
    assert [(each["way"], each["sent"]) for each in last["alerts"]] == [
        ("mail", True), ("webhook", True),
    ]  # fmt: skip
    assert [each["check"] for each in last["incidents"]] == ["backup"]
    about_api = [body["kind"] for body in hook.bodies if body["check"] == "api"]
    assert about_api == ["opened", "cleared"]
    assert sum("서비스 응답 없음" in subject for subject in box.subjects) == 2


@SQLITE_ONLY
def test_alert_that_cannot_be_sent_is_said(server: Server) -> None:
    program = told(server, free_port(), free_port())
    done = program.run("health-check", **DISK_NEVER_FULL)
    assert done.returncode == 1
    assert done.stdout.count("실패 FAIL") == 2
    assert is_clear(done)


@SQLITE_ONLY
def test_without_receivers_it_says_so(server: Server) -> None:
    program = beside(server)
    assert "ALERT_SMTP_URL" in program.run("health-check", **DISK_NEVER_FULL).stdout
    done = program.run("health-check", "--test-alerts")
    assert done.returncode == 1
    assert "ALERT_SMTP_URL" in done.stderr


@SQLITE_ONLY
def test_alerts_are_tested(server: Server) -> None:
    box, hook = MailBox(), Hook()
    with box.listening() as mail_port, hook.listening() as hook_port:
        answer = told(server, mail_port, hook_port).json("health-check", "--test-alerts")
    assert len(answer["alerts"]) == 6
    assert [body["level"] for body in hook.bodies] == [1, 2, 3]
    assert len(box.mails) == 3


@SQLITE_ONLY
def test_restart_where_there_is_no_systemd(server: Server, tmp_path: Path) -> None:
    server.stop()
    done = tmp_path / "restarted"
    answer = beside(server).json(
        "health-check", "--restart-command", f"touch '{done}'", code=2, **DISK_NEVER_FULL
    )
    assert "exit code 0" in answer["restart"]
    assert done.exists()
