"""The mails, as a reader has them."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from typer.testing import CliRunner

from kis.cli.main import app
from kis.ops.watch.incidents import Kind, Notice
from kis.ops.watch.observations import State
from kis.ops.watch.wording import ADVICE, advice_for, json_of, mail_of
from tests.receivers import SENDER

SINCE = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


def notice(**changes: object) -> Notice:
    fields: dict[str, object] = {
        "number": 7, "check": "api", "kind": Kind.ESCALATED, "state": State.CRITICAL, "level": 2,
        "since": SINCE, "at": SINCE + timedelta(minutes=15), "ko": "응답 없음", "en": "no answer",
    }  # fmt: skip
    return Notice(**{**fields, **changes})  # type: ignore[arg-type]


def arrived(mail: EmailMessage) -> EmailMessage:
    """Return a mail as it is read: from bytes of ASCII alone."""
    raw = mail.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(mail: EmailMessage) -> str:
    """Return the text with plain line ends: on the wire they are CRLF."""
    return str(mail.get_content()).replace("\r\n", "\n")


TEXT = """\
15분이 지나도 서비스가 돌아오지 않았습니다. 시스템 관리자가 바로 확인하십시오.

무엇: 서비스 응답 없음 (api)
상태: 응답 없음
어디: board-1, /srv/kis
언제부터: 2026-11-22 19:15 KST (10:15 UTC) (15분째)
자동 재시작: 3회, 마지막 결과: restart: exit code 1

할 일:
  1. systemctl status kis-backend
  2. tail -100 /srv/kis/logs/kis-backend.log
  3. systemctl restart kis-backend
  4. kis-backend doctor

런북: docs/runbook.ko.md 5장 장애 대응
전화: 당직 +82-10-1234-5678

----

The service has not come back in 15 minutes: the administrator has to look now.

What: the service does not answer (api)
State: no answer
Where: board-1, /srv/kis
Since: 2026-11-22 19:15 KST (10:15 UTC) (15 min)
Restarted: 3 time(s), last outcome: restart: exit code 1

What to do:
  1. systemctl status kis-backend
  2. tail -100 /srv/kis/logs/kis-backend.log
  3. systemctl restart kis-backend
  4. kis-backend doctor

Runbook: docs/runbook.en.md, chapter 5, troubleshooting
Phone: 당직 +82-10-1234-5678
"""


def test_mail_of_a_call() -> None:
    mail = arrived(
        mail_of(
            notice(restarts=3, restart="restart: exit code 1"), SENDER,
            ["admin@maker.kr"], ["team@maker.kr", "b@maker.kr"],
        )
    )  # fmt: skip
    assert mail["Subject"] == (
        "[KIS 2단계] 서비스 응답 없음 - board-1 / level 2: the service does not answer"
    )
    assert (mail["From"], mail["To"]) == ("KIS <kis@maker.kr>", "admin@maker.kr")
    assert mail["Cc"] == "team@maker.kr, b@maker.kr"
    assert mail["Message-ID"] == "<api-20261122T101500Z-7-escalated-2@board-1>"
    assert mail["References"] == mail["In-Reply-To"] == "<api-20261122T101500Z-7@board-1>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == SINCE + timedelta(minutes=15)
    assert mail.get_content_charset() == "utf-8"
    assert text_of(mail) == TEXT


def test_mail_of_the_end() -> None:
    mail = arrived(mail_of(notice(kind=Kind.CLEARED), SENDER, ["a@maker.kr"], []))
    assert mail["Subject"] == (
        "[KIS 해소] 서비스 응답 없음 - board-1 / resolved: the service does not answer"
    )
    assert mail["Cc"] is None
    text = text_of(mail)
    assert text.startswith("해소되었습니다.\n")
    assert "기간: 2026-11-22 19:15 KST (10:15 UTC)부터 2026-11-22 19:30 KST (10:30 UTC)까지" in text
    assert "할 일" not in text


def test_without_phones_none_are_shown() -> None:
    mail = mail_of(notice(), SENDER._replace(phones=""), ["a@maker.kr"], [])
    assert "전화" not in mail.get_content()


@pytest.mark.parametrize("check", [*ADVICE, "of a later program"])
def test_each_check_has_a_mail(check: str) -> None:
    text = mail_of(notice(check=check, level=1), SENDER, ["a@maker.kr"], []).get_content()
    assert advice_for(check).title.ko in text
    assert "{" not in text


@pytest.mark.parametrize(
    "command",
    sorted(
        {c for advice in ADVICE.values() for c in advice.commands if c.startswith("kis-backend")}
    ),
)
def test_command_that_is_advised_exists(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split()[1:], "--help"])
    assert done.exit_code == 0, done.output


def test_json_for_a_webhook() -> None:
    assert json_of(notice(), SENDER) == {
        "id": "api-20261122T101500Z-7-escalated-2", "incident": "api-20261122T101500Z-7",
        "kind": "escalated", "level": 2, "check": "api", "state": "critical", "host": "board-1",
        "since": "2026-11-22T10:15:00Z", "at": "2026-11-22T10:30:00Z",
        "ko": "응답 없음", "en": "no answer", "restarts": 0,
        "text": "[KIS 2단계] 서비스 응답 없음 - board-1 / level 2: the service does not answer\n"
                "응답 없음\nno answer",
    }  # fmt: skip
