"""What comes of a batch, a row a board: read from the answers, written as XLSX, CSV or NDJSON."""

import csv
import io
import json
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import msgspec

from kis.cli.board_files import Entry
from kis.cli.board_sheet import Headings
from kis.cli.client import fail

KINDS = (".xlsx", ".csv", ".ndjson")
HEADINGS = (
    "번호 No.", "반 Board", "W", "H", "D", "출처 Source", "외함 Model", "필요 Required W",
    "필요 Required H", "필요 Required D", "주의 Warnings", "오류 Code", "위치 Place",
    "내용 Message", "견적 Estimate id", "증거 Evidence id", "되풀이 Replayed",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


class _Size(msgspec.Struct):
    W: float
    H: float
    D: float


class _Enclosure(_Size):
    source: str
    model: str | None


class _Warning(msgspec.Struct, rename="camel"):
    message_ko: str
    message_en: str


class _Request(msgspec.Struct):
    label: str = ""


class _Estimate(msgspec.Struct, rename="camel"):
    id: str
    evidence_id: str
    enclosure: _Enclosure
    required: _Size
    warnings: list[_Warning]
    request: _Request


class _Finding(msgspec.Struct, rename="camel"):
    path: str
    detail: str
    detail_en: str
    hint: str = ""
    hint_en: str = ""


class Numbered(msgspec.Struct):
    """An answered line, as far as its number."""

    line: int


class Answered(msgspec.Struct, rename="camel"):
    """An answered line, as far as it is shown."""

    status: int
    replayed: bool
    estimate: _Estimate | None = None
    code: str = ""
    findings: list[_Finding] = []


class Result(NamedTuple):
    """A board of the file with what came of it; `raw` is the line as it was answered."""

    cells: tuple[Cell, ...]
    raw: bytes
    is_estimated: bool


_decode = msgspec.json.Decoder(Answered).decode
_number = msgspec.json.Decoder(Numbered).decode


def line_of(raw: bytes) -> int:
    """Return the number of the line that `raw` answers."""
    return _number(raw).line


def result_of(entry: Entry, raw: bytes, headings: Headings | None) -> Result:
    """Return what the service answered to a board."""
    answered = _decode(raw)
    estimate = answered.estimate
    if estimate is None:
        message = "\n".join(
            " / ".join(filter(None, (f.detail, f.detail_en, f.hint, f.hint_en)))
            for f in answered.findings
        )
        path = answered.findings[0].path if answered.findings else ""
        refused = (answered.code, _place(entry, path, headings), message)
        return Result(
            _refused(entry, refused, is_replayed=answered.replayed), raw, is_estimated=False
        )
    enclosure, required = estimate.enclosure, estimate.required
    warnings = "\n".join(f"{w.message_ko} / {w.message_en}" for w in estimate.warnings)
    cells = (
        entry.number, estimate.request.label, *_size(enclosure), enclosure.source,
        enclosure.model, *_size(required), warnings, "", "", "", estimate.id,
        estimate.evidence_id, _yes(is_so=answered.replayed),
    )  # fmt: skip
    return Result(cells, raw, is_estimated=True)


def result_of_complaint(entry: Entry, headings: Headings | None) -> Result:
    """Return why a board of a sheet was not even asked for."""
    complaint = entry.board and entry.board.complaint
    if complaint is None:
        raise AssertionError
    place = _at(complaint.row, complaint.column, headings)
    text, code = complaint.text, "INVALID_REQUEST"
    cells = _refused(entry, (code, place, f"{text.ko} / {text.en}"))
    finding = {
        "code": code, "path": place, "detail": text.ko, "detailEn": text.en, "hint": "",
        "hintEn": "", "data": {},
    }  # fmt: skip
    problem = {
        "line": entry.number, "idempotencyKey": None, "replayed": False,
        "type": "urn:kis:problem:invalid-request", "title": "Invalid request", "status": 400,
        **{name: value for name, value in finding.items() if name != "data"},
        "requestId": "", "findings": [finding],
    }  # fmt: skip
    return Result(cells, json.dumps(problem, ensure_ascii=False).encode(), is_estimated=False)


def _refused(
    entry: Entry, told: tuple[str, str, str], *, is_replayed: bool = False
) -> tuple[Cell, ...]:
    replayed = _yes(is_so=is_replayed)
    return (entry.number, _label(entry), *[None] * 8, "", *told, "", "", replayed)


def _label(entry: Entry) -> str:
    """Return the label as it was sent: a refusal does not repeat it."""
    if entry.board is not None:
        return entry.board.label
    try:
        sent: Any = json.loads(entry.line)
        return str(sent.get("label", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""


def _place(entry: Entry, path: str, headings: Headings | None) -> str:
    """Return where the board is wrong: row and column of a sheet, else the path in the line."""
    if entry.board is None:
        return path
    return _at(*entry.board.place(path), headings)


def _at(row: int, column: str, headings: Headings | None) -> str:
    if not column:
        return f"{row}행 row {row}"
    shown = headings.shown.get(column, "") if headings else ""
    named = f"{shown} ({column})" if shown and shown != column else column
    return f"{row}행 {shown or column} 열 (row {row}, column {named})"


def _size(size: _Size) -> tuple[Cell, Cell, Cell]:
    width, height, depth = (int(mm) if mm.is_integer() else mm for mm in (size.W, size.H, size.D))
    return width, height, depth


def _yes(*, is_so: bool) -> str:
    return "예 yes" if is_so else ""


# --- files ------------------------------------------------------------------------------


class Sink(Protocol):
    """Where results go."""

    def write(self, result: Result) -> None:
        """Take one result."""

    def close(self) -> None:
        """Complete the file."""


def open_sink(path: str, stream: IO[bytes] | None = None) -> Sink:
    """Return what writes the file at `path`, by its kind; NDJSON on `stream` where there is one."""
    if stream is not None:
        return _Lines(stream)
    kind = Path(path).suffix.lower()
    if kind not in KINDS:
        known = ", ".join(KINDS)
        fail(f"결과 파일은 {known} 중 하나여야 합니다: {path}", f"{path} is none of {known}.", 2)
    try:
        opened = Path(path).open("wb")  # noqa: SIM115 - the sink closes it
    except OSError as error:
        fail(f"쓸 수 없습니다: {error}", f"Cannot be written: {path}", 2)
    if kind == ".ndjson":
        return _Lines(opened)
    return _Workbook(opened) if kind == ".xlsx" else _Table(opened)


class _Lines:
    """The answers as they came."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        self._stream.write(result.raw + b"\n")

    def close(self) -> None:
        # Not closed: it may be the standard output.
        self._stream.flush()


def _inert(cell: Cell) -> Cell:
    """Return `cell` so that no sheet takes a client's text for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


class _Table:
    """CSV with a byte order mark, without which Excel takes Korean for CP949."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._stream)
        self._writer.writerow(HEADINGS)

    def write(self, result: Result) -> None:
        self._writer.writerow([_inert(cell) for cell in result.cells])

    def close(self) -> None:
        self._stream.close()


class _Workbook:
    """XLSX, a row at a time: nothing is kept in memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415 - only for a workbook

        self._stream = stream
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._workbook = xlsxwriter.Workbook(stream, options)
        self._sheet = self._workbook.add_worksheet("KIS")
        bold = self._workbook.add_format({"bold": True})
        self._sheet.freeze_panes(1, 2)
        self._sheet.set_column(1, 1, 20)
        self._sheet.write_row(0, 0, HEADINGS, bold)
        self._rows = 0

    def write(self, result: Result) -> None:
        self._rows += 1
        self._sheet.write_row(self._rows, 0, result.cells)

    def close(self) -> None:
        self._sheet.autofilter(0, 0, self._rows, len(HEADINGS) - 1)
        self._workbook.close()
        self._stream.close()
