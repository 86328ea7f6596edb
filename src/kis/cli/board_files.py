"""Files of many boards: NDJSON, or a sheet as CSV or XLSX. Read as they are asked for."""

import codecs
import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from kis.cli.board_sheet import Headings, Row, SheetBoard, SheetFault, read_boards, read_headings
from kis.errors import Text

KINDS = (".ndjson", ".jsonl", ".csv", ".xlsx")
ENCODINGS = ("utf-8-sig", "cp949")
SNIFFED_BYTES = 1 << 20


class Entry(NamedTuple):
    """A board of the file: the line to send (empty when it cannot be asked), where it stands."""

    number: int
    line: bytes
    position: int
    board: SheetBoard | None = None


class BoardFile(NamedTuple):
    """The boards of a file, in order; `total` is what the last `position` will be, 0 unknown."""

    entries: Iterator[Entry]
    total: int
    headings: Headings | None = None


def open_boards(path: str) -> BoardFile:
    """Return the boards of the file at `path`; `-` is NDJSON on standard input.

    An NDJSON file and a CSV are read line by line; a workbook is taken in as a whole.

    Raises:
        OSError: it cannot be opened.
        SheetFault: it is no file of boards.

    """
    if path == "-":
        return BoardFile(_read_lines(nullcontext(sys.stdin.buffer)), 0)
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise SheetFault(
            Text(f"파일 종류를 모릅니다: {path} ({known})", f"{path} is none of {known}")
        )
    if kind == ".xlsx":
        return _open_workbook(path)
    size = Path(path).stat().st_size
    if kind == ".csv":
        return _open_csv(path, size)
    # What cannot be read is to be told before anything is sent.
    with Path(path).open("rb"):
        return BoardFile(_read_lines(_open(path)), size)


@contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    """Open the file only when it is read."""
    with Path(path).open("rb") as stream:
        yield stream


def _read_lines(opening: AbstractContextManager[IO[bytes]]) -> Iterator[Entry]:
    """Yield all lines, the empty ones too: the service counts them as well."""
    position = 0
    with opening as stream:
        for number, raw in enumerate(stream, start=1):
            position += len(raw)
            line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            yield Entry(number, _in_utf8(line).rstrip(b"\r\n"), position)


def _in_utf8(line: bytes) -> bytes:
    """Return CP949 of a Korean editor as UTF-8; what is neither goes as it is."""
    try:
        line.decode()
    except UnicodeDecodeError:
        try:
            return line.decode("cp949").encode()
        except UnicodeDecodeError:
            return line
    return line


def _open_csv(path: str, size: int) -> BoardFile:
    encoding = _encoding_of(path)
    position = 0

    def rows() -> Iterator[Row]:
        nonlocal position
        with (
            Path(path).open("rb") as raw,
            io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as stream,
        ):
            # A quoted cell may hold line ends: Excel counts it as one row all the same.
            for number, cells in enumerate(csv.reader(stream), start=1):
                position = raw.tell()
                yield number, list(cells)

    headings, below = _below_headings(rows())
    return BoardFile(_entries(headings, below, lambda _: position), size, headings)


def _encoding_of(path: str) -> str:
    """Return the first encoding that fits the beginning of the file."""
    with Path(path).open("rb") as stream:
        begin = stream.read(SNIFFED_BYTES)
    for encoding in ENCODINGS:
        try:
            codecs.getincrementaldecoder(encoding)().decode(begin)
        except UnicodeDecodeError:
            continue
        return encoding
    raise SheetFault(Text("UTF-8도 CP949도 아닙니다.", "it is neither UTF-8 nor CP949"))


def _open_workbook(path: str) -> BoardFile:
    import python_calamine  # noqa: PLC0415 - only when a workbook is read

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        sheet = workbook.get_sheet_by_index(0)
    except (python_calamine.CalamineError, IndexError) as error:
        raise SheetFault(
            Text(f"Excel 파일(.xlsx)로 읽을 수 없습니다: {error}", f"it is no workbook: {error}")
        ) from None

    def rows() -> Iterator[Row]:
        yield from enumerate(map(list, sheet.iter_rows()), start=1)

    headings, below = _below_headings(rows())
    return BoardFile(_entries(headings, below, lambda row: row), sheet.total_height, headings)


def _below_headings(rows: Iterator[Row]) -> tuple[Headings, Iterator[Row]]:
    """Return the headings, which stand in the first row that is not empty, and what is below."""
    for _, cells in rows:
        if any(str(cell).strip() for cell in cells):
            return read_headings(cells), rows
    raise SheetFault(Text("빈 표입니다.", "the sheet is empty"))


def _entries(
    headings: Headings, rows: Iterator[Row], position_at: Callable[[int], int]
) -> Iterator[Entry]:
    """Yield the boards of a sheet; `position_at` says how far it is read, at a row.

    One that cannot be asked is sent as an empty line, so that the service counts it.
    """
    for number, board in enumerate(read_boards(headings, rows), start=1):
        request = json.dumps(board.request, ensure_ascii=False).encode(errors="replace")
        line = b"" if board.complaint else request
        yield Entry(number, line, position_at(board.row), board)
