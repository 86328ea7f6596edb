"""Remedies that a page can offer as a button: which field to set to what. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from kis.errors import ErrorCode, Finding
from kis.estimate.request import Poles
from kis.estimate.words import LOCATIONS, MOUNTS

STATED_TYPES = ("MCCB", "ELCB")
"""What a board's device is asked to be; miniature ones are named by their model."""
MAX_FIXES = 8
"""More buttons than that are read by nobody."""


class Fix(NamedTuple):
    """Set the field at `path`, as the API names it, to `value`; "" empties it."""

    path: str
    value: str


def field_of(path: str) -> str:
    """Return the field of a finding's path: `$.branches[2].poles` is `branches[2].poles`."""
    return path.removeprefix("$").removeprefix(".")


def fixes_of(finding: Finding, brands: Sequence[str]) -> tuple[Fix, ...]:
    """Return what would remedy `finding`, likeliest first; `brands` are those that are known."""
    return tuple(_fixes(finding, field_of(finding.path), brands))[:MAX_FIXES]


def _fixes(finding: Finding, field: str, brands: Sequence[str]) -> Iterator[Fix]:
    data, last = finding.data, field.rpartition(".")[2]
    match finding.code:
        case ErrorCode.REQ_MORE_INFO:
            yield from (Fix(field, value) for value in _stated(field, last, brands))
        case ErrorCode.POLES_MISMATCH | ErrorCode.DEVICE_TYPE_MISMATCH:
            yield from (Fix(field, value) for value in str(data["expected"]).split(", "))
            yield from _other_models(finding, field)
        case ErrorCode.FRAME_SIZE_MISMATCH:
            yield Fix(field, str(data["expected"]))
            yield Fix(field, "")
        case ErrorCode.RATED_CURRENT_MISMATCH:
            allowed = data["allowed"]
            if isinstance(allowed, list):
                yield from (Fix(field, str(current)) for current in allowed)
            yield Fix(field, "")
        case ErrorCode.BRAND_CONFLICT:
            yield from _other_brands(finding, field, brands)
        case ErrorCode.NEED_KNOWLEDGE_UPDATE if last == "brand":
            yield from (Fix(field, brand) for brand in brands)
        case ErrorCode.ACCESSORY_CONFLICT:
            yield Fix("accessories", "some")
            yield Fix("accessories", "none")
        case _:
            return


def _stated(field: str, last: str, brands: Sequence[str]) -> Sequence[str]:
    """Return what may be stated where nothing is; "none" is a statement as well."""
    if field in ("branches", "accessories"):
        return ("none",)
    return {
        "brand": brands, "location": tuple(LOCATIONS), "mount": tuple(MOUNTS),
        "poles": get_args(Poles), "type": STATED_TYPES,
    }.get(last, ())  # fmt: skip


def _other_models(finding: Finding, field: str) -> Iterator[Fix]:
    """Yield the models that are what was asked for."""
    models = finding.data.get("models", ())
    if isinstance(models, list):
        row = "main" if field.startswith(("main", "device")) else field.rpartition(".")[0]
        yield from (Fix(f"{row}.model", model) for model in models)


def _other_brands(finding: Finding, field: str, brands: Sequence[str]) -> Iterator[Fix]:
    """Yield the brand of the model, for the board; what names a brand itself may leave it out."""
    if field == "brand":
        yield from (Fix(field, brand) for brand in brands)
        return
    expected = str(finding.data.get("expected", ""))
    if expected in brands:
        yield Fix("brand", expected)
    if field.endswith(".brand"):
        yield Fix(field, "")
