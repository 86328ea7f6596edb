"""Counts requests and errors of the last hour in the log, as the runbook's grep does.

A line has its time near its beginning, and lines stand in the order of time. So the
place where the hour begins is found by halving the file, and from there whole blocks
are searched for the marks of a line, which no client can write (see kis.telemetry).
"""

import io
import re
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from kis.moments import second_text
from kis.ops.watch.observations import Counts

BLOCK_BYTES = 1_048_576
LINE_BYTES = 65_536
"""Within so many bytes there is a line with a time, but for a giant traceback."""

_TIME = re.compile(rb'(?m)^(?:\{"at":"|(?:\S+ ){0,2})(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)')
# Looked behind, not ahead of: so the search is for the literal, which is quick.
_FAULT = re.compile(rb"Z ERROR (?<=\n.{19}Z ERROR )")
_JSON_MARK = b'{"at":"'
_JSON_REQUEST = re.compile(rb'"event":"access",[^\n]*?"method":"(?:POST|GET)"')
_JSON_FAULT = re.compile(rb'\{"at":"[-\d:TZ]+","level":"(?:ERROR|CRITICAL)"')


def count_since(log: Path, since: datetime) -> Counts:
    """Count the lines of `log` that are not older than `since`.

    The file that was rotated away last (`.1`) is looked at too. Without any file
    nothing was logged.

    Raises:
        OSError: a file is there but cannot be read.

    """
    mark = second_text(since).encode()
    requests = faults = 0
    for path in (log, log.with_name(f"{log.name}.1")):
        try:
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                start = start_of(file, size, mark)
                counted = _count(file, start, size)
        except FileNotFoundError:
            continue
        requests, faults = requests + counted.requests, faults + counted.faults
        if start > 0:
            break
    return Counts(requests, faults)


def start_of(file: BinaryIO, size: int, mark: bytes) -> int:
    """Return where the first line begins that is not older than `mark`; at most `size`."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        found = _first_time(file, middle)
        if found is None or found[0] >= mark:
            high = middle
        else:
            low = found[1] + 1
    return _line_start(file, low)


def _first_time(file: BinaryIO, offset: int) -> tuple[bytes, int] | None:
    """Return the time of the first line that begins after `offset`, and where it begins."""
    start = _line_start(file, offset)
    file.seek(start)
    found = _TIME.search(file.read(LINE_BYTES))
    return None if found is None else (found[1], start + found.start())


def _line_start(file: BinaryIO, offset: int) -> int:
    """Return `offset` if a line begins there, else where the next one begins."""
    if offset == 0:
        return 0
    file.seek(offset - 1)
    while block := file.read(LINE_BYTES):
        newline = block.find(b"\n")
        if newline >= 0:
            return file.tell() - len(block) + newline + 1
    return file.tell()


def _count(file: BinaryIO, start: int, end: int) -> Counts:
    """Count in the lines from `start` to `end`; what is appended meanwhile is left."""
    requests = faults = 0
    rest = b""
    file.seek(start)
    while start < end and (block := file.read(min(BLOCK_BYTES, end - start))):
        start += len(block)
        # Whole lines only: a mark may stand across two blocks.
        lines, _, rest = (rest + block).rpartition(b"\n")
        requests += lines.count(b'Z "POST ') + lines.count(b'Z "GET ')
        faults += len(_FAULT.findall(b"\n" + lines))
        if _JSON_MARK in lines:
            requests += len(_JSON_REQUEST.findall(lines))
            faults += len(_JSON_FAULT.findall(lines))
    return Counts(requests, faults)
