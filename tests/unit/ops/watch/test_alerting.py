"""Rounds of alerts with a clock of the test's, and real receivers."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.ops.watch import alerting
from kis.ops.watch.alerting import Round, book_path, raise_alerts, send_test
from kis.ops.watch.book import MAX_UNSENT, opened
from kis.ops.watch.observations import Observation, State
from kis.settings import Settings
from tests.receivers import SENDER, Hook, MailBox, told_by
from tests.services import free_port

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOWN, UP = State.CRITICAL, State.OK


def after(
    settings: Settings, minutes: float, state: State, check: str = "api", **more: str
) -> Round:
    """Do a round so many minutes after noon, with one thing seen."""
    seen = [Observation(check, state, "한국어", "English")]
    return raise_alerts(settings, SENDER, seen, NOON + timedelta(minutes=minutes), **more)


class Receivers:
    """A mail server and a webhook, and the settings that name both."""

    def __init__(self, home: Path, mail_port: int, hook_port: int) -> None:
        """Keep them; what they got is in `box` and `hook`."""
        self.box, self.hook = MailBox(), Hook()
        self.settings = told_by(
            home, ALERT_SMTP_URL=f"smtp://127.0.0.1:{mail_port}",
            ALERT_WEBHOOK_URL=f"http://127.0.0.1:{hook_port}/",
        )  # fmt: skip

    @property
    def told(self) -> list[tuple[str, int]]:
        """Return what the webhook was told."""
        return [(body["kind"], body["level"]) for body in self.hook.bodies]


@pytest.fixture
def receivers(tmp_path: Path) -> Iterator[Receivers]:
    box, hook = MailBox(), Hook()
    with box.listening() as mail_port, hook.listening() as hook_port:
        both = Receivers(tmp_path / "home", mail_port, hook_port)
        both.box, both.hook = box, hook
        yield both


@contextmanager
def mail_server_at(box: MailBox, settings: Settings) -> Iterator[None]:
    """Let the server that the settings name listen."""
    from aiosmtpd.controller import Controller  # noqa: PLC0415

    port = int(settings.alert_smtp_url.rpartition(":")[2])
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def test_an_outage_from_beginning_to_end(receivers: Receivers) -> None:
    for minutes in range(0, 45, 5):
        assert after(receivers.settings, minutes, DOWN).is_good
    for minutes in range(45, 65, 5):
        assert after(receivers.settings, minutes, UP).is_good
    assert receivers.told == [("opened", 1), ("escalated", 2), ("escalated", 3), ("cleared", 3)]
    assert receivers.box.recipients == [
        ["team@maker.kr"],
        ["admin@maker.kr", "team@maker.kr"],
        ["dev@maker.kr", "boss@maker.kr", "team@maker.kr", "admin@maker.kr"],
        ["dev@maker.kr", "boss@maker.kr", "team@maker.kr", "admin@maker.kr"],
    ]
    assert [subject[:9] for subject in receivers.box.subjects] == [
        "[KIS 1단계]", "[KIS 2단계]", "[KIS 3단계]", "[KIS 해소] ",
    ]  # fmt: skip
    ids = [mail["Message-ID"] for mail in receivers.box.mails]
    assert len(set(ids)) == 4
    assert len({mail["References"] for mail in receivers.box.mails}) == 1


def test_mail_server_that_was_away_gets_what_was_not_sent(tmp_path: Path) -> None:
    box = MailBox()
    settings = told_by(tmp_path / "home", ALERT_SMTP_URL=f"smtp://127.0.0.1:{free_port()}")
    for minutes in (0, 5, 10, 15):
        told = after(settings, minutes, DOWN)
        assert not told.is_good
        assert all(not each.is_sent and "refused" in each.trouble for each in told.deliveries)
    with mail_server_at(box, settings):
        assert [each.is_sent for each in after(settings, 20, DOWN).deliveries] == [True, True]
        assert after(settings, 25, DOWN).deliveries == []
    assert [subject[:9] for subject in box.subjects] == ["[KIS 1단계]", "[KIS 2단계]"]


def test_webhook_that_was_away_does_not_hold_up_mails(receivers: Receivers) -> None:
    receivers.hook.status = 500
    told = after(receivers.settings, 0, DOWN)
    assert [(each.way, each.is_sent) for each in told.deliveries] == [
        ("mail", True), ("webhook", False),
    ]  # fmt: skip
    receivers.hook.status = 200
    told = after(receivers.settings, 5, DOWN)
    assert [(each.way, each.is_sent) for each in told.deliveries] == [("webhook", True)]
    assert len(receivers.box.mails) == 1


def test_mail_that_one_server_refuses_does_not_hold_up_the_next(receivers: Receivers) -> None:
    receivers.box.answer = "554 it is about api"
    after(receivers.settings, 0, DOWN)
    receivers.box.answer = "250 OK"
    after(receivers.settings, 0, State.WARNING, "disk")
    assert len(receivers.box.mails) == 2


def test_without_receivers_nothing_waits_for_them(tmp_path: Path) -> None:
    settings = told_by(tmp_path / "home", ALERT_TO="", ALERT_TO_LEVEL2="", ALERT_TO_LEVEL3="")
    told = after(settings, 0, DOWN)
    assert told.is_good
    assert [each.check for each in told.incidents] == ["api"]
    with opened(book_path(settings)) as file:
        assert file.book.unsent == ()


def test_what_can_never_be_sent_is_bounded(tmp_path: Path) -> None:
    settings = told_by(tmp_path / "home", ALERT_SMTP_URL=f"smtp://127.0.0.1:{free_port()}")
    for n in range(MAX_UNSENT):
        after(settings, 30 * n, State.WARNING, "disk")
        after(settings, 30 * n + 5, UP, "disk")
        told = after(settings, 30 * n + 10, UP, "disk")
    assert "never sent" in told.trouble
    with opened(book_path(settings)) as file:
        assert len(file.book.unsent) == MAX_UNSENT


# --- what is remembered, and when it cannot be --------------------------------------------------


def test_killed_before_it_was_remembered_it_is_sent_again_under_its_name(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(alerting, "_without", die)
        with pytest.raises(Killed):
            after(receivers.settings, 0, DOWN)
    assert after(receivers.settings, 5, DOWN).is_good
    assert len({mail["Message-ID"] for mail in receivers.box.mails}) == 1
    assert len(receivers.box.mails) == 2
    assert len(receivers.hook.bodies) == 1


def round_at_noon(settings: Settings) -> None:
    after(settings, 0, DOWN)


def test_two_at_once_tell_it_once(receivers: Receivers) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=round_at_noon, args=(receivers.settings,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert receivers.told == [("opened", 1)]
    assert len(receivers.box.mails) == 1


def test_damaged_book_is_told_once(receivers: Receivers) -> None:
    book_path(receivers.settings).write_bytes(b"nonsense")
    told = after(receivers.settings, 0, DOWN)
    assert "damaged" in told.trouble
    assert after(receivers.settings, 5, DOWN).is_good
    assert receivers.told == [("opened", 1)]


def test_where_nothing_can_be_remembered_it_is_told_all_the_same(receivers: Receivers) -> None:
    book_path(receivers.settings).mkdir()
    for minutes in (0, 5):
        told = after(receivers.settings, minutes, DOWN)
        assert "directory" in told.trouble
    assert receivers.told == [("opened", 1), ("opened", 1)]


# --- restarting --------------------------------------------------------------------------------


def restarts_in(path: Path) -> int:
    return path.read_text().count("restarted") if path.exists() else 0


def test_restarted_until_people_are_called(receivers: Receivers, tmp_path: Path) -> None:
    done = tmp_path / "restarts"
    command = f"sh -c 'echo restarted >> {done}; exit 3'"
    counts = []
    for minutes in range(0, 25, 5):
        told = after(receivers.settings, minutes, DOWN, restart_command=command)
        counts.append(restarts_in(done))
        assert bool(told.restart) == (minutes < 15)
    assert counts == [1, 2, 3, 3, 3]
    first, second = receivers.hook.bodies
    assert (first["restarts"], second["restarts"]) == (1, 3)
    assert "exit code 3" in receivers.box.mails[0].get_content()


def test_other_trouble_restarts_nothing(receivers: Receivers, tmp_path: Path) -> None:
    done = tmp_path / "restarts"
    after(receivers.settings, 0, State.WARNING, "disk", restart_command=f"touch {done}")
    after(receivers.settings, 0, UP, restart_command=f"touch {done}")
    assert not done.exists()


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("sh -c 'exit 0'", "exit code 0"),
        ("there-is-no-such-program", "No such file"),
        ("sh -c 'unclosed", "No closing quotation"),
        ("sleep 5", "> 0.1 s"),
    ],
)
def test_outcome_of_a_restart(
    receivers: Receivers, command: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "RESTART_WITHIN_S", 0.1 if "sleep" in command else 30)
    assert outcome in after(receivers.settings, 0, DOWN, restart_command=command).restart
    assert receivers.told == [("opened", 1)]


# --- tests of the alerts ------------------------------------------------------------------------


def test_test_reaches_each_level(receivers: Receivers) -> None:
    deliveries = send_test(receivers.settings, SENDER, NOON)
    assert all(each.is_sent and not each.trouble for each in deliveries)
    assert receivers.told == [("test", 1), ("test", 2), ("test", 3)]
    assert len(receivers.box.mails) == 3


def test_test_tells_what_does_not_work(receivers: Receivers) -> None:
    receivers.hook.status = 500
    deliveries = send_test(receivers.settings, SENDER, NOON)
    assert [each.is_sent for each in deliveries] == [True, False] * 3
