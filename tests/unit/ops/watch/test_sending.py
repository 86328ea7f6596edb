"""Notices on their way: to a real mail server, and to a real webhook."""

import socket
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from kis.ops.watch import sending
from kis.ops.watch.incidents import Kind, Notice
from kis.ops.watch.observations import State
from kis.ops.watch.sending import NotSentError, recipients, send, ways_of
from tests.receivers import (
    MAIL_PASSWORD,
    SENDER,
    USER,
    Hook,
    MailBox,
    authenticate,
    told_by,
)
from tests.services import free_port

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CREDENTIALS = f"{quote(USER)}:{quote(MAIL_PASSWORD, safe='')}"


def notice(level: int = 1) -> Notice:
    return Notice(
        number=1, check="api", kind=Kind.OPENED, state=State.CRITICAL, level=level, since=NOON,
        at=NOON, ko="응답 없음", en="no answer",
    )  # fmt: skip


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(path),
         "-out", str(path.with_suffix(".crt")), "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


# --- who ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1, (["team@maker.kr"], [])),
        (2, (["admin@maker.kr"], ["team@maker.kr"])),
        (3, (["dev@maker.kr", "boss@maker.kr"], ["team@maker.kr", "admin@maker.kr"])),
    ],
)
def test_who_is_called_and_who_is_told(
    tmp_path: Path, level: int, expected: tuple[list[str], list[str]]
) -> None:
    assert recipients(told_by(tmp_path), level) == expected


def test_level_without_people_calls_those_below(tmp_path: Path) -> None:
    settings = told_by(tmp_path, ALERT_TO_LEVEL3="", ALERT_TO_LEVEL2="")
    assert recipients(settings, 3) == (["team@maker.kr"], [])


def test_nobody_gets_a_mail_twice(tmp_path: Path) -> None:
    settings = told_by(tmp_path, ALERT_TO="a@maker.kr,b@maker.kr", ALERT_TO_LEVEL2="b@maker.kr")
    assert recipients(settings, 2) == (["b@maker.kr"], ["a@maker.kr"])


@pytest.mark.parametrize(
    ("environ", "level", "ways"),
    [
        ({}, 1, ()),
        ({"ALERT_SMTP_URL": "smtp://mail"}, 1, ("mail",)),
        ({"ALERT_SMTP_URL": "smtp://mail", "ALERT_TO": ""}, 1, ()),
        ({"ALERT_SMTP_URL": "smtp://mail", "ALERT_TO": ""}, 2, ("mail",)),
        ({"ALERT_WEBHOOK_URL": "https://chat/x"}, 1, ("webhook",)),
        (
            {"ALERT_SMTP_URL": "smtp://mail", "ALERT_WEBHOOK_URL": "http://c"},
            3,
            ("mail", "webhook"),
        ),
    ],
)
def test_ways(tmp_path: Path, environ: dict[str, str], level: int, ways: tuple[str, ...]) -> None:
    assert ways_of(told_by(tmp_path, **environ), level) == ways


# --- by mail --------------------------------------------------------------------------------


def test_mail_arrives_with_its_words(tmp_path: Path) -> None:
    box = MailBox()
    with box.listening() as port:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{port}")
        assert send(settings, SENDER, notice(2), "mail") == ""
    assert box.recipients == [["admin@maker.kr", "team@maker.kr"]]
    assert "서비스 응답 없음" in box.subjects[0]
    assert "응답 없음" in box.mails[0].get_content()


def test_with_a_password_only_over_tls(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    box = MailBox()
    options = {
        "tls_context": context_of(certificate), "require_starttls": True,
        "authenticator": authenticate, "auth_required": True,
    }  # fmt: skip
    with box.listening(**options) as port:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://{CREDENTIALS}@127.0.0.1:{port}")
        assert send(settings, SENDER, notice(), "mail") == ""
        wrong = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://kis:wrong@127.0.0.1:{port}")
        with pytest.raises(NotSentError, match="535") as caught:
            send(wrong, SENDER, notice(), "mail")
    assert caught.value.is_way_closed
    assert len(box.mails) == 1


def test_server_whose_certificate_nobody_vouches_for(tmp_path: Path, certificate: Path) -> None:
    box = MailBox()
    with box.listening(tls_context=context_of(certificate)) as port:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://{CREDENTIALS}@127.0.0.1:{port}")
        with pytest.raises(NotSentError, match="certificate"):
            send(settings, SENDER, notice(), "mail")


def test_tls_from_the_first_byte(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    box = MailBox()
    with box.listening(ssl_context=context_of(certificate)) as port:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtps://127.0.0.1:{port}")
        assert send(settings, SENDER, notice(), "mail") == ""
    assert len(box.mails) == 1


def test_mailbox_that_is_not_there_costs_the_others_nothing(tmp_path: Path) -> None:
    box = MailBox()
    with box.listening() as port:
        settings = told_by(
            tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{port}",
            ALERT_TO="team@maker.kr,nobody@maker.kr",
        )  # fmt: skip
        said = send(settings, SENDER, notice(), "mail")
    assert said == "nobody@maker.kr: 550 no such mailbox"
    assert box.recipients == [["team@maker.kr"]]


def test_mail_that_nobody_may_get(tmp_path: Path) -> None:
    with MailBox().listening() as port:
        settings = told_by(
            tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{port}", ALERT_TO="nobody@maker.kr"
        )
        with pytest.raises(NotSentError, match="no such mailbox") as caught:
            send(settings, SENDER, notice(), "mail")
    assert not caught.value.is_way_closed


def test_mail_that_is_refused(tmp_path: Path) -> None:
    box = MailBox()
    box.answer = "452 mailbox full"
    with box.listening() as port:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{port}")
        with pytest.raises(NotSentError, match="452 mailbox full") as caught:
            send(settings, SENDER, notice(), "mail")
    assert not caught.value.is_way_closed


def test_no_mail_server_there(tmp_path: Path) -> None:
    settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(NotSentError, match="refused") as caught:
        send(settings, SENDER, notice(), "mail")
    assert caught.value.is_way_closed


def test_mail_server_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = told_by(tmp_path, ALERT_SMTP_URL=f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(NotSentError, match="timed out"):
            send(settings, SENDER, notice(), "mail")


def test_those_who_were_named_are_named_no_more(tmp_path: Path) -> None:
    settings = told_by(tmp_path, ALERT_TO="")
    assert send(settings, SENDER, notice(), "mail") == "nobody is named any more"


# --- by webhook -----------------------------------------------------------------------------


def test_webhook_gets_json(tmp_path: Path) -> None:
    hook = Hook()
    with hook.listening() as port:
        settings = told_by(tmp_path, ALERT_WEBHOOK_URL=f"http://127.0.0.1:{port}/secret-path")
        assert send(settings, SENDER, notice(), "webhook") == ""
    (body,) = hook.bodies
    assert (body["check"], body["level"], body["ko"]) == ("api", 1, "응답 없음")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_webhook_that_does_not_take_it(tmp_path: Path, status: int) -> None:
    hook = Hook()
    hook.status = status
    with hook.listening() as port:
        settings = told_by(tmp_path, ALERT_WEBHOOK_URL=f"http://127.0.0.1:{port}/")
        with pytest.raises(NotSentError, match=f"HTTP {status}") as caught:
            send(settings, SENDER, notice(), "webhook")
    assert not caught.value.is_way_closed


def test_webhook_that_is_not_there_is_not_named(tmp_path: Path) -> None:
    settings = told_by(tmp_path, ALERT_WEBHOOK_URL=f"http://127.0.0.1:{free_port()}/secret-path")
    with pytest.raises(NotSentError) as caught:
        send(settings, SENDER, notice(), "webhook")
    assert caught.value.is_way_closed
    assert "secret-path" not in str(caught.value)
