"""Hands notices over: to a mail server, and to a webhook."""

import smtplib
import ssl
from email.message import EmailMessage

import httpx

from kis.ops.watch.incidents import Notice
from kis.ops.watch.wording import Sender, json_of, mail_of
from kis.setting_kinds import MailServer, mail_server
from kis.settings import Settings

WITHIN_S = 10.0
"""For each step; a mail server that thinks longer is asked again at the next look."""


class NotSentError(Exception):
    """A notice did not go out; `is_way_closed` tells that no other would either."""

    def __init__(self, reason: object, *, is_way_closed: bool) -> None:
        """Keep the reason in one line."""
        super().__init__(" ".join(str(reason).split()) or type(reason).__name__)
        self.is_way_closed = is_way_closed


def ways_of(settings: Settings, level: int) -> tuple[str, ...]:
    """Return the ways by which a notice of `level` goes: `mail`, `webhook`."""
    has_mail = settings.alert_smtp_url and any(recipients(settings, level))
    return ("mail",) * bool(has_mail) + ("webhook",) * bool(settings.alert_webhook_url)


def recipients(settings: Settings, level: int) -> tuple[list[str], list[str]]:
    """Return who is called at `level`, and who else is told: all that were called before."""
    levels = (settings.alert_to, settings.alert_to_level2, settings.alert_to_level3)
    lists = [[each for each in text.split(",") if each] for text in levels[:level]]
    while lists and not lists[-1]:
        lists.pop()  # nobody is named for this level: those of the one below
    called = lists.pop() if lists else []
    told = dict.fromkeys(each for names in lists for each in names if each not in called)
    return called, list(told)


def send(settings: Settings, sender: Sender, notice: Notice, way: str) -> str:
    """Hand `notice` over by one way; return what is to be said about it, mostly nothing.

    Raises:
        NotSentError: it was not taken.

    """
    if way == "webhook":
        return _post(settings.alert_webhook_url, json_of(notice, sender))
    to, copies = recipients(settings, notice.level)
    if not (settings.alert_smtp_url and to):
        return "nobody is named any more"
    return _mail(mail_server(settings.alert_smtp_url), mail_of(notice, sender, to, copies))


def _mail(server: MailServer, message: EmailMessage) -> str:
    try:
        with _connected(server, str(message["Message-ID"]).strip("<>").partition("@")[2]) as smtp:
            try:
                refused = smtp.send_message(message)
            except smtplib.SMTPResponseException as error:
                raise NotSentError(_said(error), is_way_closed=False) from error
            except smtplib.SMTPRecipientsRefused as error:
                raise NotSentError(_refused(error.recipients), is_way_closed=False) from error
    except smtplib.SMTPResponseException as error:
        raise NotSentError(_said(error), is_way_closed=True) from error
    except OSError as error:  # of which smtplib's own are
        raise NotSentError(error, is_way_closed=True) from error
    # Tried again it would come twice to all the others.
    return _refused(refused) if refused else ""


def _connected(server: MailServer, host: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, host, timeout=WITHIN_S, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, host, timeout=WITHIN_S)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(
        f"{name}: {code} {said.decode(errors='replace')}"
        for name, (code, said) in recipients.items()
    )


def _post(url: str, body: dict[str, object]) -> str:
    try:
        answer = httpx.post(url, json=body, timeout=WITHIN_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSentError(str(error) or type(error).__name__, is_way_closed=True) from error
    if not answer.is_success:
        reason = f"HTTP {answer.status_code}"
        raise NotSentError(reason, is_way_closed=False)
    return ""
