"""Boards as an estimator types them into a sheet: a row for each breaker and accessory.

The first row of a board names it and says what holds for all of it; in the rows
below, those cells may stay empty. What a cell means is for the service to judge:
here it is only put where the service looks for it, and the way back is kept.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kis.errors import Text

Row = tuple[int, list[object]]
"""A row of a sheet with its number, from 1."""

COLUMNS = {
    "label": ("반", "반이름"),
    "brand": ("브랜드",),
    "form": ("형식",),
    "location": ("장소", "설치장소"),
    "mount": ("설치", "설치방식"),
    "material": ("재질", "외함재질"),
    "role": ("역할", "구분"),
    "model": ("모델", "모델명"),
    "af": ("프레임",),
    "poles": ("극수",),
    "at": ("정격", "정격전류"),
    "type": ("종류",),
    "quantity": ("수량",),
    "code": ("코드", "품목코드"),
    "name": ("회로", "회로명"),
    "maker": ("제조사",),
    "customer": ("고객",),
    "note": ("비고",),
    "key": ("키", "idempotencykey"),
}
"""Names of columns, and what they may be called instead."""

REQUIRED = ("label", "role")
OF_BOARD = ("brand", "form", "location", "mount", "material", "customer", "note", "key")
_NAMES = {heading: name for name, aliases in COLUMNS.items() for heading in (name, *aliases)}
_WORDS = {
    "brand": {"혼용": "MIXED"},
    "form": {"경제형": "ECONOMIC", "표준형": "STANDARD"},
    "location": {"옥내": "INDOOR", "실내": "INDOOR", "옥외": "OUTDOOR", "실외": "OUTDOOR"},
    "mount": {"벽부": "WALL", "노출": "SURFACE", "매입": "FLUSH", "자립": "STAND"},
    "material": {"스틸": "STEEL", "철": "STEEL", "스테인리스": "SUS", "스텐": "SUS"},
    "role": {"메인": "main", "분기": "branch", "부속자재": "accessory", "부속": "accessory"},
    "type": {"배선용": "MCCB", "누전": "ELCB"},
}
_UPPER = ("form", "location", "mount", "material", "type")
_NUMBER = re.compile(r"(\d{1,9})\s*(?:AF|AT|A)?", re.IGNORECASE)
_POLES = re.compile(r"([1-4])\s*(?:P|극)?", re.IGNORECASE)
_STEP = re.compile(r"^\$\.(main|branches|items|accessories\.items)(?:\[(\d+)\])?(?:\.(\w+))?")
_FIELDS = {"idempotencyKey": "key", "device": "type"}
"""Fields of a request whose column is called otherwise."""


class SheetFault(Exception):  # noqa: N818 - a fault of the sheet, not of ours
    """The sheet as a whole cannot be read: `text` says why, in both languages."""

    def __init__(self, text: Text) -> None:
        """Keep `text`."""
        super().__init__(text.en)
        self.text = text


class Complaint(NamedTuple):
    """What is wrong with a board before anybody is asked: row, column (or ""), and why."""

    row: int
    column: str
    text: Text


class Headings(NamedTuple):
    """Where each column stands, and what its heading says."""

    places: dict[str, int]
    shown: dict[str, str]


class SheetBoard(NamedTuple):
    """A board of the sheet: what to ask, or why it cannot be asked, and where it stands."""

    label: str
    row: int
    request: dict[str, Any]
    complaint: Complaint | None
    lines: dict[str, list[int]]
    """The rows of `main`, `branches` and `items`, in the order of the request."""

    def place(self, path: str) -> tuple[int, str]:
        """Return row and column that a finding's `path` into the request means."""
        step = _STEP.match(path)
        if step is None:
            field = path.rpartition(".")[2]
            return self.row, _column(field)
        name = step[1].rpartition(".")[2]
        if name != "main" and step[2] is None:
            return self.row, ""
        rows = self.lines.get(name, [])
        index = int(step[2] or 0)
        row = rows[index] if index < len(rows) else self.row
        return row, _column("maker" if step[3] == "brand" else step[3] or "")


def _column(field: str) -> str:
    name = _FIELDS.get(field, field)
    return name if name in COLUMNS else ""


def read_headings(row: list[object]) -> Headings:
    """Return the columns that the first row names.

    Raises:
        SheetFault: a heading is unknown or occurs twice, or a column is missing.

    """
    places: dict[str, int] = {}
    shown: dict[str, str] = {}
    for place, cell in enumerate(row):
        heading = _text(cell)
        if not heading:
            continue
        plain = re.sub(r"\(.*?\)|[\s_]", "", heading).casefold()
        name = _NAMES.get(plain)
        if name is None or name in places:
            raise SheetFault(_bad_heading(heading, is_known=name is not None))
        places[name], shown[name] = place, heading
    for name in REQUIRED:
        if name not in places:
            alias = COLUMNS[name][0]
            raise SheetFault(
                Text(
                    f"첫 행에 '{alias}'({name}) 열이 없습니다.",
                    f"the first row has no column {name} ({alias})",
                )
            )
    return Headings(places, shown)


def _bad_heading(heading: str, *, is_known: bool) -> Text:
    shown = heading[:40]
    if is_known:
        return Text(f"'{shown}' 열이 두 번 있습니다.", f"the column {shown!r} occurs twice")
    names = ", ".join(f"{name}({aliases[0]})" for name, aliases in COLUMNS.items())
    return Text(
        f"'{shown}' 열은 모릅니다. 쓸 수 있는 열: {names}",
        f"the column {shown!r} is unknown; columns are {', '.join(COLUMNS)}",
    )


def read_boards(headings: Headings, rows: Iterable[Row]) -> Iterator[SheetBoard]:
    """Yield the boards of `rows`, below the headings. Empty rows are passed over."""
    known: set[str] = set()
    gathered: list[tuple[int, dict[str, str]]] = []
    for number, cells in rows:
        row = {
            name: _read(name, cells[place])
            for name, place in headings.places.items()
            if place < len(cells)
        }
        if not any(row.values()):
            continue
        if gathered and row["label"] not in ("", gathered[0][1]["label"]):
            yield _board(gathered, known)
            gathered = []
        gathered.append((number, row))
    if gathered:
        yield _board(gathered, known)


def _board(rows: list[tuple[int, dict[str, str]]], known: set[str]) -> SheetBoard:
    """Put the rows of a board together."""
    first, values = rows[0]
    label = values["label"]
    request: dict[str, Any] = {}
    lines: dict[str, list[int]] = {"main": [], "branches": [], "items": []}
    complaint = _naming(first, label, known)
    known.add(label)
    for number, row in rows:
        complaint = complaint or _contradiction(number, row, values)
        role = row["role"]
        if role not in ("main", "branch", "accessory"):
            complaint = complaint or Complaint(number, "role", _bad_role(role))
        elif role == "main" and lines["main"]:
            text = Text("한 반에 메인이 둘입니다.", "The board has two mains.")
            complaint = complaint or Complaint(number, "role", text)
        _add(request, lines, number, row)
    _add_board(request, values)
    return SheetBoard(label, first, request, complaint, lines)


def _naming(row: int, label: str, known: set[str]) -> Complaint | None:
    if not label:
        text = Text("첫 행에 반 이름이 없습니다.", "The first row names no board.")
        return Complaint(row, "label", text)
    if label in known:
        text = Text(
            "이 반은 위에 이미 있습니다. 한 반의 행은 이어서 쓰십시오.",
            "This board stands further up already: keep the rows of a board together.",
        )
        return Complaint(row, "label", text)
    return None


def _contradiction(number: int, row: dict[str, str], first: dict[str, str]) -> Complaint | None:
    for name in OF_BOARD:
        if row.get(name) and row[name] != first.get(name):
            text = Text(
                "반의 첫 행과 다릅니다. 반 전체의 값은 첫 행에만 쓰십시오.",
                "It differs from the board's first row, which says what holds for all of it.",
            )
            return Complaint(number, name, text)
    return None


def _bad_role(role: str) -> Text:
    shown = role[:40]
    return Text(
        f"'{shown}' 역할은 모릅니다. 메인, 분기, 부속자재 중에서 쓰십시오.",
        f"The role {shown!r} is unknown: write main, branch or accessory.",
    )


def _add(
    request: dict[str, Any], lines: dict[str, list[int]], number: int, row: dict[str, str]
) -> None:
    """Add a row to the request."""
    role = row["role"]
    if role == "accessory":
        item = _present(code=row.get("code") or row.get("model"), quantity=row.get("quantity"))
        request.setdefault("items", []).append(item)
        lines["items"].append(number)
        return
    device = _present(**{name: row.get(name) for name in ("model", "af", "poles", "at", "name")})
    if row.get("maker"):
        device["brand"] = row["maker"]
    if role == "main":
        if row.get("type"):
            request["device"] = {"type": row["type"]}
        request["main"] = device
        lines["main"].append(number)
    else:
        device |= _present(type=row.get("type"), quantity=row.get("quantity"))
        request.setdefault("branches", []).append(device)
        lines["branches"].append(number)


def _add_board(request: dict[str, Any], first: dict[str, str]) -> None:
    """Add what the first row says of the whole board.

    A sheet lists all rows of a board: one without branches or accessories states
    that there are none. Everything else that is missing is asked for.
    """
    items = request.pop("items", [])
    request.setdefault("branches", [])
    request["accessories"] = {"enabled": bool(items), "items": items}
    request["installation"] = _present(
        **{name: first.get(name) for name in ("location", "mount", "material")}
    )
    request |= _present(
        **{name: first.get(name) for name in ("label", "brand", "form", "customer", "note")},
        idempotencyKey=first.get("key"),
    )


def _present(**values: object) -> dict[str, Any]:
    """Return the values that are there; figures as numbers where they are some."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if not value:
            continue
        number = _NUMBER.fullmatch(str(value)) if name in ("af", "at", "quantity") else None
        found[name] = int(number[1]) if number else value
    return found


def _read(name: str, cell: object) -> str:
    """Return a cell as the request has it: known words in its terms, all else as typed."""
    text = _text(cell)
    if name == "poles" and (poles := _POLES.fullmatch(text)):
        return f"{poles[1]}P"
    word = _WORDS.get(name, {}).get(text.removesuffix("형") if name == "mount" else text)
    if word is not None:
        return word
    if name == "role":
        return text.casefold()
    return text.upper() if name in _UPPER else text


def _text(cell: object) -> str:
    """Return what a cell shows: 50, not 50.0."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()
