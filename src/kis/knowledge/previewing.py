"""An upload looked at before it is stored: its rows, what is wrong where, what it changes. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from kis.errors import DomainError, Finding
from kis.knowledge import csv_format, json_format
from kis.knowledge.coherence import KnownRules
from kis.knowledge.content import Documents
from kis.knowledge.diff import Difference, Mode
from kis.knowledge.formats import read_table, read_text
from kis.knowledge.preparing import read_and_compare
from kis.knowledge.problems import Problems, shown
from kis.knowledge.progress import Tell, untold

FIRST_ROWS = 20
"""How many rows are shown from the top, beside every one with a finding."""
FIRST_WHERE_WRONG = 3
"""How many where there are such rows: these are what matters then."""

_JSON_ROW = re.compile(r"^\$\.(breakers|enclosures|accessories)\[(\d+)\](?:\.(\w+))?")
_COLUMN = re.compile(r"^[^.\[]*")


class Cell(NamedTuple):
    """What a cell shows, and what is wrong with it."""

    text: str
    findings: tuple[Finding, ...] = ()


class Row(NamedTuple):
    """A row by its number: the line of a table, the place in a JSON array from 1."""

    number: int
    cells: tuple[Cell, ...]
    findings: tuple[Finding, ...] = ()
    """What is wrong with the row as a whole."""


class Sheet(NamedTuple):
    """Some rows of a table of an upload; `total` is how many there are."""

    part: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int


class Preview(NamedTuple):
    """What an import would do: `difference` is None where it would be refused.

    `elsewhere` are findings at no row that is shown.
    """

    sheets: tuple[Sheet, ...]
    findings: tuple[Finding, ...]
    elsewhere: tuple[Finding, ...]
    difference: Difference | None


def preview(
    base: Documents, format_name: str, content: object, mode: Mode,
    known_rules: list[KnownRules], limit: int, tell: Tell = untold,
) -> Preview:  # fmt: skip
    """Return what importing `content` on `base` would do; of a difference `limit` rows a part."""
    difference: Difference | None = None
    findings: tuple[Finding, ...] = ()
    try:
        difference = read_and_compare(base, format_name, content, mode, known_rules, limit, tell)
    except DomainError as error:
        findings = error.findings
    placed, elsewhere = _placed(findings)
    sheets = tuple(_sheets(format_name.lower(), content, placed))
    return Preview(sheets, findings, elsewhere, difference)


Placed = dict[str, dict[int, list[tuple[str, Finding]]]]
"""By part and row number: findings with their columns, "" for the whole row."""


def _placed(findings: Iterable[Finding]) -> tuple[Placed, tuple[Finding, ...]]:
    placed: Placed = {}
    elsewhere: list[Finding] = []
    for finding in findings:
        line, column = finding.data.get("line"), finding.data.get("column")
        found = _JSON_ROW.match(finding.path)
        if found is not None:
            part, number, name = found[1], int(found[2]) + 1, found[3] or ""
        elif isinstance(line, int):
            stem = _COLUMN.match(str(column or ""))
            part, number, name = "breakers", line, stem[0] if stem else ""
        else:
            elsewhere.append(finding)
            continue
        placed.setdefault(part, {}).setdefault(number, []).append((name, finding))
    return placed, tuple(elsewhere)


def _sheets(format_name: str, content: object, placed: Placed) -> Iterator[Sheet]:
    nothing = Problems()  # was told of already
    if format_name in ("csv", "xlsx"):
        text = read_table(format_name, content, nothing)
        if text is not None:
            yield _table(text, placed.get("breakers", {}))
        return
    value = content
    if isinstance(content, str | bytes):
        decoded = read_text(content, nothing)
        value = None if decoded is None else json_format.load_parts(decoded, nothing)
    if isinstance(value, dict):
        for part in json_format.PARTS:
            rows = value.get(part)
            if isinstance(rows, list):
                yield _array(part, rows, placed.get(part, {}))


def _table(text: str, wrong: dict[int, list[tuple[str, Finding]]]) -> Sheet:
    header = next(csv_format.records(text), csv_format.Record(1, []))
    columns = tuple(field.strip().lower() for field in header.fields)
    numbered = (
        (record.line, record.fields)
        for record in islice(csv_format.records(text, csv_format.rest_of(columns)), 1, None)
    )
    # What is wrong with the header stands in a row of its own.
    first = [_row(header.line, header.fields, columns, wrong)] if header.line in wrong else []
    rows, total = _some(numbered, columns, wrong)
    return Sheet("breakers", columns, (*first, *rows), total)


def _array(
    part: str, values: Sequence[object], wrong: dict[int, list[tuple[str, Finding]]]
) -> Sheet:
    names = dict.fromkeys(
        key for value in values[:FIRST_ROWS] if isinstance(value, dict) for key in value
    )
    for findings in wrong.values():
        names |= dict.fromkeys(column for column, _ in findings if column)
    columns = tuple(names)

    def cells(value: object) -> list[str]:
        row: dict[str, Any] = value if isinstance(value, dict) else {}
        return [_plain(row.get(name)) for name in columns]

    numbered = ((number, cells(value)) for number, value in enumerate(values, start=1))
    rows, total = _some(numbered, columns, wrong)
    return Sheet(part, columns, rows, total)


def _some(
    numbered: Iterable[tuple[int, Sequence[str]]],
    columns: tuple[str, ...],
    wrong: dict[int, list[tuple[str, Finding]]],
) -> tuple[tuple[Row, ...], int]:
    """Return the first rows and those with findings, and how many rows there are."""
    rows: list[Row] = []
    total = 0
    first = FIRST_WHERE_WRONG if wrong else FIRST_ROWS
    for number, cells in numbered:
        total += 1
        if total <= first or number in wrong:
            rows.append(_row(number, cells, columns, wrong))
    return tuple(rows), total


def _row(
    number: int,
    texts: Sequence[str],
    columns: tuple[str, ...],
    wrong: dict[int, list[tuple[str, Finding]]],
) -> Row:
    at = wrong.get(number, [])
    padded = (*texts[: len(columns)], *("" for _ in range(len(columns) - len(texts))))
    cells = tuple(
        Cell(str(shown(text)), tuple(finding for name, finding in at if name == column))
        for column, text in zip(columns, padded, strict=True)
    )
    return Row(number, cells, tuple(finding for name, finding in at if name not in columns))


def _plain(value: object) -> str:
    return "" if value is None else str(shown(value))
