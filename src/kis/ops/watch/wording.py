"""What a notice says: subject and text of the mail, in Korean first, and the JSON. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

from kis.errors import Text
from kis.moments import second_text
from kis.ops.watch.incidents import Kind, Notice

KOREA = timezone(timedelta(hours=9), "KST")
RUNBOOK_KO, RUNBOOK_EN = "docs/runbook.ko.md", "docs/runbook.en.md"

_CHAPTER_4 = Text("4장 모니터링 및 알람", "chapter 4, monitoring and alerts")
_CHAPTER_5 = Text("5장 장애 대응", "chapter 5, troubleshooting")
_CHAPTER_6 = Text("6장 백업 및 복구", "chapter 6, backup and restore")
_CHAPTER_8 = Text("8장 성능 최적화", "chapter 8, performance")


class Advice(NamedTuple):
    """What a check is called, what to do when it is bad, and where the runbook tells more."""

    title: Text
    commands: Sequence[str]
    chapter: Text


ADVICE = {
    "api": Advice(
        Text("서비스 응답 없음", "the service does not answer"),
        (
            "systemctl status kis-backend",
            "tail -100 {log}",
            "systemctl restart kis-backend",
            "kis-backend doctor",
        ),
        _CHAPTER_5,
    ),
    "knowledge": Advice(
        Text("활성 지식 없음", "no knowledge is active"),
        ("kis-backend knowledge versions", 'kis-backend knowledge rollback LABEL --reason "..."'),
        Text("3장 지식 관리", "chapter 3, knowledge"),
    ),
    "disk": Advice(
        Text("디스크 부족", "the disk is nearly full"),
        ("df -h {home}", "du -xh --max-depth=2 {home} | sort -h | tail", "kis-backend logs clean"),
        _CHAPTER_4,
    ),
    "database": Advice(
        Text("데이터베이스가 큼", "the database is large"),
        (
            "kis-backend maintenance",
            "kis-backend knowledge prune --older-than 30d",
        ),
        _CHAPTER_8,
    ),
    "journal": Advice(
        Text("연속 보호가 멈춤", "commits are not copied as they come"),
        ("kis-backend journal status", "tail -100 {log}"),
        _CHAPTER_6,
    ),
    "backup": Advice(
        Text("최근 백업 없음", "no recent backup"),
        ("kis-backend backup", "kis-backend backup list", "df -h {home}/backups"),
        _CHAPTER_6,
    ),
    "errors": Advice(
        Text("오류가 잦음", "errors are frequent"),
        ("grep ERROR {log} | tail -20", "kis-backend report daily", "kis-backend doctor"),
        _CHAPTER_5,
    ),
    "test": Advice(
        Text("알림 시험", "a test of the alerts"), ("kis-backend health-check",), _CHAPTER_4
    ),
}
_OTHER = Advice(Text("이상", "trouble"), ("kis-backend health-check",), _CHAPTER_4)


class Sender(NamedTuple):
    """Where a notice comes from, and who can be called."""

    host: str
    home: str
    log: str
    phones: str
    address: str
    """From whom mails come."""


def advice_for(check: str) -> Advice:
    """Return what is said about a check."""
    return ADVICE.get(check, _OTHER)


def mail_of(
    notice: Notice, sender: Sender, to: Sequence[str], copies: Sequence[str]
) -> EmailMessage:
    """Return the mail: plain text in UTF-8, in the thread of its incident."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _subject(notice, sender)
    # Not parsed from a text: an operator's address is taken as it is written.
    message["From"] = Address("KIS", addr_spec=sender.address)
    message["To"] = ", ".join(to)
    if copies:
        message["Cc"] = ", ".join(copies)
    message["Date"] = notice.at
    message["Message-ID"] = f"<{notice.id}@{sender.host}>"
    thread = f"<{notice.incident}@{sender.host}>"
    message["References"] = thread
    message["In-Reply-To"] = thread
    message["Auto-Submitted"] = "auto-generated"
    # base64: lines of any length and any letters pass through every server.
    message.set_content(_text(notice, sender), charset="utf-8", cte="base64")
    return message


def json_of(notice: Notice, sender: Sender) -> dict[str, object]:
    """Return the notice for a webhook; chats show `text`."""
    return {
        "id": notice.id,
        "incident": notice.incident,
        "kind": notice.kind,
        "level": notice.level,
        "check": notice.check,
        "state": notice.state,
        "host": sender.host,
        "since": _utc(notice.since),
        "at": _utc(notice.at),
        "ko": notice.ko,
        "en": notice.en,
        "restarts": notice.restarts,
        "text": f"{_subject(notice, sender)}\n{notice.ko}\n{notice.en}",
    }


def _subject(notice: Notice, sender: Sender) -> str:
    title = advice_for(notice.check).title
    if notice.kind == Kind.CLEARED:
        return f"[KIS 해소] {title.ko} - {sender.host} / resolved: {title.en}"
    return f"[KIS {notice.level}단계] {title.ko} - {sender.host} / level {notice.level}: {title.en}"


class _Words(NamedTuple):
    """The sentences of a mail in one language."""

    stages: Sequence[str]
    """Of a test, and of each level."""
    resolved: str
    what: str
    state: str
    where: str
    span: str
    since: str
    restarted: str
    to_do: str
    runbook: str
    phone: str


_KOREAN = _Words(
    stages=(
        "시험 메일입니다. 이 메일을 받았으면 알림이 닿는 것입니다.",
        "이상이 발견되었습니다.",
        "15분이 지나도 서비스가 돌아오지 않았습니다. 시스템 관리자가 바로 확인하십시오.",
        "30분이 지나도 서비스가 돌아오지 않았습니다. 개발팀과 관리진이 함께 대응하십시오.",
    ),
    resolved="해소되었습니다.",
    what="무엇: {title} ({check})",
    state="상태: {told}",
    where="어디: {host}, {home}",
    span="기간: {since}부터 {at}까지 ({minutes}분)",
    since="언제부터: {since} ({minutes}분째)",
    restarted="자동 재시작: {restarts}회, 마지막 결과: {restart}",
    to_do="할 일:",
    runbook=f"런북: {RUNBOOK_KO} {{chapter}}",
    phone="전화: {phones}",
)
_ENGLISH = _Words(
    stages=(
        "This is a test. That you have it shows that alerts arrive.",
        "Something is wrong.",
        "The service has not come back in 15 minutes: the administrator has to look now.",
        "The service has not come back in 30 minutes: developers and management have to act.",
    ),
    resolved="This is resolved.",
    what="What: {title} ({check})",
    state="State: {told}",
    where="Where: {host}, {home}",
    span="When: from {since} to {at} ({minutes} min)",
    since="Since: {since} ({minutes} min)",
    restarted="Restarted: {restarts} time(s), last outcome: {restart}",
    to_do="What to do:",
    runbook=f"Runbook: {RUNBOOK_EN}, {{chapter}}",
    phone="Phone: {phones}",
)


def _text(notice: Notice, sender: Sender) -> str:
    title, chapter = advice_for(notice.check).title, advice_for(notice.check).chapter
    korean = _part(_KOREAN, notice, sender, title=title.ko, chapter=chapter.ko, told=notice.ko)
    english = _part(_ENGLISH, notice, sender, title=title.en, chapter=chapter.en, told=notice.en)
    return f"{korean}\n\n----\n\n{english}\n"


def _part(words: _Words, notice: Notice, sender: Sender, **told: str) -> str:
    facts = {
        **told, "check": notice.check, "host": sender.host, "home": sender.home,
        "phones": sender.phones, "since": _local(notice.since), "at": _local(notice.at),
        "minutes": max(0, int((notice.at - notice.since).total_seconds() // 60)),
        "restarts": notice.restarts, "restart": notice.restart,
    }  # fmt: skip
    heading = [words.what, words.state, words.where]
    if notice.kind == Kind.CLEARED:
        return "\n".join([words.resolved, "", *_filled([*heading, words.span], facts)])
    heading += [words.since, words.restarted] if notice.restarts else [words.since]
    steps = [f"  {n}. {each}" for n, each in enumerate(_commands(notice, sender), start=1)]
    ending = [words.runbook, words.phone] if sender.phones else [words.runbook]
    stage = words.stages[0 if notice.kind == Kind.TEST else notice.level]
    return "\n".join(
        [stage, "", *_filled(heading, facts), "", words.to_do, *steps, "", *_filled(ending, facts)]
    )


def _filled(sentences: Sequence[str], facts: Mapping[str, object]) -> list[str]:
    return [sentence.format(**facts) for sentence in sentences]


def _commands(notice: Notice, sender: Sender) -> list[str]:
    commands = advice_for(notice.check).commands
    return [each.format(home=sender.home, log=sender.log) for each in commands]


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(KOREA):%Y-%m-%d %H:%M} KST ({moment:%H:%M} UTC)"


def _utc(moment: datetime) -> str:
    return second_text(moment)
