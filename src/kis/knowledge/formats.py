"""Bytes to rows: the entry to reading an upload, CSV, JSON or an Excel workbook."""

import codecs
from collections.abc import Collection

from kis.errors import Text
from kis.knowledge import csv_format, json_format, xlsx_format
from kis.knowledge.problems import (
    Place,
    Problems,
    Reason,
    csv_place,
    json_place,
    not_allowed,
)
from kis.knowledge.progress import Tell, untold
from kis.knowledge.upload import Upload

__all__ = ["MAX_BYTES", "MAX_ROWS", "Upload", "parse_upload"]

MAX_ROWS = 200_000
MAX_BYTES = 50_000_000

_FORMATS = Text("csv, xlsx, json", "csv, xlsx, json")
_CONTENT = Text("텍스트", "text")
_JSON_CONTENT = Text("JSON 텍스트 또는 JSON 객체", "JSON text or an object")
_ENCODING = Text("UTF-8 또는 CP949로 저장한 텍스트", "text in UTF-8 or CP949")
_SIZE = Text(f"{MAX_BYTES}바이트 이하", f"at most {MAX_BYTES} bytes")
_COUNT = Text(f"{MAX_ROWS}행 이하", f"at most {MAX_ROWS} rows")
_BYTE_ORDER_MARK = "\ufeff"


def parse_upload(
    format: str,  # noqa: A002 - the wire's own word
    content: object,
    *,
    brands: Collection[str] = (),
    tell: Tell = untold,
) -> Upload:
    """Return the checked parts of an upload, lengths in tenths of a millimetre.

    `format` is `csv`, `xlsx` (breakers only) or `json`, in any letter case. `content`
    is text, bytes in UTF-8 or CP949, a workbook's bytes, or for JSON an object that is
    decoded already.
    `brands` are the known brands when the upload brings no rules of its own. `tell` hears
    how many rows of breakers are read.

    Raises:
        DomainError: `KNOWLEDGE_INVALID`, with a finding for each of the first
            100 problems; the first finding's data tells `total` and `shown`.

    """
    problems = Problems()
    upload = Upload()
    match format.strip().lower():
        case "csv" | "xlsx" as name:
            upload = _parse_table(read_table(name, content, problems), brands, problems, tell)
        case "json":
            upload = _parse_json(content, brands, problems, tell)
        case _:
            problems.add(json_place("$.format"), not_allowed(format, _FORMATS))
    problems.raise_if_any()
    return upload


def read_table(name: str, content: object, problems: Problems) -> str | None:
    """Return the text of a table, `csv` or `xlsx`; None, and a problem, if it cannot be read."""
    if name == "xlsx":
        content = xlsx_format.read_sheet(content, problems)
        return None if content is None else read_text(content, problems)
    if not isinstance(content, str | bytes):
        problems.add(json_place("$.content"), not_allowed(content, _CONTENT))
        return None
    return read_text(content, problems)


def _parse_table(
    text: str | None, brands: Collection[str], problems: Problems, tell: Tell
) -> Upload:
    if text is None or _is_too_many(csv_format.count_rows(text, MAX_ROWS), problems):
        return Upload()
    return Upload(breakers=csv_format.parse_csv(text, brands, problems, tell))


def _parse_json(content: object, brands: Collection[str], problems: Problems, tell: Tell) -> Upload:
    value = content
    if isinstance(content, str | bytes):
        text = read_text(content, problems)
        value = None if text is None else json_format.load_parts(text, problems)
        if problems.total and value is None:
            return Upload()
    elif not isinstance(content, dict):
        problems.add(json_place("$.content"), not_allowed(content, _JSON_CONTENT))
        return Upload()
    if _is_too_many(json_format.count_rows(value), problems):
        return Upload()
    return json_format.parse_parts(value, brands, problems, tell)


def _is_too_many(rows: int, problems: Problems) -> bool:
    if rows > MAX_ROWS:
        problems.add(json_place("$.content"), not_allowed(rows, _COUNT))
    return rows > MAX_ROWS


def read_text(content: str | bytes, problems: Problems) -> str | None:
    """Return `content` with line feeds alone as line ends, without byte order mark.

    None, and a problem, when it is too large or cannot be decoded.
    """
    if len(content) > MAX_BYTES:
        problems.add(json_place("$.content"), not_allowed(len(content), _SIZE))
        return None
    try:
        text = _decode(content) if isinstance(content, bytes) else content
        size = len(content) if isinstance(content, bytes) else len(content.encode())
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        problems.add(*_unreadable(error))
        return None
    if size > MAX_BYTES:
        problems.add(json_place("$.content"), not_allowed(size, _SIZE))
        return None
    text = text.removeprefix(_BYTE_ORDER_MARK)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if content.startswith(codecs.BOM_UTF8):
            raise
        try:
            return content.decode("cp949")
        except UnicodeDecodeError:
            # The fault in the first choice is the one worth telling.
            pass
        raise


def _unreadable(error: UnicodeDecodeError | UnicodeEncodeError) -> tuple[Place, Reason]:
    if isinstance(error, UnicodeDecodeError):
        lines_before = error.object.count(b"\n", 0, error.start)
        value = f"0x{error.object[error.start]:02X}"
    else:
        lines_before = error.object.count("\n", 0, error.start)
        value = f"U+{ord(error.object[error.start]):04X}"
    return csv_place(lines_before + 1), not_allowed(value, _ENCODING)
