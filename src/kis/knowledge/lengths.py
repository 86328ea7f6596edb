"""Millimetres outside, tenths inside, told apart by the key: `widthMm` / `widthDmm`."""

import re
from collections.abc import Mapping

from kis.errors import Text
from kis.knowledge.json_text import inside_key
from kis.knowledge.problems import Reason, not_allowed
from kis.units import from_mm, to_mm

_MM = re.compile(r"Mm(?=$|[A-Z])")
_DMM = re.compile(r"Dmm(?=$|[A-Z])")
_LENGTH = Text("0.1 mm 단위의 길이(mm)", "a length in mm, in steps of 0.1 mm")
_KEY = Text("Mm으로 끝나는 키", "a key that ends in Mm")


def is_length(key: str) -> bool:
    """Tell whether a key of ours holds tenths of a millimetre."""
    return _DMM.search(key) is not None


def outside_key(key: str) -> str:
    """Return the key under which people give what we keep under `key`."""
    return _DMM.sub("Mm", key)


def lengths_from_mm(value: object, reasons: list[Reason], inside: str = "") -> object:
    """Return `value` with every `...Mm` key as `...Dmm` and its numbers in tenths.

    A number that is not a multiple of 0.1 mm, and a key that already is
    `...Dmm`, adds to `reasons` and stays as it was.
    """
    return _from_mm(value, reasons, inside, is_mm=False)


def lengths_to_mm(values: Mapping[str, object]) -> dict[str, object]:
    """Return `values` with every `...Dmm` key as `...Mm` and its numbers in mm."""
    return _object_to_mm(values, is_dmm=False)


def _from_mm(value: object, reasons: list[Reason], inside: str, *, is_mm: bool) -> object:
    if isinstance(value, dict):
        converted: dict[object, object] = {}
        for key, part in value.items():
            step = inside + inside_key(key)
            if is_length(str(key)):
                reasons.append(not_allowed(str(key), _KEY, step))
            inner_mm = is_mm or _MM.search(str(key)) is not None
            converted[_MM.sub("Dmm", str(key))] = _from_mm(part, reasons, step, is_mm=inner_mm)
        return converted
    if isinstance(value, list):
        return [
            _from_mm(part, reasons, f"{inside}[{index}]", is_mm=is_mm)
            for index, part in enumerate(value)
        ]
    if is_mm and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return from_mm(value)
        except ValueError:
            reasons.append(not_allowed(value, _LENGTH, inside))
    return value


def _to_mm(value: object, *, is_dmm: bool) -> object:
    if isinstance(value, dict):
        return _object_to_mm(value, is_dmm=is_dmm)
    if isinstance(value, list | tuple):
        return [_to_mm(part, is_dmm=is_dmm) for part in value]
    return to_mm(value) if is_dmm and isinstance(value, int) else value


def _object_to_mm(values: Mapping[str, object], *, is_dmm: bool) -> dict[str, object]:
    return {
        outside_key(key): _to_mm(part, is_dmm=is_dmm or is_length(key))
        for key, part in values.items()
    }
