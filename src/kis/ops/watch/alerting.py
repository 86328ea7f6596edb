"""One round of alerts: judge what was seen, remember it, restart, tell."""

import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from kis.ops.watch.book import MAX_UNSENT, Book, BookFile, Unsent, opened
from kis.ops.watch.incidents import Incident, Kind, Notice, is_restart_due, judge
from kis.ops.watch.observations import Observation, State
from kis.ops.watch.sending import NotSentError, send, ways_of
from kis.ops.watch.wording import Sender
from kis.settings import Settings

RESTART_WITHIN_S = 60.0
LEVELS = (1, 2, 3)


class Delivery(NamedTuple):
    """What became of a notice by one way; `trouble` is empty when it was taken by all."""

    notice: Notice
    way: str
    is_sent: bool
    trouble: str


class Round(NamedTuple):
    """What came of it: what goes on, what was told, and what went wrong with telling."""

    incidents: Sequence[Incident]
    deliveries: Sequence[Delivery]
    restart: str = ""
    trouble: str = ""
    """Why incidents were not remembered."""

    @property
    def is_good(self) -> bool:
        """Whether everybody was told, and it will be known at the next look."""
        return not self.trouble and all(not each.trouble for each in self.deliveries)


def raise_alerts(
    settings: Settings,
    sender: Sender,
    seen: Sequence[Observation],
    now: datetime,
    restart_command: str = "",
) -> Round:
    """Tell who has to be told of what was seen at `now`, and of what could not be told before.

    Two of these at once do it one after the other. Nothing is lost when it is killed: a
    notice is sent again at worst, with the name that it had. Where the incidents cannot
    be remembered they are told all the same, and again the next time.

    Raises:
        Busy: another one has been at it for a minute.

    """
    with _remembered(settings) as memory:
        judged = judge(memory.book.incidents, seen, now, memory.book.number)
        incidents, notices = judged.incidents, judged.notices
        outcome = ""
        if restart_command and is_restart_due(incidents):
            outcome = _restart(restart_command)
            incidents, notices = _with_restart(incidents, notices, outcome)
        new = [Unsent(notice, ways_of(settings, notice.level)) for notice in notices]
        unsent = [each for each in (*memory.book.unsent, *new) if each.ways]
        if len(unsent) > MAX_UNSENT:
            memory.trouble = f"{len(unsent) - MAX_UNSENT} old notices were never sent"
        memory.save(Book(judged.number, tuple(incidents), tuple(unsent[-MAX_UNSENT:])))
        deliveries = list(_deliver(settings, sender, memory))
        return Round(incidents, deliveries, outcome, memory.trouble)


def send_test(settings: Settings, sender: Sender, now: datetime) -> list[Delivery]:
    """Send a test to whom each level names."""
    deliveries = []
    for level in LEVELS:
        notice = Notice(
            number=int(now.timestamp()), check="test", kind=Kind.TEST, state=State.OK,
            level=level, since=now, at=now, ko=f"{level}단계 시험", en=f"a test of level {level}",
        )  # fmt: skip
        deliveries += [
            _send(settings, sender, notice, way) for way in ways_of(settings, notice.level)
        ]
    return deliveries


class _Memory:
    """The book as far as it can be had: where it cannot be written, of this run alone."""

    def __init__(self, file: BookFile | None, trouble: str) -> None:
        self._file = file
        self.book = file.book if file else Book()
        self.trouble = trouble

    def save(self, book: Book) -> None:
        self.book = book
        if self._file is None:
            return
        try:
            self._file.save(book)
        except OSError as error:
            self.trouble = str(error)


@contextmanager
def _remembered(settings: Settings) -> Iterator[_Memory]:
    path = book_path(settings)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(opened(path))
            memory = _Memory(file, f"{path} was damaged" if file.is_damaged else "")
        except OSError as error:
            memory = _Memory(None, str(error))
        yield memory


def book_path(settings: Settings) -> Path:
    """Return where incidents are remembered."""
    return settings.home / "data" / "alerts.state"


def _deliver(settings: Settings, sender: Sender, memory: _Memory) -> Iterator[Delivery]:
    """Send what is unsent, oldest first; remember after each what has gone."""
    closed: dict[str, str] = {}
    for unsent in memory.book.unsent:
        for way in unsent.ways:
            if way in closed:
                yield Delivery(unsent.notice, way, is_sent=False, trouble=closed[way])
                continue
            try:
                said = send(settings, sender, unsent.notice, way)
            except NotSentError as error:
                if error.is_way_closed:
                    closed[way] = str(error)
                yield Delivery(unsent.notice, way, is_sent=False, trouble=str(error))
            else:
                memory.save(_without(memory.book, unsent.notice, way))
                yield Delivery(unsent.notice, way, is_sent=True, trouble=said)


def _without(book: Book, notice: Notice, way: str) -> Book:
    """Return the book once `notice` has gone by `way`."""
    unsent = (
        msgspec.structs.replace(each, ways=tuple(w for w in each.ways if w != way))
        if each.notice.id == notice.id
        else each
        for each in book.unsent
    )
    return msgspec.structs.replace(book, unsent=tuple(each for each in unsent if each.ways))


def _send(settings: Settings, sender: Sender, notice: Notice, way: str) -> Delivery:
    try:
        return Delivery(notice, way, is_sent=True, trouble=send(settings, sender, notice, way))
    except NotSentError as error:
        return Delivery(notice, way, is_sent=False, trouble=str(error))


def _restart(command: str) -> str:
    """Run the command that restarts the service; return what came of it, in a few words."""
    try:
        # What it starts goes on without this process, and without its terminal.
        done = subprocess.run(  # noqa: S603 - the operator's own command, and no shell
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, check=False,
            timeout=RESTART_WITHIN_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{command}: > {RESTART_WITHIN_S:g} s"
    except (OSError, ValueError) as error:
        return f"{command}: {error}"
    return f"{command}: exit code {done.returncode}"


def _with_restart(
    incidents: Sequence[Incident], notices: Sequence[Notice], outcome: str
) -> tuple[list[Incident], list[Notice]]:
    replace = msgspec.structs.replace
    restarted = [
        replace(each, restarts=each.restarts + 1) if is_restart_due([each]) else each
        for each in incidents
    ]
    counts = {each.number: each.restarts for each in restarted}
    told = [
        replace(each, restarts=counts[each.number], restart=outcome)
        if counts.get(each.number)
        else each
        for each in notices
    ]
    return restarted, told
