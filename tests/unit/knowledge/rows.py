"""Rows for the tests of this folder: the shipped ones, and any others."""

import csv
import io
import json
from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import pytest
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode, Finding
from kis.knowledge.breaker_rows import COLUMNS
from kis.knowledge.formats import parse_upload
from kis.knowledge.json_text import MIN_FRACTION
from kis.knowledge.model import Breaker, BreakerType, Confidence, Grade
from kis.knowledge.problems import MAX_SAFE_INTEGER
from kis.knowledge.snapshot import Tables
from kis.units import to_mm

BRANDS = ("LS", "SANGDO")
HEADER = ",".join(COLUMNS)
META = '"{""type"":""MCCB""}"'

Spelling = Literal["doubled", "escaped", "bare"]
Json = dict[str, Any]


def seed_csv() -> bytes:
    return files("kis.seed").joinpath("breakers.csv").read_bytes()


def seed_catalogue() -> Json:
    loaded: Json = json.loads(files("kis.seed").joinpath("catalogue.json").read_bytes())
    return loaded


@cache
def seed_tables() -> Tables:
    breakers = parse_upload("csv", seed_csv(), brands=BRANDS).breakers
    catalogue = parse_upload("json", seed_catalogue())
    assert breakers is not None
    assert catalogue.enclosures is not None
    assert catalogue.accessories is not None
    assert catalogue.rules is not None
    return Tables(breakers, catalogue.enclosures, catalogue.accessories, catalogue.rules)


def breaker(model: str = "ABN-53", poles: int = 3, **fields: Any) -> Breaker:
    """Return a plausible row; sizes in tenths of a millimetre."""
    plain: Json = {
        "brand": "LS",
        "series": "METASOL",
        "frame_size_a": 50,
        "type": "MCCB",
        "width_dmm": poles * 250,
        "height_dmm": 1300,
        "depth_dmm": 600,
    }
    return Breaker(model=model, poles=poles, **(plain | fields))


def tables_of(*breakers: Breaker) -> Tables:
    """Return the shipped tables with these breakers instead."""
    seed = seed_tables()
    rows = tuple(sorted(breakers, key=lambda row: row.key))
    return Tables(rows, seed.enclosures, seed.accessories, seed.rules)


def refused(
    format: str,  # noqa: A002 - named as in `parse_upload`
    content: object,
    brands: Collection[str] = BRANDS,
) -> tuple[Finding, ...]:
    """Return why an upload is refused."""
    with pytest.raises(DomainError) as caught:
        parse_upload(format, content, brands=brands)
    findings = caught.value.findings
    assert {finding.code for finding in findings} == {ErrorCode.KNOWLEDGE_INVALID}
    return findings


def paths(findings: Iterable[Finding]) -> list[str]:
    return [finding.path for finding in findings]


def write_csv(
    rows: Iterable[Breaker], spelling: Spelling = "doubled", columns: Collection[str] = COLUMNS
) -> str:
    """Write rows as an estimator's spreadsheet would, the meta in one of its spellings."""
    lines = [",".join(columns)]
    for row in rows:
        cells = cells_of(row)
        lines.append(
            ",".join(
                _spelled(cells[column], spelling if column == "meta" else "doubled")
                for column in columns
            )
        )
    return "\n".join(lines) + "\n"


def cells_of(row: Breaker) -> dict[str, str]:
    meta: Json = {"type": row.type, "series": row.series}
    stated = {
        "grade": row.grade,
        "at": list(row.rated_currents_a) or None,
        "icu_ka": row.breaking_capacity_ka,
        "icu_basis": row.breaking_capacity_basis or None,
        "confidence": row.confidence,
        "warning": row.warning or None,
    }
    meta |= {key: value for key, value in stated.items() if value is not None}
    meta |= row.extra or {}
    return {
        "brand": row.brand,
        "series": row.series,
        "model": row.model,
        "af": str(row.frame_size_a),
        "poles": f"{row.poles}P",
        "width_mm": str(to_mm(row.width_dmm)),
        "height_mm": str(to_mm(row.height_dmm)),
        "depth_mm": str(to_mm(row.depth_dmm)),
        "meta": json.dumps(meta, ensure_ascii=False),
    }


def _spelled(cell: str, spelling: Spelling) -> str:
    if spelling == "bare":
        return cell
    if spelling == "escaped":
        return '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"'
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cell])
    return out.getvalue()


# --- any row that an upload may hold -------------------------------------------------

_SEEN = st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"), max_codepoint=0x1F9FF
)
names = (
    st.text(_SEEN | st.sampled_from(" ,\"'\\{}가나"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(lambda text: text.isprintable() and bool(text))
)
free_text = st.text(_SEEN | st.sampled_from(" \n\t,\"'\\{}"), max_size=20)
_KNOWN = {"type", "series", "grade", "at", "icu_ka", "icu_basis", "confidence", "warning"}
keys = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"), max_codepoint=0xFFFF), max_size=8
).filter(lambda key: key not in _KNOWN and key.isprintable())
whole_numbers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
fractions = st.floats(MIN_FRACTION, 1e15).filter(lambda value: value != int(value))
json_values = st.recursive(
    st.none() | st.booleans() | whole_numbers | fractions | free_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
body_lengths = st.integers(10, 10_000)
breakers = st.builds(
    Breaker,
    brand=st.sampled_from(BRANDS),
    model=names,
    poles=st.integers(1, 4),
    frame_size_a=st.integers(1, 10_000),
    type=st.sampled_from(get_args(BreakerType)),
    width_dmm=body_lengths,
    height_dmm=body_lengths,
    depth_dmm=body_lengths,
    series=names,
    grade=st.none() | st.sampled_from(get_args(Grade)),
    rated_currents_a=st.lists(st.integers(1, 10_000), max_size=4).map(tuple),
    breaking_capacity_ka=st.none()
    | st.integers(1, 1_000)
    | st.floats(MIN_FRACTION, 1_000).filter(lambda value: value != int(value)),
    breaking_capacity_basis=free_text,
    confidence=st.none() | st.sampled_from(get_args(Confidence)),
    warning=free_text,
    extra=st.none() | st.dictionaries(keys, json_values, min_size=1, max_size=3),
)
tables_rows = st.lists(breakers, min_size=1, max_size=4, unique_by=lambda row: row.key)
