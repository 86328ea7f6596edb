"""Enclosure and accessory rows from decoded JSON objects."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec

from kis.errors import Text
from kis.knowledge.cells import (
    SizeRange,
    choice,
    one_of,
    read_name,
    read_repeated_name,
    size_reader,
)
from kis.knowledge.json_text import inside_key
from kis.knowledge.model import Accessory, Location, Material, StockEnclosure, StockMount
from kis.knowledge.problems import CellError, Problems, Reason, json_place, not_allowed, shown
from kis.knowledge.spellings import check_spelled_once, spelled, with_spellings
from kis.korean import with_particle

ENCLOSURE_SIZE = SizeRange(50, 3_000)
ACCESSORY_SIZE = SizeRange(1, 1_000)
THICKNESS = SizeRange(0.1, 100)

_OBJECT = Text("JSON 객체", "a JSON object")
_ROWS = Text("JSON 배열", "a JSON array of rows")

Row = TypeVar("Row", bound=msgspec.Struct)


class _Field(NamedTuple):
    """A key of the upload, the attribute that it fills, and how."""

    key: str
    attribute: str
    read: Callable[[object], object]
    required: bool = True
    default: object = None


def _one_of(words: Collection[str]) -> Callable[[object], str]:
    allowed = {word: word for word in words}

    def read(value: object) -> str:
        return choice(value, allowed)

    return read


_ENCLOSURE = (
    _Field("model", "model", read_name),
    _Field("series", "series", read_repeated_name),
    _Field("material", "material", _one_of(get_args(Material))),
    _Field("location", "location", _one_of(get_args(Location))),
    _Field("mount", "mount", _one_of(get_args(StockMount))),
    _Field("widthMm", "width_dmm", size_reader(ENCLOSURE_SIZE)),
    _Field("heightMm", "height_dmm", size_reader(ENCLOSURE_SIZE)),
    _Field("depthMm", "depth_dmm", size_reader(ENCLOSURE_SIZE)),
    _Field("grade", "grade", read_repeated_name, required=False, default=""),
    _Field("thicknessMm", "thickness_dmm", size_reader(THICKNESS), required=False),
)
_ACCESSORY = (
    _Field("code", "code", read_name),
    _Field("kind", "kind", read_repeated_name),
    _Field("widthMm", "width_dmm", size_reader(ACCESSORY_SIZE), required=False),
    _Field("heightMm", "height_dmm", size_reader(ACCESSORY_SIZE), required=False),
    _Field("depthMm", "depth_dmm", size_reader(ACCESSORY_SIZE), required=False),
)


def parse_enclosures(value: object, problems: Problems) -> tuple[StockEnclosure, ...]:
    """Return the rows by model; what is wrong goes to `problems`.

    Lengths are mm under `...Mm` or `..._mm` keys. A null counts as not stated.
    """
    return _parse(value, "enclosures", _ENCLOSURE, StockEnclosure, problems)


def parse_accessories(value: object, problems: Problems) -> tuple[Accessory, ...]:
    """Return the rows by code; what is wrong goes to `problems`.

    Lengths are mm under `...Mm` or `..._mm` keys. A null counts as not stated.
    """
    return _parse(value, "accessories", _ACCESSORY, Accessory, problems)


def json_rows(value: object, part: str, problems: Problems) -> list[object]:
    """Return `value` if it is an array; else none, and a problem at `$.part`."""
    if isinstance(value, list):
        return value
    problems.add(json_place(f"$.{part}"), not_allowed(value, _ROWS))
    return []


def json_row(
    value: object, path: str, keys: Collection[str], problems: Problems
) -> dict[str, object] | None:
    """Return `value` if it is an object; unknown keys go to `problems`.

    None, and a problem at `path`, if it is none.
    """
    if not isinstance(value, dict):
        problems.add(json_place(path), not_allowed(value, _OBJECT))
        return None
    for key in value:
        if key not in keys:
            problems.add(json_place(path + inside_key(key)), unknown_key(key, keys))
    return value


def unknown_key(key: object, keys: Collection[str]) -> Reason:
    """Return the reason against a key that is none of `keys`."""
    allowed = one_of(keys)
    name = shown(str(key))
    message = Text(
        f"'{name}' 키는 쓸 수 없습니다.",
        f"The key '{name}' is not known.",
    )
    return Reason(key, message, allowed)


def _parse(
    value: object, part: str, fields: tuple[_Field, ...], kind: type[Row], problems: Problems
) -> tuple[Row, ...]:
    """Return the rows in key order; the first field is the key that no two may share."""
    keys = with_spellings([field.key for field in fields])
    identity = fields[0]
    rows: dict[str, Row] = {}
    first_path: dict[str, str] = {}
    for index, raw in enumerate(json_rows(value, part, problems)):
        path = f"$.{part}[{index}]"
        row = json_row(raw, path, keys, problems)
        if row is None:
            continue
        check_spelled_once(row, path, problems)
        read = _read(row, path, fields, problems)
        name = read.get(identity.attribute)
        if isinstance(name, str):
            first = first_path.setdefault(name, path)
            if first != path:
                place = json_place(f"{path}.{identity.key}")
                problems.add(place, _twice(name, identity.key, first, path))
            elif len(read) == len(fields):
                rows[name] = kind(**read)
    return tuple(rows[name] for name in sorted(rows))


def _read(
    row: dict[str, object], path: str, fields: tuple[_Field, ...], problems: Problems
) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for field in fields:
        key = spelled(field.key, row)
        value = row.get(key)
        try:
            read[field.attribute] = (
                field.read(value) if field.required or value is not None else field.default
            )
        except CellError as error:
            problems.add(json_place(f"{path}.{key}"), *error.reasons)
    return read


def _twice(name: str, key: str, first: str, path: str) -> Reason:
    allowed = Text(f"{with_particle(key, '이/가')} 같은 행은 하나만", f"one row for each {key}")
    message = Text(
        f"'{name}' 행이 두 번 있습니다: {first}, {path}.",
        f"'{name}' is given twice: {first} and {path}.",
    )
    return Reason(name, message, allowed)
