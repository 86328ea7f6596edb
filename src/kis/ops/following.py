"""The log as it grows: each line is read once, however often somebody looks."""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from kis.moments import second_text
from kis.ops.log_files import BLOCK_BYTES, LONGEST_LINE, files_since, read_file
from kis.ops.report import midnight
from kis.ops.report_hours import LENGTH, Hours
from kis.ops.report_lines import read_line
from kis.ops.report_tally import Tally
from kis.ops.watch.log_rate import start_of

SPAN = timedelta(days=7)
HEAD_BYTES = 1024
_TRACEBACK = b"\t"


class Followed:
    """What the log told until now, and how far it was read."""

    def __init__(self, now: datetime) -> None:
        """Nothing was read."""
        self.hours = Hours(first_hour(now))
        self.day = now.astimezone().date()
        self.today = _tally_of(self.day)
        self.head = b""
        """How the log that was read begins: an inode is soon that of another file."""
        self.offset = 0

    def turn_to(self, now: datetime) -> None:
        """Leave out what is too old by now."""
        self.hours.forget_before(first_hour(now))
        day = now.astimezone().date()
        if day != self.day:
            self.day, self.today = day, _tally_of(day)

    def add(self, line: bytes) -> None:
        """Count a line of the log."""
        if line[:1] == _TRACEBACK:
            return
        fact = read_line(line)
        if fact is not None:
            self.hours.add(fact)
            self.today.add_fact(fact)


def first_hour(now: datetime) -> str:
    """Return the name of the first hour that is shown: with that of `now` they are `SPAN`."""
    return second_text(now - SPAN + timedelta(hours=1))[:LENGTH]


def follow(log: Path, last: Followed | None, now: datetime) -> Followed:
    """Read `log` on from where `last` ends; all of the days that are shown where it cannot.

    That is at first, and once after each rotation. What cannot be read is left out.
    """
    # There may be no log yet, or none that may be read, which the check of errors tells.
    with suppress(OSError), log.open("rb", buffering=0) as file:
        followed = (
            last if last is not None and _is_same(file, last) else _begin_with(file, log, now)
        )
        followed.turn_to(now)
        followed.offset = _read_on(file, followed.offset, followed.add)
        followed.head = _head_of(file, followed.offset)
        return followed
    return _begin(log, now)


def _is_same(file: BinaryIO, last: Followed) -> bool:
    """Whether `file` is the one that was read, not one that took its place or its name."""
    return bool(last.head) and _head_of(file, last.offset) == last.head


def _head_of(file: BinaryIO, read: int) -> bytes:
    """Return the first of the `read` bytes; nothing where there are fewer by now."""
    if file.seek(0, io.SEEK_END) < read:
        return b""
    file.seek(0)
    return file.read(min(read, HEAD_BYTES))


def _begin_with(file: BinaryIO, log: Path, now: datetime) -> Followed:
    """Read what was rotated out of `log`, and find where to begin in `file`, which it is now."""
    followed = _begin(log, now)
    size = file.seek(0, io.SEEK_END)
    followed.offset = start_of(file, size, first_hour(now).encode())
    return followed


def _begin(log: Path, now: datetime) -> Followed:
    """Read what was rotated out of `log`."""
    followed = Followed(now)
    for path in files_since(log, (now - SPAN).timestamp()):
        if path != log:
            read_file(path, followed.add)
    return followed


def _read_on(file: BinaryIO, offset: int, add: Callable[[bytes], None]) -> int:
    """Hand over the lines from `offset` on; return where one begins that has no end yet."""
    file.seek(offset)
    rest = b""
    while block := file.read(BLOCK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            rest = b""
        for line in lines:
            add(line)
    return file.tell() - len(rest)


def _tally_of(day: date) -> Tally:
    starts = (midnight(day), midnight(day + timedelta(days=1)))
    return Tally([second_text(start) for start in starts], before=0)
