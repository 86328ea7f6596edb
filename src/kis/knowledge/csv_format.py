"""CSV with the nine breaker columns, with `meta` in any of its three spellings.

A field is quoted after RFC 4180 (inner quotes doubled), quoted with inner quotes
escaped by a backslash, or bare. Bare JSON may hold commas: it ends with the line
when it is in the last column, else where its braces close.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from kis.errors import Text
from kis.knowledge.breaker_rows import COLUMNS, BreakerRows, text_readers
from kis.knowledge.model import Breaker
from kis.knowledge.problems import CellError, Problems, Reason, csv_place, not_allowed, shown
from kis.knowledge.progress import Tell, each_told, untold

# Possessive quantifiers (`*+`): a field that does not match must fail in one pass.
_DOUBLED = re.compile(r'[ \t]*+"([^"]*+(?:""[^"]*+)*+)"[ \t]*+(?=[,\n]|\Z)')
_ESCAPED = re.compile(r'[ \t]*+"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*+(?=[,\n]|\Z)', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_PLAIN = re.compile(r'[^",\n]*+(?=[,\n]|\Z)')
_BRACE = re.compile(r"[ \t]*+\{")
_QUOTE = re.compile(r'[ \t]*+"')
_BLANK = re.compile(r"(?:[ \t]*+\n)++(?:[ \t]++\Z)?|[ \t]++\Z")
_MAX_FIELDS = 100
"""Enough to count what is too much; a line of millions would cost their square."""

_DECODER = json.JSONDecoder()

_QUOTED_FIELD = Text(
    '닫는 따옴표로 끝나고, 안쪽 따옴표는 두 번 쓰거나("") 앞에 \\를 붙인 칸',
    'a field that ends with its closing quote, inner quotes doubled ("") or escaped (\\")',
)
_PLAIN_FIELD = Text(
    "안에 따옴표가 있으면 전체를 따옴표로 감싼 칸", "a field with quotes in it is quoted as a whole"
)
_BARE_JSON = Text(
    "중괄호의 짝이 맞는 JSON 객체, 또는 따옴표로 감싼 칸",
    "a JSON object whose braces match, or a quoted field",
)
_HEADER = Text(", ".join(COLUMNS), ", ".join(COLUMNS))
_NINE = Text(f"{len(COLUMNS)}개", f"{len(COLUMNS)} fields")
_ROWS = Text("머리글 아래 한 행 이상", "at least one row below the header")


class Record(NamedTuple):
    """One line, or several where a quoted field holds line ends.

    `broken` tells why the field after `fields` could not be split off.
    """

    line: int
    fields: list[str]
    broken: Reason | None = None


def count_rows(text: str, at_most: int) -> int:
    """Return how many rows are below the header, counting on to one above `at_most`.

    Up to `at_most` it is an upper bound: not every line end ends a row.
    """
    lines = text.count("\n")
    if lines <= at_most:
        return lines
    return sum(1 for _ in islice(records(text), at_most + 2)) - 1


def parse_csv(
    text: str, brands: Collection[str] | None, problems: Problems, tell: Tell = untold
) -> tuple[Breaker, ...]:
    """Return the rows of `text` in key order; what is wrong goes to `problems`.

    Lines of `text` end in a line feed alone; there is no byte order mark.
    `brands` None means any brand.
    """
    header = next(records(text), Record(1, []))
    names = [field.strip().lower() for field in header.fields]
    if not _check_header(header, names, problems):
        return ()
    cells_of = itemgetter(*(names.index(column) for column in COLUMNS))
    rest_at = rest_of(names)
    rows = BreakerRows(text_readers(brands), csv_place, problems)
    # As many as there are lines; where a quoted field holds line ends, fewer.
    below = each_told(
        islice(records(text, rest_at), 1, None), "rows", text.rstrip("\n").count("\n"), tell
    )
    header_only = True
    for line, fields, broken in below:
        header_only = False
        if broken is not None:
            column = names[len(fields)] if len(fields) < len(names) else None
            problems.add(csv_place(line, column), broken)
        elif len(fields) != len(COLUMNS):
            problems.add(csv_place(line), _wrong_count(fields))
        else:
            rows.add(line, cells_of(fields))
    if header_only:
        problems.add(csv_place(header.line), not_allowed(None, _ROWS))
    return rows.rows()


def rest_of(names: Sequence[str]) -> int | None:
    """Return the place of the field that may take the rest of its line; None: no field may."""
    return len(names) - 1 if names and names[-1] == "meta" else None


def _check_header(header: Record, names: list[str], problems: Problems) -> bool:
    before = problems.total
    if header.broken is not None:
        problems.add(csv_place(header.line), header.broken)
        return False
    for name, times in Counter(names).items():
        place = csv_place(header.line, str(shown(name)))
        if name not in COLUMNS:
            problems.add(place, not_allowed(name, _HEADER))
        elif times > 1:
            message = Text(
                f"'{name}' 열이 {times}번 있습니다.", f"The column '{name}' is given {times} times."
            )
            problems.add(place, Reason(name, message, _HEADER))
    for name in COLUMNS:
        if name not in names:
            message = Text(f"'{name}' 열이 없습니다.", f"The column '{name}' is missing.")
            problems.add(csv_place(header.line, name), Reason(None, message, _HEADER))
    return problems.total == before


def _wrong_count(fields: list[str]) -> Reason:
    message = Text(
        f"칸이 {len(fields)}개입니다.",
        f"There are {len(fields)} fields.",
    )
    return Reason(len(fields), message, _NINE)


def records(text: str, rest_at: int | None = None) -> Iterator[Record]:
    """Split `text`; a bare `{` in field `rest_at` takes the rest of its line."""
    start, line = 0, 1
    while True:
        blank = _BLANK.match(text, start)
        if blank is not None:
            line += text.count("\n", start, blank.end())
            start = blank.end()
        if start >= len(text):
            return
        fields: list[str] = []
        broken = None
        try:
            end = _split(text, start, rest_at, fields)
        except CellError as error:
            broken = error.reasons[0]
            end = _line_end(text, start)
        yield Record(line, fields, broken)
        # A quoted field may hold line ends of its own.
        line += text.count("\n", start, end + 1)
        start = end + 1


def _split(text: str, start: int, rest_at: int | None, fields: list[str]) -> int:
    """Append the fields of the record at `start`; return where its line ends."""
    while True:
        field, end = _field(text, start, is_rest=len(fields) == rest_at)
        fields.append(field)
        if len(fields) > _MAX_FIELDS:
            raise CellError(_wrong_count(fields))
        if not text.startswith(",", end):
            return end
        start = end + 1


def _field(text: str, start: int, *, is_rest: bool) -> tuple[str, int]:
    if is_rest and _BRACE.match(text, start):
        end = _line_end(text, start)
        return text[start:end], end
    if found := _PLAIN.match(text, start):
        return found[0], found.end()
    if found := _DOUBLED.match(text, start):
        return found[1].replace('""', '"'), found.end()
    if found := _ESCAPED.match(text, start):
        return _unescaped(found[1]), found.end()
    if _BRACE.match(text, start):
        return _bare_json(text, start)
    raw = text[start : _line_end(text, start)]
    raise CellError(not_allowed(raw, _QUOTED_FIELD if _QUOTE.match(raw) else _PLAIN_FIELD))


def _unescaped(field: str) -> str:
    # Most fields escape quotes alone, and a plain replacement is much faster.
    if "\\\\" not in field:
        return field.replace('\\"', '"')
    return _ESCAPE.sub(r"\1", field)


def _bare_json(text: str, start: int) -> tuple[str, int]:
    line = text[start : _line_end(text, start)]
    indent = len(line) - len(line.lstrip())
    try:
        _, length = _DECODER.raw_decode(line, indent)
    except (ValueError, RecursionError) as error:
        raise CellError(not_allowed(line, _BARE_JSON)) from error
    found = _PLAIN.match(text, start + length)
    if found is None or found[0].strip():
        raise CellError(not_allowed(line, _BARE_JSON))
    return line[:length], found.end()


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
