"""Real receivers of alerts on this machine: a mail server, and a webhook."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from kis.ops.watch.wording import Sender
from kis.settings import Settings
from tests.services import free_port, settings_in

REFUSED_NAME = "nobody"
USER, MAIL_PASSWORD = "kis@maker.kr", "pass word/@:"
SENDER = Sender(
    "board-1", "/srv/kis", "/srv/kis/logs/kis-backend.log", "당직 +82-10-1234-5678", "kis@maker.kr"
)


class MailBox:
    """Takes mails; `answer` is what it says to each, `250` by default."""

    def __init__(self) -> None:
        """Begin with none."""
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answer = "250 OK"

    async def handle_RCPT(  # noqa: N802 - as the library wants it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Refuse those who are called nobody."""
        if address.startswith(REFUSED_NAME):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as the library wants it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, unless the answer says otherwise."""
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.mails.append(message)
            self.recipients.append(list(envelope.rcpt_tos))
        return self.answer

    @property
    def subjects(self) -> list[str]:
        """Return the subjects, decoded."""
        return [str(mail["Subject"]) for mail in self.mails]

    @contextmanager
    def listening(self, **options: Any) -> Iterator[int]:
        """Listen on a port of its own, and yield it."""
        controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        try:
            yield int(controller.port)
        finally:
            controller.stop()


def authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
) -> AuthResult:
    """Take the one user that there is."""
    is_known = data == LoginPassword(USER.encode(), MAIL_PASSWORD.encode())
    return AuthResult(success=is_known, handled=False)


class Hook:
    """A webhook: what was posted, and the status that it answers."""

    def __init__(self) -> None:
        """Begin with none."""
        self.bodies: list[dict[str, Any]] = []
        self.status = 200

    @contextmanager
    def listening(self) -> Iterator[int]:
        """Listen on a port of its own, and yield it."""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hook.status < 300:
                    hook.bodies.append(body)
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield server.server_port
            finally:
                server.shutdown()
                thread.join()


def told_by(home: Path, **environ: str) -> Settings:
    """Return settings with people at each level, unless told otherwise."""
    people = {
        "ALERT_TO": "team@maker.kr", "ALERT_TO_LEVEL2": "admin@maker.kr",
        "ALERT_TO_LEVEL3": "dev@maker.kr, boss@maker.kr",
    }  # fmt: skip
    return settings_in(home, **{**people, **environ})
