"""The first sheet of an Excel workbook as CSV, row for line: what is wrong is told by its row."""

import csv
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO

from kis.errors import Text
from kis.knowledge.problems import Problems, json_place, not_allowed

MAX_UNPACKED_BYTES = 500_000_000
"""A workbook is a ZIP file: a small one could hold any amount."""

_WORKBOOK = Text("Excel 파일(.xlsx)", "an Excel workbook (.xlsx)")
_SIZE = Text(
    f"풀어서 {MAX_UNPACKED_BYTES}바이트 이하", f"at most {MAX_UNPACKED_BYTES} bytes unpacked"
)


def read_sheet(content: object, problems: Problems) -> str | None:
    """Return the first sheet as CSV; None, and a problem, when it is no workbook."""
    import python_calamine  # noqa: PLC0415 - only when a workbook is read

    if not isinstance(content, bytes):
        problems.add(json_place("$.content"), not_allowed(content, _WORKBOOK))
        return None
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > MAX_UNPACKED_BYTES:
            problems.add(json_place("$.content"), not_allowed(size, _SIZE))
            return None
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, python_calamine.CalamineError, IndexError):
        problems.add(json_place("$.content"), not_allowed("...", _WORKBOOK))
        return None
    return _csv_of(rows)


def _csv_of(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV, an empty one as an empty line; cells end where the heading does."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    width = 0
    for row in rows:
        cells = [_text(cell) for cell in row]
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if not any(cells):
            out.write("\n")
            continue
        width = width or len(cells)
        writer.writerow(cells)
    return out.getvalue()


def _text(cell: object) -> str:
    """Return what a cell shows, on one line: 50, not 50.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).split()) if "\n" in str(cell) or "\r" in str(cell) else str(cell)
